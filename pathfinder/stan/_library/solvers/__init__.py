"""Differential and algebraic equations, integrals."""
