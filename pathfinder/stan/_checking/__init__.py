"""From tree to checked program: every name known, every expression typed."""
