"""Draws from refined approximations, weighted against the mixture of all normals that they come from.

The mixture holds the refined normal of each mode, the normals of its last rounds, whose draws are paid for, and, where
refinement did not help, the normal that it started from. Where the weights are uneven, normals are added whose moments
are those of the weighted draws (adaptive importance sampling; Cappe, Guillin, Marin and Robert 2004).
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, UInt32

import psis
from pathfinder._arrays.devices import Devices
from pathfinder._arrays.streams import Stream, path_keys
from pathfinder._importance.pool import (
    NoFiniteDrawError,
    PathDraws,
    Pool,
    log_ratios,
    make_pool,
    score_draws,
    score_paths,
)
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.scoring import estimate_elbo
from pathfinder._paths.outcomes import Problem
from pathfinder._refinement.history import Cost
from pathfinder._refinement.refine import NUM_KEPT, RefinedFit
from pathfinder._settings import Settings


MOST_ADAPTED = 3  # rounds of adaptive importance sampling
INFLATION = 1.2  # of the standard deviations of the normals that it adds: proposals should be wider than the target
ENOUGH_OF_WANTED = 0.5  # effective sample size, relative to the number of draws wanted, at which it stops


@dataclass(frozen=True)
class RefinedMode:
    """What refinement made of one mode of the density.

    Args:
        path: The path whose best approximation it started from.
        approximation: The refined normal approximation.
        elbo: Its ELBO, from the returned draws.
        elbo_standard_error: Monte Carlo standard error of that.
        initial_elbo: ELBO of the starting approximation, from the fresh draws of the first round; NaN if there was
            none, and the approximation is the starting one.
        initial_elbo_standard_error: Monte Carlo standard error of that.
        pareto_k: k-hat of the draws of the refined normal against it alone.
        initial_pareto_k: The same for the starting approximation, from the few draws of the first round.
        elbos: ELBO estimates of the normal that each round began with.
        divergences: Per dimension, the mean squared difference of the scores of the density and that normal, in its own
            metric: 0 where they agree.
        num_undone: Rounds that made things worse and were undone.
        num_gradients: Evaluations of the log density with its gradient.
        uses_start: Whether the starting approximation takes part in the mixture: because its ELBO was higher, or by
            the setting `proposal`.
        weight: Share of the importance weight that fell on the draws of this mode.
    """

    path: int
    approximation: LowRankNormal = dataclasses.field(repr=False)
    elbo: float
    elbo_standard_error: float
    initial_elbo: float
    initial_elbo_standard_error: float
    pareto_k: float
    initial_pareto_k: float
    elbos: tuple[float, ...] = dataclasses.field(repr=False)
    divergences: tuple[float, ...] = dataclasses.field(repr=False)
    num_undone: int
    num_gradients: int
    uses_start: bool
    weight: float

    @property
    def num_rounds(self) -> int:
        """Batches of gradients."""
        return len(self.elbos)


@dataclass(frozen=True)
class Refinement:
    """How the approximations of a fit were refined, and what the draws come from.

    Args:
        modes: One for each mode that the paths found.
        num_adapted: Rounds of adaptive importance sampling.
        pareto_k_before: k-hat before these.
        effective_sample_size_before: Effective sample size before these.
        num_densities: Evaluations of the log density alone, for draws and to tell modes apart.
    """

    modes: tuple[RefinedMode, ...]
    num_adapted: int
    pareto_k_before: float
    effective_sample_size_before: float
    num_densities: int

    @property
    def num_gradients(self) -> int:
        """Evaluations of the log density with its gradient."""
        return sum(mode.num_gradients for mode in self.modes)


class NoRefinedDrawError(NoFiniteDrawError):
    """No draw of a refined approximation has a usable importance ratio.

    Args:
        message: What happened.
        num_densities: Evaluations of the log density that told so.
    """

    def __init__(self, message: str, num_densities: int):
        super().__init__(message)
        self.num_densities = num_densities


class FitPool(NamedTuple):
    """The weighted draws of one fit.

    Args:
        pool: The draws.
        source: Where they come from.
        refinement: What was refined; None if they are those of the paths.
        cost: Of the refinement, also of one that came to nothing.
    """

    pool: Pool
    source: PathDraws
    refinement: Refinement | None
    cost: Cost


class _Components:
    """The normals of the mixture, with the log densities at their draws; room for a fixed number of them.

    A fixed number, because each new one would compile everything again.
    """

    def __init__(
        self,
        problem: Problem,
        keys: UInt32[Array, "room 2"],
        placeholder: LowRankNormal,
        source: PathDraws,
        devices: Devices,
    ):
        room = len(keys)
        self.problem, self.devices = problem, devices
        self.normals = [placeholder] * room
        self.keys = np.array(keys)
        self.counts = np.zeros(room, np.int64)
        self.modes = np.zeros(room, np.int64)
        self.log_p: list[np.ndarray] = [np.zeros(0)] * room
        self.path_source = source
        self._stacked: PathDraws | None = None
        self.num_densities = 0

    def add(self, component: int, mode: int, normal: LowRankNormal, key: np.ndarray | None = None) -> None:
        """Put a normal in its place, with the key of its draws if it has one of its own."""
        self.normals[component], self.modes[component] = normal, mode
        if key is not None:
            self.keys[component] = key
        self._stacked = None

    @property
    def source(self) -> PathDraws:
        """Where the draws of the components come from."""
        if self._stacked is None:
            stacked = jax.tree_util.tree_map(lambda *leaves: jnp.asarray(np.stack(leaves)), *self.normals)
            keys = jnp.asarray(self.keys)
            self._stacked = dataclasses.replace(
                self.path_source, approximations=stacked, draw_keys=keys, elbo_keys=keys, num_reused=0
            )
        return self._stacked

    def score(self, components: Sequence[int], count: int) -> None:
        """Evaluate the density at draws of some components."""
        lanes = np.repeat(np.asarray(components), count)
        indices = np.tile(np.arange(count), len(components))
        log_p = score_draws(self.problem, self.source, lanes, indices, self.devices, evaluate=True)["log_p"]
        for component, values in zip(components, np.split(log_p, len(components)), strict=True):
            self.log_p[component], self.counts[component] = values, count
        self.num_densities += len(lanes)

    def scored(self) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
        """All draws: component, number and log density of each; log density under its component and the mixture."""
        lanes = np.repeat(np.arange(len(self.counts)), self.counts)
        indices = np.concatenate([np.arange(count) for count in self.counts])
        with np.errstate(divide="ignore"):
            log_weights = np.log(self.counts / self.counts.sum())
        scores = score_draws(
            self.problem, self.source, lanes, indices, self.devices, evaluate=False, log_weights=log_weights
        )
        return (lanes, indices, np.concatenate(self.log_p)), scores["log_q"], scores["log_mixture"]

    def weighted_moments(self, lanes, indices, weights: np.ndarray, present: LowRankNormal) -> LowRankNormal:
        """The normal of the weighted mean and covariance of draws, the latter shrunk towards `present`.

        Draws of a density without end can be so far out that their moments are no covariance in floating point; then
        `present` is all there is to go on with.
        """
        scale, mean = np.asarray(present.scale), np.asarray(present.mean)
        dim = len(mean)
        weights = weights / weights.sum()  # these may be so small that their squares are not
        first, second = np.zeros(dim), np.zeros((dim, dim))
        for rows, positions in self.source.positions(lanes, indices):
            standardized = (positions - mean) / scale
            own = weights[rows]
            first += own @ standardized
            second += (standardized * own[:, None]).T @ standardized
        effective = 1 / np.sum(weights**2)
        prior = dim / (effective + dim)
        core = np.asarray(present.core)
        covariance = (1 - prior) * (second - np.outer(first, first)) + prior * core @ core.T
        try:
            factor = INFLATION * np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            return present
        return LowRankNormal(jnp.asarray(mean + scale * first), jnp.asarray(scale), None, jnp.asarray(factor))


def refined_pool(
    problem: Problem,
    refined: RefinedFit,
    source: PathDraws,
    key: UInt32[Array, " 2"],
    settings: Settings,
    devices: Devices,
) -> tuple[Pool, PathDraws, Refinement]:
    """Draw from the refined normals of one fit, and weigh the draws.

    Args:
        problem: What was fitted; one data set.
        refined: Its refined modes.
        source: Draws of the paths, for the sizes of batches.
        key: Key of the fit.
        settings: Options.
        devices: Where to run.

    Raises:
        NoRefinedDrawError: If the density is not finite at any draw.
    """
    lanes = refined.lanes
    dense = lanes[0].initial.basis is None
    # Room for what a mode can bring, always the same.
    most_adapted = MOST_ADAPTED if dense else 0
    per_mode = 2 + (NUM_KEPT + MOST_ADAPTED if dense else 0)
    keys = path_keys(key, np.arange(per_mode * len(lanes)), Stream.REFINED_DRAWS)
    components = _Components(problem, keys, lanes[0].initial, source, devices)
    finals = [per_mode * mode for mode in range(len(lanes))]
    for mode, lane in enumerate(lanes):
        components.add(finals[mode], mode, lane.approximation)
        components.add(finals[mode] + 1, mode, lane.initial)
        for number, kept in enumerate(lane.kept):
            component = finals[mode] + 2 + number
            components.add(component, mode, kept.normal, kept.key)
            components.log_p[component], components.counts[component] = kept.log_p, len(kept.log_p)
    components.score(finals, settings.num_draws)
    drawn, log_q, log_mixture = components.scored()
    of_final = np.isin(drawn[0], finals)
    own = drawn[2][of_final].reshape(len(finals), -1), log_q[of_final].reshape(len(finals), -1)
    elbo = estimate_elbo(*own)
    initial_error = np.array([lane.initial_elbo_standard_error for lane in lanes])
    error = np.hypot(np.nan_to_num(elbo.standard_error), np.nan_to_num(initial_error))
    better_before = elbo.mean < np.array([lane.initial_elbo for lane in lanes]) - 2 * error
    uses_start = {
        "auto": better_before, "refined": np.zeros_like(better_before), "all": np.ones_like(better_before)
    }[settings.proposal]  # fmt: skip
    if uses_start.any():
        components.score([finals[mode] + 1 for mode in np.flatnonzero(uses_start)], settings.num_draws)
        drawn, log_q, log_mixture = components.scored()
    adapted, before = 0, (np.nan, np.nan)
    while True:
        ratios = log_ratios(drawn[2], log_mixture)
        if not np.any(ratios > -np.inf):
            raise NoRefinedDrawError(
                "The log density is not finite at any draw of any refined approximation, so the draws cannot be "
                "weighted.",
                components.num_densities,
            )
        smoothed = psis.smooth_log_weights(ratios)
        if adapted == 0:
            before = (float(smoothed.pareto_k), float(smoothed.effective_sample_size))
        good = smoothed.pareto_k <= psis.pareto_k_threshold(len(ratios))
        enough = smoothed.effective_sample_size >= ENOUGH_OF_WANTED * settings.num_psis_draws
        if adapted == most_adapted or (good and enough):
            break
        weights = np.exp(smoothed.log_weights)
        new = []
        for mode in range(len(lanes)):
            of_mode = components.modes[drawn[0]] == mode
            if weights[of_mode].sum() > 0:
                component = finals[mode] + per_mode - MOST_ADAPTED + adapted
                rows = np.flatnonzero(of_mode & (weights > 0))
                normal = components.weighted_moments(
                    drawn[0][rows], drawn[1][rows], weights[rows], components.normals[finals[mode]]
                )
                components.add(component, mode, normal)
                new.append(component)
        components.score(new, settings.num_draws)
        drawn, log_q, log_mixture = components.scored()
        adapted += 1
    weights = np.exp(smoothed.log_weights)
    shares = np.bincount(components.modes[drawn[0]], weights=weights, minlength=len(lanes))
    modes = tuple(
        RefinedMode(
            path=lane.path,
            approximation=components.normals[finals[mode]],
            elbo=float(elbo.mean[mode]),
            elbo_standard_error=float(elbo.standard_error[mode]),
            initial_elbo=lane.initial_elbo,
            initial_elbo_standard_error=lane.initial_elbo_standard_error,
            pareto_k=_pareto_k(own[0][mode], own[1][mode]),
            initial_pareto_k=_pareto_k(*lane.first_draws) if lane.first_draws else np.nan,
            elbos=tuple(lane.elbos),
            divergences=tuple(lane.divergences),
            num_undone=lane.num_undone,
            num_gradients=lane.num_gradients,
            uses_start=bool(uses_start[mode]),
            weight=float(shares[mode]),
        )
        for mode, lane in enumerate(lanes)
    )
    paths = np.array([lane.path for lane in lanes])[components.modes[drawn[0]]]
    pool = Pool(
        paths=paths,
        lanes=drawn[0],
        indices=drawn[1],
        log_p=drawn[2],
        log_q=log_q,
        log_proposal=log_mixture,
        log_weights=smoothed.log_weights,
        pareto_k=float(smoothed.pareto_k),
        pareto_k_by_path=np.full(settings.num_paths, np.nan),
        effective_sample_size=float(smoothed.effective_sample_size),
        num_invalid=int(smoothed.num_invalid),
    )
    num_densities = refined.num_densities + components.num_densities
    return pool, components.source, Refinement(modes, adapted, *before, num_densities)


def fit_pool(
    problem: Problem,
    refined: RefinedFit | None,
    source: PathDraws,
    key: UInt32[Array, " 2"],
    succeeded: Bool[np.ndarray, " path"],
    settings: Settings,
    devices: Devices,
) -> FitPool:
    """The weighted draws of one fit: of what was refined, or of its paths if nothing was or no such draw is usable.

    Args:
        problem: What was fitted; one data set.
        refined: Its refined modes, if there are any.
        source: Draws of its paths.
        key: Key of the fit.
        succeeded: Which paths have draws.
        settings: Options.
        devices: Where to run.

    Raises:
        NoFiniteDrawError: If the density is not finite at any draw of the paths either.
    """
    cost = Cost()
    if refined is not None:
        cost = refined.cost
        if cost.num_gradients:
            try:
                pool, refined_source, refinement = refined_pool(problem, refined, source, key, settings, devices)
            except NoRefinedDrawError as error:
                cost = cost._replace(num_densities=cost.num_densities + error.num_densities)
            else:
                return FitPool(pool, refined_source, refinement, cost._replace(num_densities=refinement.num_densities))
    scores = score_paths(problem, source, succeeded, settings, devices)
    return FitPool(make_pool(scores, succeeded, settings), source, None, cost)


def _pareto_k(log_p: np.ndarray, log_q: np.ndarray) -> float:
    ratios = log_ratios(log_p, log_q)
    return float(psis.smooth_log_weights(ratios).pareto_k) if np.any(ratios > -np.inf) else np.inf
