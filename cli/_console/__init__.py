"""What is printed, and being stopped: progress, the words at the end, signals.

In: reports and results of the engine. Out: lines on stdout and stderr; an exit status after a signal. Uses `_outputs`
to remove files that are not finished.
"""
