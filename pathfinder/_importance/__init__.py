"""Draws with their importance weights: where they come from, what they score, how they are weighted and adapted.

In: the approximations of paths, or refined ones. Out: a `Pool` of log densities and smoothed weights, and the source
that makes the draws again from their keys. Uses `_normals` for mixtures and scores, and `psis` for weights.
"""
