"""Covariances that are plain matrices: everything from one Cholesky factor, with derivatives that need no other.

In: a covariance matrix and vectors. Out: log densities, quadratic forms, solutions and factors, in JAX; for one matrix.
"""
