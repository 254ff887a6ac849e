"""Operators that know their structure, and how log densities, solutions and draws are computed with it.

In: the numbers that a structured matrix is made of. Out: what is asked of the matrix, which is never formed.
"""
