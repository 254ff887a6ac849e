"""Better normals by matching scores, from the best path of each mode on."""
