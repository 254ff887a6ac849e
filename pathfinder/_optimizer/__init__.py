"""L-BFGS steps of many paths at once, and the drivers that make them: in NumPy, compiled, or jaxopt's.

In: where paths may start, a density, tolerances. Out: where every path is, and its accepted iterates with their pairs.
Uses `_normals` for pairs and diagonals, and `_density`.
"""
