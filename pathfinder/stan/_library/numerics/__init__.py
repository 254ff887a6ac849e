"""Special functions and numerical methods in JAX, which the functions and the densities of the Stan library share."""
