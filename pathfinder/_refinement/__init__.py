"""Better normals by matching scores, from the best path of each mode on.

In: the approximations of all paths with their ELBOs. Out: a `RefinedLane` for each mode, with its normal and what each
round came to. `rescue` does it a second time, from where the ELBO of independent normals is highest. Uses `_normals`,
`_optimizer` for that ascent, and `_paths` for what it is given.
"""
