"""The draws of all paths with their importance weights.

Draws are kept as their log densities and random keys, and made again from the keys when they are wanted: the pool of a
thousand-dimensional model would otherwise take more memory than everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

import psis
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
            they are not known: of the draws of paths, and of so many long draws that making them again would cost more
            than all else.
        weight_power: The power of the weights by which draws are chosen; 1 unless they are unreliable.
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

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def least_effective_sample_size(self) -> float:
        """That of the weights, or of the coordinate with the fewest effective draws if it has fewer."""
        return float(np.append(self.sizes_by_coordinate, self.effective_sample_size).min())

    @property
    def is_reliable(self) -> bool:
        """Whether weighted estimates are, by k-hat and by the least effective sample size."""
        return _is_reliable(self.pareto_k, len(self), self.least_effective_sample_size)

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
    """Whether draws resampled by the weights of a pool are worth about as much as they are many, in all coordinates."""
    wanted = min(settings.num_psis_draws, len(pool))
    enough = pool.effective_sample_size >= ENOUGH_OF_WANTED * wanted
    enough &= pool.least_effective_sample_size >= FEWEST_OF_WANTED * wanted
    return bool(enough and pool.pareto_k <= psis.pareto_k_threshold(len(pool)))


def make_pool(scores: Mapping[str, np.ndarray], succeeded: np.ndarray, settings: Settings) -> Pool:
    """Weigh the draws of the paths of one fit.

    Args:
        scores: From `score_paths`, the rows of this fit.
        succeeded: Which paths have draws.
        settings: Options.

    Raises:
        NoFiniteDrawError: If the density is not finite at any draw.
    """
    paths = np.repeat(np.flatnonzero(succeeded), settings.num_draws)
    indices = np.tile(np.arange(settings.num_draws), int(succeeded.sum()))
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
