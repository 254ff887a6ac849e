"""One density, evaluated at many points.

The only room that compiles a user's function.
"""
