"""From a start to the best approximation along a path.

Line search, direction, step, and the drivers that move many paths together. In: a density and where paths may start.
Out: `PathOutcomes`, with the approximation of highest ELBO of each path. Uses `_normals` to make and score
approximations.
"""
