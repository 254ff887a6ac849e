"""Continuous families of numbers."""
