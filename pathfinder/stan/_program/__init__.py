"""A program with its data: density, parameters, generated quantities, and the fields of a model.

In: a checked program and data. Out: a `BoundProgram`, functions of an unconstrained vector. Uses every room below.
"""
