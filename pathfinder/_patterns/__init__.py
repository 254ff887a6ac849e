"""Which parameters of a density are neighbours: those whose second derivative is not zero by construction.

In: a density. Out: an order of its parameters in which its Hessian is banded with a border, proved by a product with
the Hessian, or the finding that there is none. Uses `_density`.
"""
