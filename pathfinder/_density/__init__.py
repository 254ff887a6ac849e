"""One density, evaluated at many points.

In: a density with its data, for one fit or many. Out: its values, and how many points go into a batch. Uses `_arrays`
for devices.
"""
