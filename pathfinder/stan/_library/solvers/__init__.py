"""Differential and algebraic equations, integrals.

In: a function of JAX arrays, where to begin, tolerances. Out: solutions with their derivatives. Uses packages of the
extra `stan` for stiff and algebraic equations, imported when they are needed.
"""
