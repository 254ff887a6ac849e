"""The state of an evaluation: variables, who touches them, what has been added to the target, errors with their place.

In: reads, writes and increments of the iterations at hand. Out: values, conflicts between iterations, the target. Uses
`_values`.
"""
