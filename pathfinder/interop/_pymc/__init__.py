"""The parts of PyMC models that `pathfinder.interop.pymc` puts together.

In: a PyMC model. Out: its graphs as JAX functions of a vector and data, points, and predictions by PyMC.
"""
