"""What follows the paths of one fit or of many: refinement, weights, a second refinement, chains."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, UInt32

from pathfinder._arrays.namespace import Array
from pathfinder._density.either import Density
from pathfinder._errors import Interrupt
from pathfinder._fitting.chains import FitChains, chain_draws
from pathfinder._fitting.lanes import FitLanes
from pathfinder._fitting.progress import ProgressBar
from pathfinder._fitting.rescue import rescue_fits
from pathfinder._fitting.watched import watched
from pathfinder._importance.fit_pool import FitPool
from pathfinder._importance.fitted_paths import FittedPaths
from pathfinder._paths.outcomes import PathOutcomes
from pathfinder._refinement.refine import RefinedFit, refine_modes
from pathfinder._settings import Settings


class WeightedFits(NamedTuple):
    """What fits have come to.

    Args:
        outcomes: How paths ended; interrupted if anything after them was, too.
        pools: The weighted draws of each fit; None for one that failed.
        chains: Of each fit; fewer if an interrupt came before.
        seconds: What each stage took, that of the paths first.
    """

    outcomes: PathOutcomes
    pools: tuple[FitPool | None, ...]
    chains: tuple[FitChains, ...]
    seconds: dict[str, float]


def after_paths(
    density: Density,
    lanes: FitLanes,
    keys: UInt32[Array, "fit 2"],
    settings: Settings,
    check: Callable[[], None],
    bar: ProgressBar,
    weigh: Callable[[FittedPaths, Sequence[RefinedFit | None]], Sequence[FitPool | None]],
    *,
    thins: bool = False,
) -> WeightedFits:
    """Refine the approximations of paths, weigh draws, refine again where weights will not do, and run chains there.

    An interrupt ends the stage that it meets; later ones do not begin, but there are draws.

    Args:
        density: What was fitted.
        lanes: The paths of all fits.
        keys: Key of each fit.
        settings: Options.
        check: Ends a stage by raising `Interrupt`.
        bar: Shows which stage it is.
        weigh: Weighted draws of each fit from its paths and its refined modes, None for a fit without any.
        thins: Whether chains keep no more states than draws are wanted, as those of many fits take much memory.
    """
    outcomes, paths = lanes
    seconds, begin = dict(outcomes.seconds), time.perf_counter()
    watching = watched(density, check)
    modes: Sequence[RefinedFit | None] = [None] * len(keys)
    interrupted = outcomes.interrupted
    bar.begin("Refinement" if settings.refines else "Draws")
    if settings.refines and not interrupted:
        modes, interrupted = refine_modes(watching, outcomes, keys, settings, check=check)
        seconds["refine"], begin = time.perf_counter() - begin, time.perf_counter()
    pools = weigh(paths, modes)
    interrupted = interrupted or (paths.is_over is not None and bool(paths.is_over()))
    was_rescued = np.zeros(len(keys), bool)
    if settings.refines and not interrupted:
        pools, was_rescued, interrupted = rescue_fits(paths, modes, pools, keys, check)
    now = time.perf_counter()
    seconds["draws"] = now - begin
    chains: tuple[FitChains, ...] = ()
    if settings.may_run_chains and not interrupted:
        chains = _chains_of_fits(watching, pools, was_rescued, keys, settings, check, bar, thins=thins)
        interrupted = any(own.interrupted for own in chains)
        seconds["chains"] = time.perf_counter() - now
    outcomes = dataclasses.replace(outcomes, interrupted=interrupted)
    return WeightedFits(outcomes, tuple(pools), chains, seconds)


def _chains_of_fits(
    density: Density,
    pools: Sequence[FitPool | None],
    was_rescued: Bool[np.ndarray, " fit"],
    keys: UInt32[Array, "fit 2"],
    settings: Settings,
    check: Callable[[], None],
    bar: ProgressBar,
    *,
    thins: bool,
) -> tuple[FitChains, ...]:
    """Those of each fit in turn, ended early together."""
    found = [FitChains(None, False, None)] * len(pools)
    is_one = len(pools) == 1
    for fit, own in enumerate(pools):
        if own is None:
            continue
        if not is_one:
            bar.begin("Chains", fit, len(pools), "fit")
        try:
            chains = chain_draws(
                density.of_fit(fit), own, keys[fit], settings, check, was_rescued=bool(was_rescued[fit]),
                report=lambda done, most: bar.begin("Chains", done, most, "gradient") if is_one else None,
            )  # fmt: skip
        except (Interrupt, KeyboardInterrupt):
            chains = FitChains(None, True, None)
        thinned = chains.draws.thinned(settings.num_psis_draws) if thins and chains.draws is not None else chains.draws
        found[fit] = chains._replace(draws=thinned)
        if chains.interrupted:
            break
    return tuple(found)
