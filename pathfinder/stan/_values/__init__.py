"""Values of many iterations at once: contexts, lanes, numbers known at every step, indexing.

Knows no program.
"""
