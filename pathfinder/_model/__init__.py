"""What is being fitted: an unconstrained log density with the variables around it.

In: a function of a pytree of parameters, or a Stan program, with data and constraints. Out: a `Model`. Uses `_arrays`,
and `stan` when a program is given.
"""
