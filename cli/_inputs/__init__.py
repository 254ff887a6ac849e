"""Files that a run reads: data, initial values, draws.

In: paths. Out: variables by name, starting points, draws; or an error that names file and line. Uses the readers of the
engine.
"""
