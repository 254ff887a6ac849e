"""Vectors, matrices, sequences, linear models."""
