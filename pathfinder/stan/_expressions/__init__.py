"""Values of expressions and calls.

In: an expression with the state. Out: its value, an array with the iterations that it has one for. Uses `_library` for
functions and densities, `_demands` to check arguments.
"""
