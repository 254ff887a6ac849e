"""Special functions by series, fractions and integrals.

In: numbers, element by element. Out: values whose derivatives are right, too. Uses `numerics`.
"""
