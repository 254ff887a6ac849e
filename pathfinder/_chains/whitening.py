"""The coordinates that chains go in: those in which a normal with the moments of all chains is standard."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.normal import Normal
from pathfinder._refinement.refine import DENSE_LIMIT


STATES_PER_DRAW = 4  # states of a chain that stand for one independent draw


def whitening_of(
    positions: Float[np.ndarray, "iteration chain dim"], modes: Int[np.ndarray, " chain"], present: Normal
) -> Normal:
    """The normal whose moments are those of the states of chains.

    Its covariance is that about the mean of each mode: what lies between modes is not crossed by a trajectory, and
    coordinates as wide as that would have no step that is long and short enough.

    With a full covariance its correlations are shrunk towards zero, as there may be fewer draws than dimensions. Beyond
    `DENSE_LIMIT` dimensions only the scales are new, and the correlations those of the present normal. What would be
    no normal in floating point leaves the present one.

    Args:
        positions: The states.
        modes: The mode that each chain started in.
        present: The normal that they moved in the coordinates of; arrays of NumPy.
    """
    num_iterations, num_chains, dim = positions.shape
    num_draws = num_chains * max(1.0, num_iterations / STATES_PER_DRAW)
    centered = positions.copy()
    trust = num_draws / (num_draws + dim)
    with np.errstate(all="ignore"):
        mean = positions.mean(axis=(0, 1))
        for mode in np.unique(modes):
            own = modes == mode
            centered[:, own] -= positions[:, own].mean(axis=(0, 1))
        points = centered.reshape(-1, dim)
        deviation = np.sqrt(np.mean(points**2, axis=0))
        if isinstance(present, LowRankNormal) and present.basis is None and dim <= DENSE_LIMIT:
            standardized = points / deviation
            correlation = trust * (standardized.T @ standardized / len(points))
            correlation[np.diag_indices(dim)] = 1.0
            following: Normal = LowRankNormal(mean, deviation, None, _cholesky(correlation).astype(mean.dtype))
        else:
            following = present.rescaled(mean, deviation / np.sqrt(present.variance))
    return following if following.is_finite and (deviation > 0).all() else present


def _cholesky(matrix: Float[np.ndarray, "dim dim"]) -> Float[np.ndarray, "dim dim"]:
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)
