"""Constraining transforms.

In: unconstrained numbers. Out: what a declaration allows, such as a simplex, with the log Jacobian; and the way back.
Uses `functions`.
"""
