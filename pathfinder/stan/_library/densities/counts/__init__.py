"""Counts and categories."""
