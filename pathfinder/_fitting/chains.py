"""Whether a fit goes on with short chains, and from where."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.namespace import Array
from pathfinder._arrays.streams import host_generator
from pathfinder._chains.budget import ChainBudget, chain_budget
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._chains.run_chains import ChainOptions, run_chains
from pathfinder._chains.starts import choose_starts
from pathfinder._density.either import Density
from pathfinder._errors import Interrupt
from pathfinder._importance.fit_pool import FitPool
from pathfinder._importance.path_draws import DrawSource
from pathfinder._importance.pool import weights_will_do
from pathfinder._normals.normal import Normal
from pathfinder._settings import Settings, superchains


class FitChains(NamedTuple):
    """What became of the chains of a fit.

    Args:
        draws: Their states. None if the weights will do, or no chains are wanted, or an interrupt or the budget left
            too few.
        interrupted: Whether an interrupt ended them early.
        budget: What they might take; None if none were needed or wanted.
    """

    draws: ChainDraws | None
    interrupted: bool
    budget: ChainBudget | None


def chain_draws(
    density: Density,
    weighted: FitPool,
    key: UInt32[Array, " 2"],
    settings: Settings,
    check: Callable[[], None],
    *,
    was_rescued: bool = False,
    report: Callable[[int, int], None] = lambda num_gradients, most: None,
) -> FitChains:
    """Run short chains from the weighted draws of a fit, if they are needed and wanted.

    Args:
        density: What was fitted; one data set.
        weighted: Its draws.
        key: Key of the fit.
        settings: Options.
        check: As in `run_chains`.
        was_rescued: Whether a second refinement was needed. Weights that will do after it may be those of a part of the
            mass that is all its normals cover; chains go where the others were.
        report: Called with the gradients that chains have taken, and those that they may take.
    """
    in_doubt = was_rescued or not weights_will_do(weighted.pool, settings)
    if not settings.may_run_chains or (settings.chains == "auto" and not in_doubt):
        return FitChains(None, False, None)
    budget = chain_budget(
        density.operations,
        density.dim,
        settings.num_chains,
        settings.max_chain_gradients,
        asked_for=settings.chains != "auto",
    )
    if not budget.is_enough:
        return FitChains(None, False, budget)
    shares = superchains(settings.num_chains)
    assert shares is not None  # checked with the settings
    options = ChainOptions(*shares, budget.max_gradients, settings.num_psis_draws)
    pool, source = weighted.pool, weighted.source
    rows = choose_starts(pool.log_weights, options.num_superchains, host_generator(key, "starts of chains"))
    starts = np.empty((len(rows), density.dim), density.dtype)
    for which, positions in source.positions(pool.lanes[rows], pool.indices[rows]):
        starts[which] = positions
    whitening = _whitening(source, pool.lanes[rows], starts)
    try:
        found = run_chains(
            density, starts, rows, pool.paths[rows], whitening, key, options, check=check,
            report=lambda num_gradients: report(num_gradients, budget.max_gradients),
        )  # fmt: skip
    except Interrupt:
        return FitChains(None, True, budget)
    return FitChains(found, found is not None and found.ended == "interrupted", budget)


def _whitening(source: DrawSource, lanes: Int[np.ndarray, " start"], starts: Float[np.ndarray, "start dim"]) -> Normal:
    """Of the normals that starts came from, the one under which all of them are likeliest.

    That with the highest ELBO may be far narrower than the posterior.
    """
    candidates = [source.approximation_of(int(lane)) for lane in np.unique(lanes)]
    with np.errstate(all="ignore"):
        scores = [np.mean(normal.log_density(starts), dtype=float) for normal in candidates]
    return candidates[int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))]
