"""Files that a run reads."""
