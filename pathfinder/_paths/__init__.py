"""From a start to the best approximation along a path.

Line search, direction, step, and the drivers that move many paths.
"""
