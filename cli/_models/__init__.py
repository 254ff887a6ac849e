"""The kinds of model files."""
