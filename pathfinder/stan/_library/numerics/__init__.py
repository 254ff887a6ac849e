"""Special functions and numerical methods in JAX, which the functions and the densities of the Stan library share.

In and out: arrays of numbers. The lowest room of the library: uses none of it.
"""
