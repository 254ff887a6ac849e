"""The state of an evaluation.

Variables, who touches them, what has been added to the target, errors with their place.
"""
