"""Models of other libraries, and what their samplers take: in plain arrays and names.

In goes a model of another library, out come the fields of a `pathfinder.Model`. Libraries are imported within
functions.
"""
