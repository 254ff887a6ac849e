"""How many of the weighted draws are effective for each coordinate."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from pathfinder._arrays.blas_threads import one_blas_thread


@one_blas_thread()
def sizes_by_coordinate(
    parts: Iterable[tuple[np.ndarray, np.ndarray]],
    centre: Float[np.ndarray, " dim"],
    scale: Float[np.ndarray, " dim"],
) -> Float[np.ndarray, " dim"]:
    """Effective sample size of the weighted mean of each coordinate.

    That of the weights alone, 1 / sum w^2, is the one of a function that has nothing to do with them. A coordinate in
    whose tail the large weights are has fewer: var(x) / sum w^2 (x - mean)^2, by the variance of a self-normalized
    estimate (Owen 2013, section 9.2).

    Args:
        parts: Weights of draws, which sum to one over all parts, and the draws.
        centre: A point near them.
        scale: Standard deviations of about their size.
    """
    first, second = np.zeros((2, len(centre))), np.zeros((2, len(centre)))
    size = 0.0
    with np.errstate(all="ignore"):
        for weights, points in parts:
            has_weight = weights > 0  # the others may be infinitely far out
            own = weights[has_weight]
            standardized = (points[has_weight] - centre) / scale
            powers = np.stack([own, own**2])
            first += powers @ standardized
            second += powers @ standardized**2
            size += powers[1].sum()
        mean = first[0]
        variance = second[0] - mean**2
        squared_error = second[1] - 2.0 * mean * first[1] + mean**2 * size
        sizes = variance / squared_error
    # Where all weight is on draws of the same value there is nothing to say beyond the weights.
    return np.where(np.isfinite(sizes) & (sizes > 0), sizes, 1.0 / size)
