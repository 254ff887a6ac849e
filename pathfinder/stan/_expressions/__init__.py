"""Values of expressions and calls."""
