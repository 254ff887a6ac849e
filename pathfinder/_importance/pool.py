"""The draws of all paths with their importance weights.

Draws are kept as their log densities and random keys, and made again from the keys when they are wanted: the pool of a
thousand-dimensional model would otherwise take more memory than everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int

import psis
from pathfinder._importance.coordinate_sizes import MOST_NUMBERS, coordinate_sizes
from pathfinder._importance.path_draws import DrawSource
from pathfinder._importance.tempering import raised, tempered
from pathfinder._settings import Settings


SMOOTHED_AT_ONCE = 64  # vectors of ratios
# Effective sample sizes, relative to the number of draws wanted, at which weights will do: of the weights themselves,
# and of the coordinate with the fewest. Proposals are adapted until that has more: a little less costs no chains.
ENOUGH_OF_WANTED = 0.5
FEWEST_OF_WANTED = 0.25
ADAPTED_OF_WANTED = 1 / 3


class NoFiniteDrawError(ValueError):
    """No draw has a usable importance ratio."""


@dataclass(frozen=True)
class Pool:
    """All draws of the paths of one fit that succeeded, path by path.

    Args:
        paths: Path of each draw.
        lanes: Lane of the source that it comes from; the path, unless approximations were refined.
        indices: Its number within the lane.
        log_p: Log density of the model; NaN if it was not evaluated.
        log_q: Log density of the approximation of its own path.
        log_proposal: Log density of the proposal that the importance weights use.
        log_weights: Pareto-smoothed log importance weights that sum to one; all equal if there are no densities.
        pareto_k: Shape of the tail of the weights; NaN without densities.
        pareto_k_by_path: The same for the draws of each path against its own approximation; NaN for failed paths.
        effective_sample_size: Of importance-weighted means.
        num_invalid: Draws whose density is not finite, which have weight zero.
        sizes_by_coordinate: Effective sample sizes of the weighted mean of each unconstrained coordinate; empty where
            they are not known: of the draws of paths, until they are judged (`with_sizes`), and of so many long draws
            that making them again would cost more than all else.
        weight_power: The power of the weights by which draws are chosen; 1 unless they are unreliable.
        tail_sizes_by_coordinate: The same as `sizes_by_coordinate` of the probability of the lower or of the upper
            twentieth part, whichever has fewer.
    """

    paths: Int[np.ndarray, " draw"]
    lanes: Int[np.ndarray, " draw"]
    indices: Int[np.ndarray, " draw"]
    log_p: Float[np.ndarray, " draw"]
    log_q: Float[np.ndarray, " draw"]
    log_proposal: Float[np.ndarray, " draw"]
    log_weights: Float[np.ndarray, " draw"]
    pareto_k: float
    pareto_k_by_path: Float[np.ndarray, " path"]
    effective_sample_size: float
    num_invalid: int
    sizes_by_coordinate: Float[np.ndarray, " dim"] = field(default_factory=lambda: np.zeros(0))
    weight_power: float = 1.0
    tail_sizes_by_coordinate: Float[np.ndarray, " dim"] = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def least_effective_sample_size(self) -> float:
        """That of the weights, or of the coordinate with the fewest effective draws if it has fewer."""
        return float(np.append(self.sizes_by_coordinate, self.effective_sample_size).min())

    @property
    def least_tail_size(self) -> float:
        """Effective sample size of the tail with the fewest effective draws; infinite where it is not known."""
        return float(self.tail_sizes_by_coordinate.min(initial=np.inf))

    @property
    def is_reliable(self) -> bool:
        """Whether weighted estimates are, by k-hat and by the least effective sample sizes of means and of tails."""
        least = min(self.least_effective_sample_size, self.least_tail_size)
        return _is_reliable(self.pareto_k, len(self), least)

    @property
    def choice_log_weights(self) -> Float[np.ndarray, " draw"]:
        """Normalized log weights by which draws are chosen."""
        return self.log_weights if self.weight_power == 1.0 else raised(self.log_weights, self.weight_power)


def _is_reliable(pareto_k: float, num_draws: int, size: float) -> bool:
    return bool(pareto_k <= psis.pareto_k_threshold(num_draws) and size >= psis.MIN_EFFECTIVE_SAMPLE_SIZE)


def choice_power(smoothed: psis.PSISResult, least_size: float, settings: Settings) -> float:
    """The power of weights by which draws are chosen: 1 if estimates by the weights are reliable.

    Otherwise a few draws have nearly all of the weight, and those that are chosen by it are hardly more than these few:
    farther from the posterior than the proposal is. Then as many are to be effective as draws are worth of which the
    weights will do, by the largest power at which they are.

    Args:
        smoothed: The weights.
        least_size: Effective sample size of the weights, or of the coordinate with the fewest effective draws.
        settings: Options.
    """
    size = len(smoothed.log_weights)
    if not settings.tempers or _is_reliable(float(smoothed.pareto_k), size, least_size):
        return 1.0
    return tempered(smoothed.log_weights, ENOUGH_OF_WANTED * min(settings.num_psis_draws, size))[0]


def weights_will_do(pool: Pool, settings: Settings) -> bool:
    """Whether draws resampled by the weights of a pool are worth about as much as they are many, in all coordinates.

    However few are wanted, no fewer may be effective than are reliable, or a good part of a pool that has not so many.
    """
    wanted, size = min(settings.num_psis_draws, len(pool)), len(pool)
    enough = pool.effective_sample_size >= max(ENOUGH_OF_WANTED * wanted, least_reliable(size, ENOUGH_OF_WANTED))
    fewest = least_reliable(size, FEWEST_OF_WANTED)
    enough &= pool.least_effective_sample_size >= max(FEWEST_OF_WANTED * wanted, fewest)
    return bool(enough and pool.least_tail_size >= fewest and pool.pareto_k <= psis.pareto_k_threshold(size))


def least_reliable(num_draws: int, part: float) -> float:
    """The effective sample size from which on estimates are reliable, or that part of draws that are not so many."""
    return min(float(psis.MIN_EFFECTIVE_SAMPLE_SIZE), part * num_draws)


def make_pool(scores: Mapping[str, np.ndarray], succeeded: np.ndarray, settings: Settings) -> Pool:
    """Weigh the draws of the paths of one fit.

    Args:
        scores: From `score_paths`, the rows of this fit.
        succeeded: Which paths have draws.
        settings: Options.

    Raises:
        NoFiniteDrawError: If the density is not finite at any draw.
    """
    num_draws = scores["log_p"].shape[1]
    paths = np.repeat(np.flatnonzero(succeeded), num_draws)
    indices = np.tile(np.arange(num_draws), int(succeeded.sum()))
    log_p, log_q, log_mixture = (scores[name][succeeded].ravel() for name in ("log_p", "log_q", "log_mixture"))
    log_proposal = log_mixture if settings.weights == "mixture" else log_q
    by_path = np.full(len(succeeded), np.nan)
    size = len(paths)
    if not settings.calculate_lp:
        equal = np.full(size, -np.log(size))
        return Pool(paths, paths, indices, log_p, log_q, log_proposal, equal, np.nan, by_path, np.nan, 0)
    ratios = log_ratios(log_p, log_proposal)
    if not np.any(ratios > -np.inf):
        raise NoFiniteDrawError(
            "The log density is not finite at any draw of any approximation, so the draws cannot be weighted."
        )
    smoothed = psis.smooth_log_weights(ratios)
    power = choice_power(smoothed, float(smoothed.effective_sample_size), settings)
    own_ratios = log_ratios(scores["log_p"][succeeded], scores["log_q"][succeeded])
    usable = np.any(own_ratios > -np.inf, axis=1)
    own_k = np.full(len(own_ratios), np.inf)
    if usable.any():
        own_k[usable] = psis.smooth_log_weights(own_ratios[usable]).pareto_k
    by_path[succeeded] = own_k
    return Pool(
        paths, paths, indices, log_p, log_q, log_proposal, smoothed.log_weights, float(smoothed.pareto_k), by_path,
        float(smoothed.effective_sample_size), int(smoothed.num_invalid), weight_power=power,
    )  # fmt: skip


def with_sizes(pool: Pool, source: DrawSource) -> Pool:
    """A pool with its sizes by coordinate, for those who judge it; itself if they are known, or draws are too long.

    Of draws of paths they are not known before: these have to be made again for them, which takes a third as long as
    all else in a fit of a small model. Nor are they where the fit was ended before its proposal had been adapted.

    Args:
        pool: A pool.
        source: Where its draws come from.
    """
    if pool.sizes_by_coordinate.size or np.isnan(pool.pareto_k) or len(pool) * source.dim > MOST_NUMBERS:
        return pool
    weights = np.exp(pool.log_weights)
    parts = [(weights[rows], points) for rows, points in source.positions(pool.lanes, pool.indices)]
    best = source.approximation_of(pool.lanes[int(np.argmax(weights))])
    centre, scale = (np.asarray(own, np.float64) for own in (best.mean, best.scale))
    sizes = coordinate_sizes(parts, centre, scale)
    return replace(pool, sizes_by_coordinate=sizes.of_means, tail_sizes_by_coordinate=sizes.of_tails)


def log_ratios(log_p: Float[np.ndarray, "*draws"], log_proposal: Float[np.ndarray, "*draws"]) -> np.ndarray:
    """Log importance ratios; -inf where the density is not finite (also +inf: an overflow, not evidence)."""
    usable = np.isfinite(log_p) & np.isfinite(log_proposal)
    return np.where(usable, np.where(usable, log_p, 0.0) - np.where(usable, log_proposal, 0.0), -np.inf)


def smoothed_together(ratios: Sequence[np.ndarray]) -> list[psis.PSISResult | None]:
    """Smoothed weights of the log ratios of each of many vectors; None where no ratio is usable."""
    smoothed: list[psis.PSISResult | None] = [None] * len(ratios)
    by_length: dict[int, list[int]] = {}
    for place, own in enumerate(ratios):
        if np.any(own > -np.inf):
            by_length.setdefault(len(own), []).append(place)
    for places in by_length.values():
        for first in range(0, len(places), SMOOTHED_AT_ONCE):
            part = places[first : first + SMOOTHED_AT_ONCE]
            together = psis.smooth_log_weights(np.stack([ratios[place] for place in part]))
            for row, place in enumerate(part):
                smoothed[place] = psis.PSISResult(*[np.asarray(column[row]) for column in together])
    return smoothed
