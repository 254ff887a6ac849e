"""Rounds of score matching for normals with a dense covariance.

A lane remembers the best normal that was judged by draws of its own. A round whose normal is far worse is undone: the
lane goes back to the best, and takes a shorter step from there. What it comes to is one that was judged, too, so it is
not below its start by more than the errors of ELBOs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt32

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.namespace import Array, jit_unless_numpy, namespace, rows, select, stacked_rows
from pathfinder._arrays.streams import counted_keys, draw_keys, normal
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._density.either import Density
from pathfinder._normals.elbo import estimate_elbo
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.scoring import ScoredDraws
from pathfinder._refinement.history import KeptRound, RefinedLane
from pathfinder._refinement.judging import MOST_UNDONE, Judgement, is_close, is_failure
from pathfinder._refinement.score_matching import match_scores, usable_draws


BOLD_WEIGHT = 10.0  # times the batch size, before averaging
NUM_AVERAGED = 5
NUM_KEPT = NUM_AVERAGED + 1  # newest rounds whose draws are kept
# A round that changes no variance by more than a factor of 4, and the mean by less than a standard deviation per
# dimension, is the last one that is taken alone.
SETTLED_LOG_CHANGE = 2 * np.log(2.0)
SETTLED_SQUARED_SHIFT = 1.0
MATCHED_DIVERGENCE = 0.02  # of the scores, at which a normal is as good as it gets
STALLED_ROUNDS = 4  # without a higher ELBO, after which rounds are averaged, too
USEFUL_DIVERGENCE = 0.1  # at which the draws of a round are worth keeping
SHORTER = 16.0  # how many times less a batch counts after a round that was undone


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
    may_move: Bool[Array, " lane"],
    fits: Int[Any, " lane"],
    density: Density,
) -> Round:
    """Draw a batch from every lane's normal, evaluate density and gradient, and match the scores.

    Args:
        normals: One per lane, without a basis.
        keys: Keys of the draws.
        weights: How much each batch counts, as in `match_scores`.
        may_move: Where a mean that is far off may be moved in one step, as in `match_scores`.
        fits: The fit that each lane is about.
        density: Of the model.
    """

    def drawn(present: LowRankNormal, lane_keys):
        noise = normal(lane_keys, present.dim, present.mean.dtype)
        return noise, present.transform(noise)

    def matched(present: LowRankNormal, noise, draws, log_p, gradients, weight, may_move):
        xp = namespace(noise, gradients)
        usable = usable_draws(log_p, gradients)
        scores = present.noise_gradient(xp.where(usable[..., None], gradients, 0.0))
        match = match_scores(noise, scores, usable, weight, may_move)
        updated = LowRankNormal(present.transform(match.mean), present.scale, None, present.core @ match.factor)
        scored = ScoredDraws(draws, log_p, present.log_density_of_noise(noise))
        return Round(scored, updated, match.log_change, xp.mean(match.mean**2, axis=-1), match.divergence)

    noise, draws = over_lanes(drawn)(normals, keys)
    log_p, gradients = density.values_and_gradients(draws, fits)
    return over_lanes(matched)(normals, noise, draws, log_p, gradients, weights, may_move)


def batch_size(dim: int) -> int:
    """Draws of one round: more than dimensions where that is cheap."""
    return int(np.clip(2 * dim, 32, 128))


class _Standing(NamedTuple):
    """Where the lanes that go on stand between two rounds.

    Args:
        present: The normals that the next round draws from.
        accepted: The newest ones that have been judged by their draws, and kept.
        judgement: What their draws say.
        best: Those with the highest ELBOs.
        best_judgement: What their draws say.
        returned: Whether the present normal is the best once more, after a step that was undone.
        since_best: Rounds since the best was found.
        num_averaged: How many rounds have been averaged; 0 while steps are bold.
        highest_weight: Most that the batch of a step may count.
    """

    present: LowRankNormal
    accepted: LowRankNormal
    judgement: Judgement
    best: LowRankNormal
    best_judgement: Judgement
    returned: Bool[np.ndarray, " lane"]
    since_best: Int[np.ndarray, " lane"]
    num_averaged: Int[np.ndarray, " lane"]
    highest_weight: Float[np.ndarray, " lane"]

    @classmethod
    def begin(cls, normals: LowRankNormal, highest_weight: float) -> _Standing:
        """Before the first round."""
        nothing, none = Judgement.nothing(len(normals.mean)), np.zeros(len(normals.mean), np.int64)
        return cls(
            normals, normals, nothing, normals, nothing, none > 0, none, none, np.full(none.shape, highest_weight)
        )

    def judged(self) -> LowRankNormal:
        """What the lanes have come to: the newest, which is the least noisy, unless an earlier one was better."""
        return select(is_close(self.judgement, self.best_judgement), self.accepted, self.best)


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
    present = stacked_rows([lane.initial for lane in lanes])
    # Those of all rounds together: for a few lanes as many keys take as long as one.
    numbers = np.tile(np.arange(max_rounds), num_lanes)
    round_keys = counted_keys(np.repeat(keys, max_rounds, axis=0), numbers).reshape(num_lanes, max_rounds, 2)
    going, standing = np.arange(num_lanes), _Standing.begin(present, BOLD_WEIGHT * count)
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
            judgement = Judgement.of(elbo, count)
            worse = is_failure(judgement, standing.best_judgement, density.dim) & ~standing.returned
            for row, report in enumerate(reports):
                if not worse[row] and (standing.num_averaged[row] or outcome.divergence[row] < USEFUL_DIVERGENCE):
                    own = rows(standing.present, row)
                    report.kept.append(KeptRound(own, keys[row], log_p[row]))
                    del report.kept[:-NUM_KEPT]
            # A step that is no number is as one that leads nowhere, but its own normal may have been the best.
            undo = worse | ~outcome.updated.is_finite
            for row in np.flatnonzero(undo):
                reports[row].num_undone += 1
            given_up = undo & np.array([report.num_undone > MOST_UNDONE for report in reports])
            standing = _next(standing, outcome, judgement, worse, undo, count)
            close = is_close(standing.judgement, standing.best_judgement)
            matched = ~undo & close & (outcome.divergence < MATCHED_DIVERGENCE)
            # The round after the last step judges it.
            done = given_up | matched | (~undo & (standing.num_averaged > NUM_AVERAGED + 1))
            if done.any():
                # Where the scores match, so do those of the next normal.
                _fill_in(lanes, going[done], rows(select(matched, standing.present, standing.judged()), done))
                going, standing = going[~done], rows(standing, ~done)
    finally:
        _fill_in(lanes, going, standing.judged())


def _round(
    density: Density, standing: _Standing, keys: UInt32[np.ndarray, "lane 2"], fits: np.ndarray, size: int | None
) -> Round:
    """One round of all lanes that go on."""
    num_lanes, count = len(fits), batch_size(density.dim)
    # A mean is moved in one step as long as no step has failed.
    may_move = (standing.highest_weight == BOLD_WEIGHT * count) & (standing.num_averaged == 0)
    lanes = standing.present, keys, _weights(standing, count).astype(density.dtype), may_move, fits
    if size is not None:
        lanes = rows(lanes, np.minimum(np.arange(size), num_lanes - 1))
    present, keys, weights, may_move, fits = density.arrays(lanes)
    outcome = refine_round(present, draw_keys(keys, count), weights, may_move, fits, density)
    return rows(on_host(outcome), slice(num_lanes))


def _weights(standing: _Standing, count: int) -> Float[np.ndarray, " lane"]:
    """From the first round that changes little on, the k-th batch counts 1 / k, so that the rounds average."""
    averaged = np.where(standing.num_averaged > 0, count / np.maximum(standing.num_averaged, 1), np.inf)
    return np.minimum(averaged, standing.highest_weight)


def _next(
    standing: _Standing,
    outcome: Round,
    judgement: Judgement,
    worse: Bool[np.ndarray, " lane"],
    undo: Bool[np.ndarray, " lane"],
    count: int,
) -> _Standing:
    """Accept the present normals unless they are worse, and step on; go back to the best where that is to be undone."""
    # Of a normal that is drawn from once more there are twice as many draws.
    judgement = select(standing.returned, judgement.pooled(standing.best_judgement), judgement)
    is_best = standing.returned | (judgement.lower_end > standing.best_judgement.lower_end)
    since_best = np.where(is_best, 0, standing.since_best + 1)
    # Where there are fewer draws than dimensions, bold steps end in noise that is larger than what settles.
    settled = (outcome.log_change < SETTLED_LOG_CHANGE) & (outcome.squared_shift < SETTLED_SQUARED_SHIFT)
    settled |= since_best >= STALLED_ROUNDS
    averaged = ~undo & ((standing.num_averaged > 0) | settled)
    best = select(is_best, (standing.present, judgement), (standing.best, standing.best_judgement))
    accepted = select(worse, (standing.accepted, standing.judgement), (standing.present, judgement))
    return _Standing(
        select(undo, best[0], outcome.updated),
        *accepted,
        *best,
        returned=undo,
        since_best=since_best,
        num_averaged=standing.num_averaged + averaged,
        highest_weight=np.where(undo, _weights(standing, count) / SHORTER, standing.highest_weight),
    )


def _fill_in(lanes: list[RefinedLane], which: Int[np.ndarray, " lane"], normals: LowRankNormal) -> None:
    for row, lane in enumerate(which):
        lanes[lane].approximation = rows(normals, row)
