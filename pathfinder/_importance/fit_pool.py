"""The pools of fits: of their paths, or refined."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, UInt32

from pathfinder._arrays.devices import Devices
from pathfinder._arrays.namespace import Array
from pathfinder._density.either import Density
from pathfinder._importance.path_draws import PathDraws
from pathfinder._importance.pool import NoFiniteDrawError, Pool, make_pool
from pathfinder._importance.refined_pool import refined_pools
from pathfinder._importance.refinement import Refinement
from pathfinder._importance.scored_draws import score_paths
from pathfinder._importance.weighing import RefinedPool
from pathfinder._refinement.history import Cost
from pathfinder._refinement.refine import RefinedFit
from pathfinder._settings import Settings


class FitPool(NamedTuple):
    """The weighted draws of one fit.

    Args:
        pool: The draws.
        source: Where they come from.
        refinement: What was refined; None if they are those of the paths.
        cost: Of the refinement, also of one that came to nothing.
    """

    pool: Pool
    source: PathDraws
    refinement: Refinement | None
    cost: Cost


def fit_pool(
    density: Density,
    refined: RefinedFit | None,
    source: PathDraws,
    key: UInt32[Array, " 2"],
    succeeded: Bool[np.ndarray, " path"],
    settings: Settings,
    devices: Devices,
) -> FitPool:
    """The weighted draws of one fit: of what was refined, or of its paths if nothing was or no such draw is usable.

    Args:
        density: What was fitted; one data set.
        refined: Its refined modes, if there are any.
        source: Draws of its paths.
        key: Key of the fit.
        succeeded: Which paths have draws.
        settings: Options.
        devices: Where to run.

    Raises:
        NoFiniteDrawError: If the density is not finite at any draw of the paths either.
    """
    worthwhile = [] if refined is None or not refined.cost.num_gradients else [refined]
    found = refined_pools(density, worthwhile, np.zeros(1, np.int64), source, key[None], settings, devices)
    return _pool_of_fit(density, refined, found[0] if found else None, source, succeeded, settings, devices)


def fit_pools(
    density: Density,
    refined: Sequence[RefinedFit | None],
    source: PathDraws,
    keys: UInt32[Array, "fit 2"],
    succeeded: Bool[np.ndarray, "fit path"],
    settings: Settings,
    devices: Devices,
) -> list[FitPool | None]:
    """`fit_pool` for each of many fits; None for those that failed.

    Args:
        density: What was fitted, with all data sets.
        refined: The refined modes of each fit.
        source: Draws of the paths of all fits.
        keys: Key of each fit.
        succeeded: Which paths have draws.
        settings: Options.
        devices: Where to run.
    """
    found: dict[int, RefinedPool | int] = {}
    if devices.is_host:
        worthwhile = {fit: own for fit, own in enumerate(refined) if own is not None and own.cost.num_gradients}
        fits = np.array(list(worthwhile), np.int64)
        pools = refined_pools(density, list(worthwhile.values()), fits, source, keys[fits], settings, devices)
        found = dict(zip(worthwhile, pools, strict=True))
    weighted: list[FitPool | None] = [None] * len(refined)
    for fit in np.flatnonzero(succeeded.any(axis=1)).tolist():
        own = source.of_lanes(slice(fit * settings.num_paths, (fit + 1) * settings.num_paths))
        alone = density.of_fit(fit)
        with suppress(NoFiniteDrawError):
            if devices.is_host:
                pool = found.get(fit)
                weighted[fit] = _pool_of_fit(alone, refined[fit], pool, own, succeeded[fit], settings, devices)
            else:
                weighted[fit] = fit_pool(alone, refined[fit], own, keys[fit], succeeded[fit], settings, devices)
    return weighted


def _pool_of_fit(
    density: Density,
    refined: RefinedFit | None,
    found: RefinedPool | int | None,
    source: PathDraws,
    succeeded: Bool[np.ndarray, " path"],
    settings: Settings,
    devices: Devices,
) -> FitPool:
    """That of the refined draws if there are any, else of the paths; arguments as of `fit_pool`."""
    cost = Cost() if refined is None else refined.cost
    if isinstance(found, RefinedPool):
        cost = cost._replace(num_densities=found.refinement.num_densities)
        return FitPool(found.pool, found.source, found.refinement, cost)
    if found is not None:
        cost = cost._replace(num_densities=found)
    scores = score_paths(density, source, succeeded, settings, devices)
    return FitPool(make_pool(scores, succeeded, settings), source, None, cost)
