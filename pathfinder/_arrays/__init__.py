"""Arrays and the machines they live on.

Random numbers, safe vectorization, devices, and the namespace (NumPy or JAX) that the algorithms are written in.

Knows no density.
"""
