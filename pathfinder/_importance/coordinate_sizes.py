"""How many of the weighted draws are effective for each coordinate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pathfinder._arrays.blas_threads import one_blas_thread


MOST_NUMBERS = 2**24  # of draws that are made again to find how many are effective for each coordinate
TAIL_DRAWS = 400  # draws by the weights, whose order says where tails begin
IN_TAIL = 20  # of these
NUMBERS_AT_ONCE = 2**16  # of the draws that are gone through together, which stay in the cache meanwhile

Part = tuple[np.ndarray, np.ndarray]  # weights of some draws, and these (draw dim)


class CoordinateSizes(NamedTuple):
    """Effective sample sizes for each coordinate; empty where they are not known.

    Args:
        of_means: Of the weighted mean.
        of_tails: Of the weighted probability of the lower or of the upper tail, whichever has fewer.
    """

    of_means: Float[np.ndarray, " dim"] = np.zeros(0)
    of_tails: Float[np.ndarray, " dim"] = np.zeros(0)


def coordinate_sizes(
    parts: Sequence[Part], centre: Float[np.ndarray, " dim"], scale: Float[np.ndarray, " dim"]
) -> CoordinateSizes:
    """Effective sample sizes of the means and of the tails of all coordinates.

    Args:
        parts: Weights of draws, which sum to one over all parts, and the draws.
        centre: A point near them.
        scale: Standard deviations of about their size.
    """
    blocks = _in_blocks(parts)
    return CoordinateSizes(sizes_by_coordinate(blocks, centre, scale), tail_sizes_by_coordinate(blocks))


@one_blas_thread()
def sizes_by_coordinate(
    parts: Iterable[Part], centre: Float[np.ndarray, " dim"], scale: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, " dim"]:
    """Effective sample size of the weighted mean of each coordinate.

    That of the weights alone, 1 / sum w^2, is the one of a function that has nothing to do with them. A coordinate in
    whose tail the large weights are has fewer: var(x) / sum w^2 (x - mean)^2, by the variance of a self-normalized
    estimate (Owen 2013, section 9.2).

    Args:
        parts: As of `coordinate_sizes`.
        centre: As there.
        scale: As there.
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
        return _usable(variance / squared_error, size)


@one_blas_thread()
def tail_sizes_by_coordinate(parts: Sequence[Part]) -> Float[np.ndarray, " dim"]:
    """Effective sample size of the weighted probability of each tail of a coordinate, the lesser of the two.

    Tails are the twentieth part on either side, as Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021) judge chains
    by. Where a proposal hardly reaches, the few draws there have large weights, which shows in the size of the tail
    long before it does in that of the mean. The size is that of `sizes_by_coordinate` for a variable that is 1 in the
    tail and 0 elsewhere. Where tails begin is known from draws by the weights: to order all takes longer than to make
    them.

    Args:
        parts: As of `coordinate_sizes`.
    """
    weights = np.concatenate([own for own, _ in parts])
    below = np.cumsum(weights)
    places = np.searchsorted(below, (np.arange(TAIL_DRAWS) + 0.5) / TAIL_DRAWS * below[-1])
    begins = np.cumsum([0, *(len(own) for own, _ in parts[:-1])])
    chosen = np.split(places, np.searchsorted(places, begins[1:]))
    drawn = [points[own - begin] for (_, points), own, begin in zip(parts, chosen, begins, strict=True)]
    ordered = np.sort(np.concatenate(drawn), axis=0)
    low, high = ordered[IN_TAIL - 1], ordered[-IN_TAIL]
    size = float(weights @ weights)
    tails = np.zeros((2, 2, len(low)))  # sums of weights and of their squares in the lower and in the upper tail
    for own, points in parts:
        powers = np.stack([own, own**2])
        tails[0] += powers @ (points <= low).astype(own.dtype)
        tails[1] += powers @ (points >= high).astype(own.dtype)
    mass, squares = tails[:, 0], tails[:, 1]
    with np.errstate(all="ignore"):
        sizes = mass * (1.0 - mass) / (squares * (1.0 - 2.0 * mass) + mass**2 * size)
    return _usable(sizes, size).min(axis=0)


def _in_blocks(parts: Sequence[Part]) -> list[Part]:
    """The same draws in the same order, in parts of no more than `NUMBERS_AT_ONCE`."""
    blocks = []
    for weights, points in parts:
        size = max(1, NUMBERS_AT_ONCE // points.shape[1])
        rows = [slice(first, first + size) for first in range(0, len(weights), size)]
        blocks += [(weights[own], points[own]) for own in rows]
    return blocks


def _usable(sizes: np.ndarray, squares: float) -> np.ndarray:
    """Sizes, where there is nothing to say beyond the weights those of these: where all have the same value."""
    return np.where(np.isfinite(sizes) & (sizes > 0), sizes, 1.0 / squares)
