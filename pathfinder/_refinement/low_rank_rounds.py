"""Refinement where a full covariance matrix is too large: rounds of low-rank matching."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, UInt32

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.namespace import Array, jit_unless_numpy
from pathfinder._arrays.streams import counted_keys, draw_keys, normal
from pathfinder._density.either import Density
from pathfinder._normals.elbo import estimate_elbo
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.scoring import ScoredDraws
from pathfinder._refinement.history import RefinedLane
from pathfinder._refinement.low_rank_matching import Window, empty_window, match_low_rank, with_rank
from pathfinder._refinement.score_matching import usable_draws


BATCH_SIZE = 32
WINDOW = 128  # pairs
RANK = 64
MATCHED_DIVERGENCE = 0.1  # of all dimensions together: about four times the Kullback-Leibler divergence
STALLED_ROUNDS = 4  # compared with as many before them
CLOSE_ERRORS = 2.0  # standard errors by which the last ELBO may be below the best


class LowRankRound(NamedTuple):
    """One round of one approximation."""

    scored: ScoredDraws
    updated: LowRankNormal
    window: Window
    divergence: Float[Array, ""]


@jit_unless_numpy(donate_argnames=("window",))
def low_rank_round(
    present: LowRankNormal,
    window: Window,
    keys: UInt32[Array, "draw 2"],
    density: Density,
) -> LowRankRound:
    """Draw a batch, evaluate density and gradient, and fit to the newest pairs.

    Args:
        present: The present approximation.
        window: Positions and gradients of earlier rounds.
        keys: Keys of the draws.
        density: Of the model, of one fit.
    """
    noise = normal(keys, present.dim, present.mean.dtype)
    draws: Any = present.transform(noise)
    log_p, gradients = density.values_and_gradients(draws)
    match = match_low_rank(present, window, noise, gradients, usable_draws(log_p, gradients))
    scored = ScoredDraws(draws, log_p, present.log_density_of_noise(noise))
    return LowRankRound(scored, match.normal, match.window, match.divergence)


def low_rank_form(start: LowRankNormal) -> LowRankNormal:
    """The same distribution in the form that the rounds keep."""
    assert start.basis is not None
    return with_rank(start, max(RANK, start.basis.shape[-1]))


def refine_low_rank(
    density: Density,
    lane: RefinedLane,
    key: UInt32[np.ndarray, " 2"],
    max_rounds: int,
    check: Callable[[], None],
) -> None:
    """Refine one approximation; `lane` is filled in, also when an interrupt ends the rounds.

    The rounds end when the scores match, when the ELBO has stopped rising, or at `max_rounds`. The last normal is
    taken unless an earlier one, the start included, had a clearly higher ELBO, so the result is not worse than the
    start by more than the errors of these estimates.

    Args:
        density: What to fit.
        lane: Where to begin, in `low_rank_form`, and the report.
        key: Key of the draws.
        max_rounds: Most rounds.
        check: Called between rounds; ends them by raising `Interrupt`.
    """
    present, window, key = density.arrays((lane.initial, empty_window(WINDOW, density.dim, density.dtype), key))
    best, last = present, present
    try:
        for number in range(max_rounds):
            check()
            keys = draw_keys(counted_keys(key, np.array([number])), BATCH_SIZE)[0]
            outcome = low_rank_round(present, window, keys, density)
            log_p, log_q = np.asarray(outcome.scored.log_p), np.asarray(outcome.scored.log_q)
            elbo = estimate_elbo(log_p, log_q)
            lane.note(float(elbo.mean), float(elbo.standard_error), float(outcome.divergence), BATCH_SIZE, log_p, log_q)
            if elbo.mean >= np.max(lane.elbos):
                best = present
            last, present, window = present, outcome.updated, outcome.window
            if float(outcome.divergence) * density.dim < MATCHED_DIVERGENCE:
                best = last = present  # one step further for nothing
                break
            if _has_stalled(lane):
                break
    finally:
        lane.approximation = on_host(last if _is_close_to_best(lane) else best)


def _has_stalled(lane: RefinedLane) -> bool:
    if len(lane.elbos) <= 2 * STALLED_ROUNDS:
        return False
    newest, before = lane.elbos[-STALLED_ROUNDS:], lane.elbos[-2 * STALLED_ROUNDS : -STALLED_ROUNDS]
    error = np.linalg.norm(lane.elbo_standard_errors[-STALLED_ROUNDS:]) / STALLED_ROUNDS
    return bool(np.mean(newest) <= np.mean(before) + error)


def _is_close_to_best(lane: RefinedLane) -> bool:
    if not lane.elbos:
        return False
    best = int(np.argmax(lane.elbos))
    error = np.hypot(lane.elbo_standard_errors[-1], lane.elbo_standard_errors[best])
    return bool(lane.elbos[-1] >= lane.elbos[best] - CLOSE_ERRORS * error)
