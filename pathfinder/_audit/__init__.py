"""What the compiled value and gradient of a log density spend on linear algebra, and what would help.

In: a model or a log density with an example. Out: a table of its factorizations, solves and inverses. Uses `_model` and
`_density` for the density, and `gaussian` for what could be used in its place.
"""
