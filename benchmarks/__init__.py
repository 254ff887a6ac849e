"""Pathfinder side by side with its peers, on posteriors with reference draws."""
