"""Refinement: normals that match the scores of the density, from the best path of each mode on.

A few hundred gradients at draws of the present approximation correct what five pairs of an L-BFGS path cannot know.
Each round draws a batch, evaluates the density with its gradient, and matches (`_score_matching`): first boldly, until
a round changes little, then with steps that average over the remaining rounds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt32

from pathfinder._linalg import LowRankNormal, dense_form
from pathfinder._modes import distinct_modes
from pathfinder._paths import Interrupt, PathOutcomes, Problem
from pathfinder._refine_low_rank import low_rank_form, refine_low_rank
from pathfinder._refined_lane import KeptRound, RefinedLane
from pathfinder._score_matching import match_scores, usable_draws
from pathfinder._scoring import ScoredDraws, estimate_elbo
from pathfinder._settings import Settings
from pathfinder._streams import Stream, counted_keys, draw_keys, normal, path_keys


DENSE_LIMIT = 200  # dimensions up to which the covariance is a full matrix
BOLD_WEIGHT = 10.0  # times the batch size, before averaging
NUM_AVERAGED = 5
NUM_KEPT = NUM_AVERAGED + 1  # newest rounds whose draws are kept
# A round that changes no variance by more than a factor of 4, and the mean by less than a standard deviation per
# dimension, is the last one that is taken alone.
SETTLED_LOG_CHANGE = 2 * np.log(2.0)
SETTLED_SQUARED_SHIFT = 1.0
MATCHED_DIVERGENCE = 0.02  # of the scores, at which a normal is as good as it gets
USEFUL_DIVERGENCE = 0.1  # at which the draws of a round are worth keeping
MOST_UNDONE = 3
LANES_PER_BATCH = 64


class Round(NamedTuple):
    """One round of several lanes."""

    scored: ScoredDraws
    updated: LowRankNormal
    log_change: Float[Array, " lane"]
    squared_shift: Float[Array, " lane"]  # per dimension
    divergence: Float[Array, " lane"]


@partial(jax.jit, static_argnames=("density", "batched"))
def refine_round(
    normals: LowRankNormal,
    keys: UInt32[Array, "lane draw 2"],
    weights: Float[Array, " lane"],
    fits: Int[Array, " lane"],
    data: Any,
    *,
    density: Callable[[Array, Any], Array],
    batched: bool,
) -> Round:
    """Draw a batch from every lane's normal, evaluate density and gradient, and match the scores.

    Args:
        normals: One per lane, without a basis.
        keys: Keys of the draws.
        weights: How much each batch counts, as in `match_scores`.
        fits: Which entry of the leading axis of `data` each lane is about, if `batched`.
        data: Data of the density.
        density: `density(position, data)`.
        batched: Whether `data` has a leading axis of fits.
    """

    def lane(present: LowRankNormal, lane_keys, weight, fit):
        own = jax.tree_util.tree_map(lambda leaf: leaf[fit], data) if batched else data
        noise = jax.vmap(lambda key: normal(key, present.dim, present.mean.dtype))(lane_keys)
        draws = jax.vmap(present.transform)(noise)
        log_p, gradients = jax.vmap(jax.value_and_grad(density), in_axes=(0, None))(draws, own)
        usable = usable_draws(log_p, gradients)
        scores = jax.vmap(present.noise_gradient)(jnp.where(usable[:, None], gradients, 0.0))
        match = match_scores(noise, scores, usable, weight)
        updated = LowRankNormal(present.transform(match.mean), present.scale, None, present.core @ match.factor)
        scored = ScoredDraws(draws, log_p, jax.vmap(present.log_density_of_noise)(noise))
        return Round(scored, updated, match.log_change, jnp.mean(match.mean**2), match.divergence)

    return jax.vmap(lane)(normals, keys, weights, fits)


def batch_size(dim: int) -> int:
    """Draws of one round: more than dimensions where that is cheap."""
    return int(np.clip(2 * dim, 32, 128))


@dataclass
class _Progress:
    """Of all lanes of one batch."""

    num_averaged: Int[np.ndarray, " lane"]
    ceiling: Float[np.ndarray, " lane"]  # of the weight
    done: Bool[np.ndarray, " lane"]


def refine(
    problem: Problem,
    starts: LowRankNormal,
    lanes: Int[np.ndarray, " lane"],
    keys: UInt32[Array, "lane 2"],
    fits: Int[np.ndarray, " lane"],
    max_rounds: int,
    *,
    check: Callable[[], None] = lambda: None,
) -> list[RefinedLane]:
    """Refine approximations, each on its own.

    Args:
        problem: What to fit.
        starts: Starting approximations, on the leading axis.
        lanes: What to call them in the results.
        keys: Key of each lane.
        fits: The fit that each is about.
        max_rounds: Most rounds of each.
        check: Called between rounds; ends all by raising `Interrupt`, with what they have come to.
    """
    if problem.dim > DENSE_LIMIT:
        return _refine_one_by_one(problem, starts, lanes, keys, fits, max_rounds, check)
    most = min(LANES_PER_BATCH, len(lanes)) if problem.batched else 1
    refined = []
    for first in range(0, len(lanes), most):
        rows = np.minimum(np.arange(first, first + most), len(lanes) - 1)
        normals = refinable(jax.tree_util.tree_map(lambda leaf, own=rows: leaf[own], starts))
        used = [RefinedLane(int(lane)) for lane in lanes[first : first + most]]
        _refine_batch(problem, normals, used, keys[rows], fits[rows], max_rounds, check)
        refined += used
    return refined


def _refine_one_by_one(problem: Problem, starts, lanes, keys, fits, max_rounds: int, check) -> list[RefinedLane]:
    refined = []
    for row, lane in enumerate(lanes):
        data = problem.data
        if problem.batched:
            data = jax.tree_util.tree_map(lambda leaf, fit=fits[row]: leaf[fit], data)
        start = jax.tree_util.tree_map(lambda leaf, i=row: leaf[i], starts)
        refined.append(RefinedLane(int(lane)))
        refine_low_rank(problem, low_rank_form(start), refined[-1], keys[row], data, max_rounds, check)
    return refined


@jax.jit
def refinable(normals: LowRankNormal) -> LowRankNormal:
    """The same distributions, on the leading axis, in the form that refinement keeps."""
    dense = normals.mean.shape[-1] <= DENSE_LIMIT
    return jax.vmap(dense_form if dense else low_rank_form)(normals)


def _refine_batch(problem, normals, used: list[RefinedLane], keys, fits, max_rounds: int, check) -> None:
    size, count = len(fits), batch_size(problem.dim)
    progress = _Progress(np.zeros(size, np.int64), np.full(size, BOLD_WEIGHT * count), np.arange(size) >= len(used))
    present = accepted = jax.tree_util.tree_map(np.asarray, normals)
    accepted_elbo, accepted_error = np.full(size, -np.inf), np.zeros(size)
    try:
        for number in range(max_rounds):
            if progress.done.all():
                break
            check()
            weights = np.where(
                progress.num_averaged == 0, progress.ceiling, count / np.maximum(progress.num_averaged, 1)
            )
            round_keys = counted_keys(keys, np.full(size, number))
            outcome = refine_round(
                present, draw_keys(round_keys, count), weights.astype(problem.dtype), fits, problem.data,
                density=problem.density, batched=problem.batched,
            )  # fmt: skip
            outcome = jax.tree_util.tree_map(np.asarray, outcome)
            elbo = estimate_elbo(outcome.scored.log_p, outcome.scored.log_q)
            for lane, report in enumerate(used):
                if not progress.done[lane]:
                    own = jax.tree_util.tree_map(lambda leaf, i=lane: leaf[i], outcome)
                    report.note(
                        float(elbo.mean[lane]), float(elbo.standard_error[lane]), float(own.divergence), count,
                        own.scored.log_p, own.scored.log_q,
                    )  # fmt: skip
            slack = 3 * np.hypot(np.nan_to_num(elbo.standard_error), accepted_error) + problem.dim
            worse = (elbo.mean < accepted_elbo - slack) | ~_is_finite(outcome.updated)
            undone = np.array([report.num_undone for report in used] + [MOST_UNDONE] * (size - len(used)))
            worse &= (number > 0) & ~progress.done
            undo, give_up = worse & (undone < MOST_UNDONE), worse & (undone >= MOST_UNDONE)
            step = ~worse & ~progress.done
            settled = (outcome.log_change < SETTLED_LOG_CHANGE) & (outcome.squared_shift < SETTLED_SQUARED_SHIFT)
            matched = outcome.divergence < MATCHED_DIVERGENCE
            for lane in np.flatnonzero((undo | step)[: len(used)]):
                report = used[lane]
                if undo[lane]:
                    report.num_undone += 1
                elif progress.num_averaged[lane] > 0 or outcome.divergence[lane] < USEFUL_DIVERGENCE:
                    own = jax.tree_util.tree_map(lambda leaf, i=lane: leaf[i], (present, outcome.scored.log_p))
                    report.kept.append(KeptRound(own[0], np.asarray(round_keys[lane]), own[1]))
                    del report.kept[:-NUM_KEPT]
            progress.ceiling = np.where(undo, progress.ceiling / 16, progress.ceiling)
            progress.num_averaged += step & ((progress.num_averaged > 0) | settled)
            progress.done = progress.done | give_up | (step & ((progress.num_averaged > NUM_AVERAGED) | matched))
            accepted_now = _choose(step, present, accepted)
            present = _choose(step, outcome.updated, _choose(worse, accepted, present))
            accepted = accepted_now
            accepted_elbo = np.where(step, elbo.mean, accepted_elbo)
            accepted_error = np.where(step, np.nan_to_num(elbo.standard_error), accepted_error)
    except (Interrupt, KeyboardInterrupt):
        present = accepted
    valid = _is_finite(present)
    present = _choose(valid, present, accepted)
    for lane, report in enumerate(used):
        report.approximation = jax.tree_util.tree_map(lambda leaf, i=lane: leaf[i], present)


def _is_finite(normals: LowRankNormal) -> Bool[np.ndarray, " lane"]:
    leaves = jax.tree_util.tree_leaves(normals)
    return np.all([np.isfinite(leaf).reshape(len(leaf), -1).all(axis=1) for leaf in leaves], axis=0)


def _choose(condition: np.ndarray, one: LowRankNormal, other: LowRankNormal) -> LowRankNormal:
    def choose(a, b):
        return np.where(condition.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    return jax.tree_util.tree_map(choose, one, other)


class RefinedFit(NamedTuple):
    """The refined modes of one fit.

    Args:
        lanes: One for each mode; `start` is the number of the path that it started from.
        starts: The normals that they started from, in the form of the refined ones.
        num_densities: Evaluations of the log density to tell modes apart.
    """

    lanes: list[RefinedLane]
    starts: LowRankNormal
    num_densities: int


def refine_modes(
    problem: Problem,
    outcomes: PathOutcomes,
    keys: UInt32[Array, "fit 2"],
    settings: Settings,
    *,
    check: Callable[[], None] = lambda: None,
) -> list[RefinedFit | None]:
    """Refine the best approximation of each mode of every fit.

    Args:
        problem: What was fitted.
        outcomes: How the paths ended.
        keys: Key of each fit.
        settings: Options.
        check: As for `refine`.

    Returns:
        One entry per fit; None where no path succeeded, or a mode was interrupted before its first round.
    """
    num_fits = problem.num_fits or 1
    elbos = np.where(outcomes.best_iteration >= 0, outcomes.elbo, -np.inf).reshape(num_fits, -1)
    means = outcomes.approximations.mean.reshape(*elbos.shape, -1)
    modes, num_densities = distinct_modes(problem, means, elbos)
    fits = np.array([fit for fit, own in enumerate(modes) for _ in own if np.any(elbos[fit] > -np.inf)])
    paths = np.array([path for fit, own in enumerate(modes) for path in own if np.any(elbos[fit] > -np.inf)])
    if len(fits) == 0:
        return [None] * num_fits
    lanes = fits * elbos.shape[1] + paths
    starts = jax.tree_util.tree_map(lambda leaf: leaf[lanes], outcomes.approximations)
    lane_keys = path_keys(keys[fits], paths, Stream.REFINEMENT)
    refined = refine(problem, starts, paths, lane_keys, fits, settings.max_refine_rounds, check=check)
    forms = jax.tree_util.tree_map(np.asarray, refinable(starts))
    results: list[RefinedFit | None] = []
    for fit in range(num_fits):
        own = np.flatnonzero(fits == fit)
        own_starts = jax.tree_util.tree_map(lambda leaf, rows=own: leaf[rows], forms)
        result = RefinedFit([refined[row] for row in own], own_starts, num_densities // num_fits)
        usable = len(own) and all(lane.elbos for lane in result.lanes)
        results.append(result if usable else None)
    return results
