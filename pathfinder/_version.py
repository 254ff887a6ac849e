"""The version of the distribution pathfinder-vi."""

__version__ = "0.1.0"
