"""From tree to checked program: every name known, every expression typed.

In: a tree. Out: a `CheckedProgram`, or an error with its place. Uses `_types` for signatures.
"""
