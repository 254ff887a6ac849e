"""Better normals by matching scores, from the best path of each mode on.

In: the approximations of all paths with their ELBOs. Out: a `RefinedLane` for each mode, with its normal and what each
round came to. Uses `_normals`, and `_paths` for what it is given.
"""
