"""What Stan demands of the arguments of its functions: sizes, and values that are symmetric, positive, in range.

In: the name of a function. Out: what its arguments have to be. Tables; below the checker, which knows of them, and the
evaluator, which tests them.
"""
