"""The kinds of model files: Python files and Stan programs.

In: the path of a model file and of its data. Out: a model of the engine, and what the file declares. Uses `_inputs` for
data and initial values.
"""
