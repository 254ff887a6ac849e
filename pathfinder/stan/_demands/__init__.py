"""What Stan demands of the arguments of its functions: sizes, and values that are symmetric, positive, in range.

Tables; below the checker, which knows of them, and the evaluator, which tests them.
"""
