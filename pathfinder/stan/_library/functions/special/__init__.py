"""Special functions by series, fractions and integrals."""
