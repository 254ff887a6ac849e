"""Models of other libraries, and what their samplers take: in plain arrays and names.

In goes a model of another library, out come the fields of a `pathfinder.Model`; or positions and an inverse mass matrix
go in, and out come the arguments of a sampler. Libraries are imported within functions.
"""
