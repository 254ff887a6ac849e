"""Types, and the signatures of Stan's functions.

In: the name of a function and types of arguments. Out: the type of its value, or why there is none. Uses `_syntax` for
declarations.
"""
