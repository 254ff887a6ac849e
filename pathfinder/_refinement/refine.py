"""Refinement: normals that match the scores of the density, from the best path of each mode on.

A few hundred gradients at draws of the present approximation correct what five pairs of an L-BFGS path cannot know.
Each round draws a batch, evaluates the density with its gradient, and matches (`_score_matching`): first boldly, until
a round changes little, then with steps that average over the remaining rounds.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt32

from pathfinder._arrays.streams import Stream, counted_keys, draw_keys, normal, path_keys
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._normals.low_rank import LowRankNormal, dense_form
from pathfinder._normals.scoring import ScoredDraws, estimate_elbo
from pathfinder._paths.outcomes import Interrupt, PathOutcomes, Problem
from pathfinder._refinement.history import Cost, KeptRound, RefinedLane
from pathfinder._refinement.low_rank_rounds import low_rank_form, refine_low_rank
from pathfinder._refinement.modes import distinct_modes
from pathfinder._refinement.score_matching import match_scores, usable_draws
from pathfinder._settings import Settings


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
# A mode whose ELBO is lower than the highest by more nats than an approximation from pairs can be off is not refined.
NEGLIGIBLE = 10.0
NEGLIGIBLE_PER_DIM = 2.0
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
        log_p, gradients = over_lanes(lambda draw: jax.value_and_grad(density)(draw, own))(draws)
        usable = usable_draws(log_p, gradients)
        scores = jax.vmap(present.noise_gradient)(jnp.where(usable[:, None], gradients, 0.0))
        match = match_scores(noise, scores, usable, weight)
        updated = LowRankNormal(present.transform(match.mean), present.scale, None, present.core @ match.factor)
        scored = ScoredDraws(draws, log_p, jax.vmap(present.log_density_of_noise)(noise))
        return Round(scored, updated, match.log_change, jnp.mean(match.mean**2), match.divergence)

    return over_lanes(lane)(normals, keys, weights, fits)


def batch_size(dim: int) -> int:
    """Draws of one round: more than dimensions where that is cheap."""
    return int(np.clip(2 * dim, 32, 128))


def refine(
    problem: Problem,
    starts: LowRankNormal,
    paths: Int[np.ndarray, " lane"],
    keys: UInt32[Array, "lane 2"],
    fits: Int[np.ndarray, " lane"],
    worthwhile: Bool[np.ndarray, " lane"],
    max_rounds: int,
    *,
    check: Callable[[], None] = lambda: None,
) -> tuple[list[RefinedLane], bool]:
    """Refine approximations, each on its own.

    Args:
        problem: What to fit.
        starts: Starting approximations, on the leading axis.
        paths: The path that each comes from.
        keys: Key of each lane.
        fits: The fit that each is about.
        worthwhile: Which ones to refine; the others are left as they are.
        max_rounds: Most rounds of each.
        check: Called between rounds; ends all by raising `Interrupt`, with what they have come to.

    Returns:
        The lanes, and whether they were ended early.
    """
    most = min(LANES_PER_BATCH, len(paths)) if problem.batched and problem.dim <= DENSE_LIMIT else 1
    lanes = []
    for used, rows in _batches(np.arange(len(paths)), most):
        normals = _on_host(refinable(jax.tree_util.tree_map(lambda leaf, own=rows: leaf[own], starts)))
        for place, row in enumerate(used):
            normal = jax.tree_util.tree_map(lambda leaf, i=place: leaf[i], normals)
            lanes.append(RefinedLane(int(paths[row]), normal, normal))
    try:
        for used, rows in _batches(np.flatnonzero(worthwhile), most):
            own = [lanes[row] for row in used]
            if problem.dim <= DENSE_LIMIT:
                _refine_batch(problem, own, keys[rows], fits[rows], max_rounds, check)
            else:
                data = problem.data
                if problem.batched:
                    data = jax.tree_util.tree_map(lambda leaf, fit=fits[rows[0]]: leaf[fit], data)
                refine_low_rank(problem, own[0], keys[rows[0]], data, max_rounds, check)
    except (Interrupt, KeyboardInterrupt):
        return lanes, True
    return lanes, False


def _batches(rows: Int[np.ndarray, " row"], size: int):
    """Parts of at most `size` rows, and the same filled up to that size by repeating the last."""
    for first in range(0, len(rows), size):
        yield rows[first : first + size], rows[np.minimum(np.arange(first, first + size), len(rows) - 1)]


@jax.jit
def refinable(normals: LowRankNormal) -> LowRankNormal:
    """The same distributions, on the leading axis, in the form that refinement keeps."""
    dense = normals.mean.shape[-1] <= DENSE_LIMIT
    return over_lanes(dense_form if dense else low_rank_form)(normals)


def _refine_batch(problem: Problem, used: list[RefinedLane], keys, fits, max_rounds: int, check) -> None:
    """Refine lanes together; they are filled in, also when an interrupt ends the rounds."""
    size, count = len(fits), batch_size(problem.dim)
    filled = used + used[-1:] * (size - len(used))
    present = jax.tree_util.tree_map(lambda *leaves: np.stack(leaves), *[lane.initial for lane in filled])
    accepted, accepted_elbo, accepted_error = present, np.full(size, -np.inf), np.zeros(size)
    num_averaged, highest_weight = np.zeros(size, np.int64), np.full(size, BOLD_WEIGHT * count)
    done = np.arange(size) >= len(used)
    try:
        for number in range(max_rounds):
            if done.all():
                break
            check()
            weights = np.where(num_averaged == 0, highest_weight, count / np.maximum(num_averaged, 1))
            round_keys = counted_keys(keys, np.full(size, number))
            outcome = refine_round(
                present, draw_keys(round_keys, count), weights.astype(problem.dtype), fits, problem.data,
                density=problem.density, batched=problem.batched,
            )  # fmt: skip
            outcome = _on_host(outcome)
            elbo = estimate_elbo(outcome.scored.log_p, outcome.scored.log_q)
            for lane, report in enumerate(used):
                if not done[lane]:
                    own = jax.tree_util.tree_map(lambda leaf, i=lane: leaf[i], outcome)
                    report.note(
                        float(elbo.mean[lane]), float(elbo.standard_error[lane]), float(own.divergence), count,
                        own.scored.log_p, own.scored.log_q,
                    )  # fmt: skip
            slack = 3 * np.hypot(np.nan_to_num(elbo.standard_error), accepted_error) + problem.dim
            worse = (elbo.mean < accepted_elbo - slack) | ~_is_finite(outcome.updated)
            undone = np.array([report.num_undone for report in used] + [MOST_UNDONE] * (size - len(used)))
            worse &= (number > 0) & ~done
            undo, give_up = worse & (undone < MOST_UNDONE), worse & (undone >= MOST_UNDONE)
            step = ~worse & ~done
            settled = (outcome.log_change < SETTLED_LOG_CHANGE) & (outcome.squared_shift < SETTLED_SQUARED_SHIFT)
            matched = outcome.divergence < MATCHED_DIVERGENCE
            for lane in np.flatnonzero((undo | step)[: len(used)]):
                report = used[lane]
                if undo[lane]:
                    report.num_undone += 1
                elif num_averaged[lane] > 0 or outcome.divergence[lane] < USEFUL_DIVERGENCE:
                    own = jax.tree_util.tree_map(lambda leaf, i=lane: leaf[i], (present, outcome.scored.log_p))
                    report.kept.append(KeptRound(own[0], np.asarray(round_keys[lane]), own[1]))
                    del report.kept[:-NUM_KEPT]
            highest_weight = np.where(undo, highest_weight / 16, highest_weight)
            num_averaged += step & ((num_averaged > 0) | settled)
            accepted, present = (
                _choose(step, present, accepted),
                _choose(step, outcome.updated, _choose(worse, accepted, present)),
            )
            done = done | give_up | (step & ((num_averaged > NUM_AVERAGED) | matched))
            accepted_elbo = np.where(step, elbo.mean, accepted_elbo)
            accepted_error = np.where(step, np.nan_to_num(elbo.standard_error), accepted_error)
    except (Interrupt, KeyboardInterrupt):
        # The newest normal of a lane that was to go on has not been judged.
        present = _choose(done, present, accepted)
        raise
    finally:
        present = _choose(_is_finite(present), present, accepted)
        for lane, report in enumerate(used):
            report.approximation = jax.tree_util.tree_map(lambda leaf, i=lane: leaf[i], present)


def _on_host(tree):
    return jax.tree_util.tree_map(np.asarray, tree)


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
        lanes: One for each mode.
        num_densities: Evaluations of the log density to tell modes apart.
    """

    lanes: list[RefinedLane]
    num_densities: int

    @property
    def cost(self) -> Cost:
        """Evaluations so far."""
        return Cost(sum(lane.num_gradients for lane in self.lanes), self.num_densities)


