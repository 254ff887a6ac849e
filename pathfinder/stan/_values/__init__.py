"""Values of many iterations at once: contexts, lanes, numbers known at every step, indexing.

In: arrays with the loops that they vary over. Out: parts of them, or them with parts replaced. Knows no program.
"""
