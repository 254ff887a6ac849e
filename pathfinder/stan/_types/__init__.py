"""Types, and the signatures of Stan's functions."""
