"""Refinement where a full covariance matrix is too large: rounds of low-rank matching."""

from __future__ import annotations

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
from pathfinder._refinement.judging import MOST_UNDONE, Judgement, is_close, is_failure
from pathfinder._refinement.low_rank_matching import Window, empty_window, match_low_rank, with_rank
from pathfinder._refinement.score_matching import usable_draws


BATCH_SIZE = 32
WINDOW = 128  # pairs
RANK = 64
MATCHED_DIVERGENCE = 0.1  # of all dimensions together: about four times the Kullback-Leibler divergence
STALLED_ROUNDS = 4  # compared with as many before them


class LowRankRound(NamedTuple):
    """One round of one approximation."""

    scored: ScoredDraws
    updated: LowRankNormal
    window: Window
    divergence: Float[Array, ""]


class _Judged(NamedTuple):
    """A normal with the pairs up to its own draws, and what these say."""

    normal: LowRankNormal
    window: Window
    judgement: Judgement


@jit_unless_numpy()
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
    start by more than the errors of these estimates. A round that is far worse than the best is undone: the best is
    drawn from once more, and the next normal fitted to more pairs from there.

    Args:
        density: What to fit.
        lane: Where to begin, in `low_rank_form`, and the report.
        key: Key of the draws.
        max_rounds: Most rounds.
        check: Called between rounds; ends them by raising `Interrupt`.
    """
    present, window, key = density.arrays((lane.initial, empty_window(WINDOW, density.dim, density.dtype), key))
    accepted = best = _Judged(present, window, Judgement.nothing(1))
    judgements: list[Judgement] = []  # of the normals that were accepted
    returned = False
    try:
        for number in range(max_rounds):
            check()
            keys = draw_keys(counted_keys(key, np.array([number])), BATCH_SIZE)[0]
            outcome = low_rank_round(present, window, keys, density)
            log_p, log_q = np.asarray(outcome.scored.log_p), np.asarray(outcome.scored.log_q)
            elbo = estimate_elbo(log_p[None], log_q[None])
            lane.note(
                float(elbo.mean[0]), float(elbo.standard_error[0]), float(outcome.divergence), BATCH_SIZE, log_p, log_q
            )
            judgement = Judgement.of(elbo, BATCH_SIZE)
            if is_failure(judgement, best.judgement, density.dim) and not returned:
                lane.num_undone += 1
                if lane.num_undone > MOST_UNDONE:
                    break
                present, window, returned = best.normal, best.window, True
                continue
            # Of a normal that is drawn from once more there are twice as many draws.
            judgement = judgement.pooled(best.judgement) if returned else judgement
            accepted = _Judged(present, outcome.window, judgement)
            if returned or judgement.lower_end > best.judgement.lower_end:
                best = accepted
            judgements.append(judgement)
            present, window, returned = outcome.updated, outcome.window, False
            # One step further would be for nothing.
            if float(outcome.divergence) * density.dim < MATCHED_DIVERGENCE or _has_stalled(judgements):
                break
    finally:
        lane.approximation = on_host(accepted.normal if is_close(accepted.judgement, best.judgement) else best.normal)


def _has_stalled(judgements: list[Judgement]) -> bool:
    if len(judgements) <= 2 * STALLED_ROUNDS:
        return False
    elbos = [judgement.elbo for judgement in judgements]
    newest, before = elbos[-STALLED_ROUNDS:], elbos[-2 * STALLED_ROUNDS : -STALLED_ROUNDS]
    error = np.linalg.norm([judgement.elbo_error for judgement in judgements[-STALLED_ROUNDS:]]) / STALLED_ROUNDS
    return bool(np.mean(newest) <= np.mean(before) + error)
