"""One file for each command: `pathfinder` itself, and `compile`, `check`, `explain` and `summary`.

In: the words or the configuration of the command. Out: what it prints and the files it writes. Uses every room below
and, once the arguments are right, the engine.
"""
