"""Stan's mathematical library on JAX arrays: densities, functions, transforms, solvers. Knows no program.

In: arrays. Out: arrays. Its own rooms are in an order, too: densities, solvers and transforms, then functions, then
numerics.
"""
