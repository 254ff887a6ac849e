"""The ways a loop can run, and what has to be known to choose one."""
