"""The pools of fits: of their paths, or refined."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt32

from pathfinder._arrays.namespace import Array
from pathfinder._importance.fitted_paths import FittedPaths
from pathfinder._importance.path_draws import DrawSource
from pathfinder._importance.pool import NoFiniteDrawError, Pool, make_pool
from pathfinder._importance.refined_pool import refined_pools
from pathfinder._importance.refinement import Refinement
from pathfinder._importance.scored_draws import score_paths
from pathfinder._importance.weighing import RefinedPool
from pathfinder._refinement.history import Cost
from pathfinder._refinement.refine import RefinedFit


class FitPool(NamedTuple):
    """The weighted draws of one fit.

    Args:
        pool: The draws.
        source: Where they come from.
        refinement: What was refined; None if they are those of the paths.
        cost: Of the refinement, also of one that came to nothing.
    """

    pool: Pool
    source: DrawSource
    refinement: Refinement | None
    cost: Cost


def fit_pool(paths: FittedPaths, refined: RefinedFit | None, key: UInt32[Array, " 2"]) -> FitPool:
    """The weighted draws of one fit: of what was refined, or of its paths if nothing was or no such draw is usable.

    Args:
        paths: Its paths.
        refined: Its refined modes, if there are any.
        key: Key of the fit.

    Raises:
        NoFiniteDrawError: If the density is not finite at any draw of the paths either.
    """
    worthwhile = [] if refined is None or not refined.cost.num_gradients else [refined]
    found = refined_pools(paths, worthwhile, np.zeros(1, np.int64), key[None])
    return _pool_of_fit(paths, refined, found[0] if found else None)


def fit_pools(
    paths: FittedPaths, refined: Sequence[RefinedFit | None], keys: UInt32[Array, "fit 2"]
) -> list[FitPool | None]:
    """`fit_pool` for each of many fits; None for those that failed.

    Args:
        paths: The paths of all fits.
        refined: The refined modes of each fit.
        keys: Key of each fit.
    """
    found: dict[int, RefinedPool | int] = {}
    is_host = paths.devices.is_host
    if is_host:
        worthwhile = {fit: own for fit, own in enumerate(refined) if own is not None and own.cost.num_gradients}
        fits = np.array(list(worthwhile), np.int64)
        pools = refined_pools(paths, list(worthwhile.values()), fits, keys[fits])
        found = dict(zip(worthwhile, pools, strict=True))
    weighted: list[FitPool | None] = [None] * len(refined)
    for fit in np.flatnonzero(paths.succeeded_by_fit.any(axis=1)).tolist():
        own = paths.of_fit(fit)
        with suppress(NoFiniteDrawError):
            if is_host:
                weighted[fit] = _pool_of_fit(own, refined[fit], found.get(fit))
            else:
                weighted[fit] = fit_pool(own, refined[fit], keys[fit])
    return weighted


def _pool_of_fit(paths: FittedPaths, refined: RefinedFit | None, found: RefinedPool | int | None) -> FitPool:
    """That of the refined draws if there are any, else of the paths; `found` is what `refined_pools` gave."""
    cost = Cost() if refined is None else refined.cost
    if isinstance(found, RefinedPool):
        cost = cost._replace(num_densities=found.refinement.num_densities)
        return FitPool(found.pool, found.source, found.refinement, cost)
    if found is not None:
        cost = cost._replace(num_densities=found)
    return FitPool(make_pool(score_paths(paths), paths.succeeded, paths.settings), paths.source, None, cost)
