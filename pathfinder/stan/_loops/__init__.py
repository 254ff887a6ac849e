"""The ways a loop can run, and what has to be known to choose one: side by side, as a scan, one by one, on the data.

In: a loop with its state. Out: the state after it, and a report of how it ran. Uses `_statements` and `_state`.
"""
