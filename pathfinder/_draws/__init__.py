"""What the returned draws of a fit are: where they come from, values by name, tables, whether to trust them.

In: a pool of weighted draws or the states of chains, and the numbers of those that are returned. Out: arrays by name,
diagnostics of every scalar, a verdict in words. Uses `_chains` and `_importance` for draws that are made again, and
`_model` for their names.
"""
