"""Normal distributions: their factors, how an L-BFGS history makes one, draws from them, and their scores (ELBO).

In: positions, gradients and pairs of differences; keys. Out: `LowRankNormal`, draws with log densities, ELBO estimates.
Uses `_arrays`, and knows no path.
"""
