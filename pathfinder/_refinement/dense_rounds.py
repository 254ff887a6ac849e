"""Rounds of score matching for normals with a dense covariance."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt32

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.streams import counted_keys, draw_keys, normal
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.interrupt import Interrupt
from pathfinder._normals.elbo import estimate_elbo
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.scoring import ScoredDraws
from pathfinder._refinement.history import KeptRound, RefinedLane
from pathfinder._refinement.score_matching import match_scores, usable_draws


LANES_PER_BATCH = 64
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


class Round(NamedTuple):
    """One round of several lanes."""

    scored: ScoredDraws
    updated: LowRankNormal
    log_change: Float[Array, " lane"]
    squared_shift: Float[Array, " lane"]  # per dimension
    divergence: Float[Array, " lane"]


@jax.jit
def refine_round(
    normals: LowRankNormal,
    keys: UInt32[Array, "lane draw 2"],
    weights: Float[Array, " lane"],
    fits: Int[Array, " lane"],
    density: CompiledDensity,
) -> Round:
    """Draw a batch from every lane's normal, evaluate density and gradient, and match the scores.

    Args:
        normals: One per lane, without a basis.
        keys: Keys of the draws.
        weights: How much each batch counts, as in `match_scores`.
        fits: The fit that each lane is about.
        density: Of the model.
    """

    def drawn(present: LowRankNormal, lane_keys):
        noise = jax.vmap(lambda key: normal(key, present.dim, present.mean.dtype))(lane_keys)
        return noise, jax.vmap(present.transform)(noise)

    def matched(present: LowRankNormal, noise, draws, log_p, gradients, weight):
        usable = usable_draws(log_p, gradients)
        scores = jax.vmap(present.noise_gradient)(jnp.where(usable[:, None], gradients, 0.0))
        match = match_scores(noise, scores, usable, weight)
        updated = LowRankNormal(present.transform(match.mean), present.scale, None, present.core @ match.factor)
        scored = ScoredDraws(draws, log_p, jax.vmap(present.log_density_of_noise)(noise))
        return Round(scored, updated, match.log_change, jnp.mean(match.mean**2), match.divergence)

    noise, draws = over_lanes(drawn)(normals, keys)
    log_p, gradients = density.values_and_gradients(draws, fits)
    return over_lanes(matched)(normals, noise, draws, log_p, gradients, weights)


def batch_size(dim: int) -> int:
    """Draws of one round: more than dimensions where that is cheap."""
    return int(np.clip(2 * dim, 32, 128))


def refine_batch(density: CompiledDensity, used: list[RefinedLane], keys, fits, max_rounds: int, check) -> None:
    """Refine lanes together; they are filled in, also when an interrupt ends the rounds."""
    size, count = len(fits), batch_size(density.dim)
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
                present, draw_keys(round_keys, count), weights.astype(density.dtype), fits, density,
            )  # fmt: skip
            outcome = on_host(outcome)
            elbo = estimate_elbo(outcome.scored.log_p, outcome.scored.log_q)
            for lane, report in enumerate(used):
                if not done[lane]:
                    own = jax.tree_util.tree_map(lambda leaf, i=lane: leaf[i], outcome)
                    report.note(
                        float(elbo.mean[lane]), float(elbo.standard_error[lane]), float(own.divergence), count,
                        own.scored.log_p, own.scored.log_q,
                    )  # fmt: skip
            # A bold step may lose up to a nat per dimension and be right: the next ones gain it back. What has to be
            # undone is a normal that has left the mass, which loses far more.
            slack = 3 * np.hypot(np.nan_to_num(elbo.standard_error), accepted_error) + density.dim
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
            # From the first round that changes little on, the k-th batch counts 1 / k, so that the rounds average.
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


def _is_finite(normals: LowRankNormal) -> Bool[np.ndarray, " lane"]:
    leaves = jax.tree_util.tree_leaves(normals)
    return np.all([np.isfinite(leaf).reshape(len(leaf), -1).all(axis=1) for leaf in leaves], axis=0)


def _choose(condition: np.ndarray, one: LowRankNormal, other: LowRankNormal) -> LowRankNormal:
    def choose(a, b):
        return np.where(condition.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    return jax.tree_util.tree_map(choose, one, other)
