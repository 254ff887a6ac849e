"""Statements but for loops: assignments, branches, `print`, truncation.

In: a statement with the state. Out: the state after it. Uses `_expressions` for values.
"""
