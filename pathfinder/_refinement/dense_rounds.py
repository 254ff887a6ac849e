"""Rounds of score matching for normals with a dense covariance."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float, Int, UInt32

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.namespace import Array, jit_unless_numpy, namespace, rows, select
from pathfinder._arrays.streams import counted_keys, draw_keys, normal
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._density.either import Density
from pathfinder._density.interrupt import Interrupt
from pathfinder._normals.elbo import ElboEstimate, estimate_elbo
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.scoring import ScoredDraws
from pathfinder._refinement.history import KeptRound, RefinedLane
from pathfinder._refinement.score_matching import match_scores, usable_draws


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


@jit_unless_numpy()
def refine_round(
    normals: LowRankNormal,
    keys: UInt32[Array, "lane draw 2"],
    weights: Float[Array, " lane"],
    fits: Int[Any, " lane"],
    density: Density,
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
        noise = normal(lane_keys, present.dim, present.mean.dtype)
        return noise, present.transform(noise)

    def matched(present: LowRankNormal, noise, draws, log_p, gradients, weight):
        xp = namespace(noise, gradients)
        usable = usable_draws(log_p, gradients)
        scores = present.noise_gradient(xp.where(usable[..., None], gradients, 0.0))
        match = match_scores(noise, scores, usable, weight)
        updated = LowRankNormal(present.transform(match.mean), present.scale, None, present.core @ match.factor)
        scored = ScoredDraws(draws, log_p, present.log_density_of_noise(noise))
        return Round(scored, updated, match.log_change, xp.mean(match.mean**2, axis=-1), match.divergence)

    noise, draws = over_lanes(drawn)(normals, keys)
    log_p, gradients = density.values_and_gradients(draws, fits)
    return over_lanes(matched)(normals, noise, draws, log_p, gradients, weights)


def batch_size(dim: int) -> int:
    """Draws of one round: more than dimensions where that is cheap."""
    return int(np.clip(2 * dim, 32, 128))


class _Standing(NamedTuple):
    """Where the lanes that go on stand between two rounds.

    Args:
        present: The normals that the next round draws from.
        accepted: The newest ones that have been judged by their draws, and kept.
        elbo: ELBOs of these; -inf before the first round.
        error: Their standard errors.
        num_averaged: How many rounds have been averaged; 0 while steps are bold.
        highest_weight: Weight of the batch of a bold step.
    """

    present: LowRankNormal
    accepted: LowRankNormal
    elbo: Float[np.ndarray, " lane"]
    error: Float[np.ndarray, " lane"]
    num_averaged: Int[np.ndarray, " lane"]
    highest_weight: Float[np.ndarray, " lane"]

    def newest(self) -> LowRankNormal:
        """What the lanes have come to."""
        return select(self.present.is_finite, self.present, self.accepted)


def refine_batch(
    density: Density,
    lanes: list[RefinedLane],
    keys: UInt32[np.ndarray, "lane 2"],
    fits: Int[np.ndarray, " lane"],
    max_rounds: int,
    check: Callable[[], None],
    *,
    size: int | None = None,
) -> None:
    """Refine lanes together; they are filled in, also when an interrupt ends the rounds.

    Args:
        density: What to fit.
        lanes: Where to begin, without a basis, and the reports.
        keys: Key of each lane.
        fits: The fit that each is about.
        max_rounds: Most rounds.
        check: Called between rounds; ends them by raising `Interrupt`.
        size: How many lanes each round takes, some of them repeated; only those that go on if None.
    """
    count, num_lanes = batch_size(density.dim), len(lanes)
    present = jax.tree_util.tree_map(lambda *leaves: np.stack(leaves), *[lane.initial for lane in lanes])
    # Those of all rounds together: for a few lanes as many keys take as long as one.
    numbers = np.tile(np.arange(max_rounds), num_lanes)
    round_keys = counted_keys(np.repeat(keys, max_rounds, axis=0), numbers).reshape(num_lanes, max_rounds, 2)
    going, standing = np.arange(num_lanes), _Standing(
        present, present, np.full(num_lanes, -np.inf), np.zeros(num_lanes), np.zeros(num_lanes, np.int64),
        np.full(num_lanes, BOLD_WEIGHT * count),
    )  # fmt: skip
    try:
        for number in range(max_rounds):
            if len(going) == 0:
                break
            check()
            reports = [lanes[lane] for lane in going]
            keys = round_keys[going, number]
            outcome = _round(density, standing, keys, fits[going], size)
            log_p, log_q = np.asarray(outcome.scored.log_p), np.asarray(outcome.scored.log_q)
            elbo = estimate_elbo(log_p, log_q)
            for row, report in enumerate(reports):
                report.note(
                    float(elbo.mean[row]), float(elbo.standard_error[row]), float(outcome.divergence[row]), count,
                    log_p[row], log_q[row],
                )  # fmt: skip
            worse = _are_worse(standing, outcome, elbo) & (number > 0)
            for row, report in enumerate(reports):
                if not worse[row] and (standing.num_averaged[row] or outcome.divergence[row] < USEFUL_DIVERGENCE):
                    own = rows(standing.present, row)
                    report.kept.append(KeptRound(own, keys[row], log_p[row]))
                    del report.kept[:-NUM_KEPT]
            undo = worse & np.array([report.num_undone < MOST_UNDONE for report in reports])
            for row in np.flatnonzero(undo):
                reports[row].num_undone += 1
            standing, done = _next(standing, outcome, elbo, worse), worse & ~undo
            done |= ~worse & ((standing.num_averaged > NUM_AVERAGED) | (outcome.divergence < MATCHED_DIVERGENCE))
            if done.any():
                _fill_in(lanes, going[done], rows(standing, done).newest())
                going, standing = going[~done], rows(standing, ~done)
    except (Interrupt, KeyboardInterrupt):
        # The newest normal of a lane that was to go on has not been judged.
        standing = standing._replace(present=standing.accepted)
        raise
    finally:
        _fill_in(lanes, going, standing.newest())


def _round(
    density: Density, standing: _Standing, keys: UInt32[np.ndarray, "lane 2"], fits: np.ndarray, size: int | None
) -> Round:
    """One round of all lanes that go on."""
    num_lanes, count = len(fits), batch_size(density.dim)
    # From the first round that changes little on, the k-th batch counts 1 / k, so that the rounds average.
    averaging = standing.num_averaged > 0
    weights = np.where(averaging, count / np.maximum(standing.num_averaged, 1), standing.highest_weight)
    lanes = standing.present, keys, weights.astype(density.dtype), fits
    if size is not None:
        lanes = rows(lanes, np.minimum(np.arange(size), num_lanes - 1))
    present, keys, weights, fits = density.arrays(lanes)
    outcome = refine_round(present, draw_keys(keys, count), weights, fits, density)
    return rows(on_host(outcome), slice(num_lanes))


def _are_worse(standing: _Standing, outcome: Round, elbo: ElboEstimate) -> Bool[np.ndarray, " lane"]:
    """Whether the present normals have left the mass, which shows at their draws, or the next ones are no numbers.

    A bold step may lose up to a nat per dimension and be right: the next ones gain it back. What has to be undone
    loses far more.
    """
    slack = 3 * np.hypot(np.nan_to_num(elbo.standard_error), standing.error) + standing.present.dim
    return (elbo.mean < standing.elbo - slack) | ~outcome.updated.is_finite


def _next(standing: _Standing, outcome: Round, elbo: ElboEstimate, worse: Bool[np.ndarray, " lane"]) -> _Standing:
    """Accept the present normals and step on; go back, to a step less bold, where they are worse."""
    settled = (outcome.log_change < SETTLED_LOG_CHANGE) & (outcome.squared_shift < SETTLED_SQUARED_SHIFT)
    averaged = ~worse & ((standing.num_averaged > 0) | settled)
    return _Standing(
        present=select(worse, standing.accepted, outcome.updated),
        accepted=select(worse, standing.accepted, standing.present),
        elbo=np.where(worse, standing.elbo, elbo.mean),
        error=np.where(worse, standing.error, np.nan_to_num(elbo.standard_error)),
        num_averaged=standing.num_averaged + averaged,
        highest_weight=np.where(worse, standing.highest_weight / 16, standing.highest_weight),
    )


def _fill_in(lanes: list[RefinedLane], which: Int[np.ndarray, " lane"], normals: LowRankNormal) -> None:
    for row, lane in enumerate(which):
        lanes[lane].approximation = rows(normals, row)
