"""Refinement where a full covariance matrix is too large: of low rank, or with a banded precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt32

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.streams import counted_keys, draw_keys, normal
from pathfinder._density.either import Density
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._patterns.find import find_pattern
from pathfinder._refinement.banded.refine_banded import refine_banded
from pathfinder._refinement.history import RefinedLane
from pathfinder._refinement.low_rank_rounds import refine_low_rank
from pathfinder._settings import Settings


FIRST_ROUNDS = 3  # of low rank, whose ELBO a normal with a banded precision has to reach
SURE_ERRORS = 2.0  # standard errors of the difference of ELBOs
PROOF_POINTS = 2
# Counters of keys, beside those of rounds.
PROOF, AGAIN = 2**19, 2**19 + 1


def refine_beyond_dense(
    density: Density,
    lane: RefinedLane,
    key: UInt32[np.ndarray, " 2"],
    max_rounds: int,
    check: Callable[[], None],
    *,
    settings: Settings,
) -> None:
    """Refine one approximation; `lane` is filled in, also when an interrupt ends the rounds.

    If the density has a pattern, a normal with a banded precision is tried after a few rounds of low rank, and taken
    unless its ELBO is lower; else these go on.

    Args:
        density: What to fit, of one fit.
        lane: Where to begin, in `low_rank_form`, and the report.
        key: Key of the draws.
        max_rounds: Most rounds of each form.
        check: Called between rounds; ends them by raising `Interrupt`.
        settings: Says which forms are tried.

    Raises:
        WrongPatternError: If the pattern in the settings is not that of the density.
    """
    if settings.refine_form == "low_rank" or settings.pattern is False:
        refine_low_rank(density, lane, key, max_rounds, check)
        return
    check()
    noise = normal(draw_keys(counted_keys(key, np.array([PROOF])), PROOF_POINTS)[0], density.dim, density.dtype)
    found = find_pattern(density, on_host(lane.initial.transform(noise)), settings.pattern)
    lane.num_gradients += found.num_gradients
    if found.pattern is None:
        refine_low_rank(density, lane, key, max_rounds, check)
        return
    refine_low_rank(density, lane, key, min(FIRST_ROUNDS, max_rounds), check)
    of_low_rank, elbo, error = lane.approximation, lane.elbos[-1], lane.elbo_standard_errors[-1]
    assert isinstance(of_low_rank, LowRankNormal)
    is_normal = refine_banded(density, found.pattern, lane, key, settings.num_psis_draws, max_rounds, check)
    margin = SURE_ERRORS * float(np.hypot(np.nan_to_num(error), np.nan_to_num(lane.elbo_standard_errors[-1])))
    if is_normal and (settings.refine_form == "banded" or lane.elbos[-1] >= elbo - margin):
        lane.form = "banded"
        return
    lane.approximation, lane.kept = of_low_rank, []
    if max_rounds > FIRST_ROUNDS:
        initial, lane.initial = lane.initial, of_low_rank
        try:
            refine_low_rank(density, lane, counted_keys(key, np.array([AGAIN]))[0], max_rounds - FIRST_ROUNDS, check)
        finally:
            lane.initial = initial
