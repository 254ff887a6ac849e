"""Constraining transforms."""
