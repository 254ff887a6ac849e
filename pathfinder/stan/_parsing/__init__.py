"""From text to tree: tokens, expressions, statements, programs.

In: a text, and how to get those it includes. Out: a `Program`, or a syntax error with its place. Uses `_syntax`.
"""
