"""Files that a run writes: draws and trajectories as CSV and JSON, the echo of the configuration.

In: results and a configuration. Out: files, each complete or not there at all. Uses `_arguments` for the configuration.
"""