def refine_modes(
    problem: Problem,
    outcomes: PathOutcomes,
    keys: UInt32[Array, "fit 2"],
    settings: Settings,
    *,
    check: Callable[[], None] = lambda: None,
) -> tuple[list[RefinedFit | None], bool]:
    """Refine the best approximation of each mode of every fit that can have a share of the mass.

    Args:
        problem: What was fitted.
        outcomes: How the paths ended.
        keys: Key of each fit.
        settings: Options.
        check: As for `refine`.

    Returns:
        One entry per fit, None where no path succeeded or there was no time to tell modes apart; and whether the
        refinement was ended early.
    """
    num_fits = problem.num_fits or 1
    elbos = np.where(outcomes.best_iteration >= 0, outcomes.elbo, -np.inf).reshape(num_fits, -1)
    means = outcomes.approximations.mean.reshape(*elbos.shape, -1)
    try:
        check()
        modes, num_densities = distinct_modes(problem, means, elbos)
        fits = np.array([fit for fit, own in enumerate(modes) for _ in own if np.any(elbos[fit] > -np.inf)])
        paths = np.array([path for fit, own in enumerate(modes) for path in own if np.any(elbos[fit] > -np.inf)])
        if len(fits) == 0:
            return [None] * num_fits, False
        lanes = fits * elbos.shape[1] + paths
        starts = jax.tree_util.tree_map(lambda leaf: leaf[lanes], outcomes.approximations)
        lane_keys = path_keys(keys[fits], paths, Stream.REFINEMENT)
        worthwhile = elbos[fits, paths] >= elbos.max(axis=1)[fits] - NEGLIGIBLE - NEGLIGIBLE_PER_DIM * problem.dim
        refined, interrupted = refine(
            problem, starts, paths, lane_keys, fits, worthwhile, settings.max_refine_rounds, check=check
        )
    except (Interrupt, KeyboardInterrupt):
        return [None] * num_fits, True
    own = [[refined[row] for row in np.flatnonzero(fits == fit)] for fit in range(num_fits)]
    return [RefinedFit(of_fit, num_densities // num_fits) if of_fit else None for of_fit in own], interrupted
