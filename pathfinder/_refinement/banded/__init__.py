"""Refinement of densities whose parameters are neighbours in a band, but for a border that may touch all.

In: a density, its pattern and where to begin. Out: a normal with a banded precision, or many of them, one for each
value of the border, whose mixture follows scales that a single normal cannot. The algebra runs on the host in double
precision, as it is small beside the density.
"""
