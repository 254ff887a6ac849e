"""A second refinement of the fits whose weights will not do after the first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, UInt32

from pathfinder._arrays.namespace import Array
from pathfinder._fitting.watched import watched
from pathfinder._importance.fit_pool import FitPool, fit_pool
from pathfinder._importance.fitted_paths import FittedPaths
from pathfinder._importance.pool import weights_will_do
from pathfinder._importance.refinement import Refinement
from pathfinder._refinement.refine import RefinedFit
from pathfinder._refinement.rescue import rescued


def rescue_fits(
    paths: FittedPaths,
    refined: Sequence[RefinedFit | None],
    weighted: Sequence[FitPool | None],
    keys: UInt32[Array, "fit 2"],
    check: Callable[[], None],
) -> tuple[list[FitPool | None], Bool[np.ndarray, " fit"], bool]:
    """Refine again where the weights will not do, and weigh anew what has become better by that.

    Args:
        paths: The paths of all fits.
        refined: The refined modes of each; None for a fit without any.
        weighted: The weighted draws of each; None for a fit that failed.
        keys: Key of each fit.
        check: As in `rescued`.

    Returns:
        The weighted draws; which fits were refined again; and whether an interrupt ended this early.
    """
    worthwhile = np.array(
        [
            own is not None and modes is not None and not weights_will_do(own.pool, paths.settings)
            for own, modes in zip(weighted, refined, strict=True)
        ]
    )
    pools = list(weighted)
    if not worthwhile.any():
        return pools, worthwhile, False
    found, interrupted = rescued(watched(paths.density, check), refined, keys, paths.settings, worthwhile, check=check)
    for fit in np.flatnonzero(worthwhile).tolist():
        before, now, own = refined[fit], found[fit], pools[fit]
        assert before is not None
        assert now is not None
        assert own is not None
        cost = own.cost._replace(
            num_gradients=now.cost.num_gradients,
            num_densities=own.cost.num_densities + now.num_densities - before.num_densities,
        )
        pools[fit] = own._replace(cost=cost, refinement=_with_second(own.refinement, now))
        if any(
            one.approximation is not other.approximation for one, other in zip(now.lanes, before.lanes, strict=True)
        ):
            again = fit_pool(paths.of_fit(fit), now, keys[fit])
            more = again.cost.num_densities - now.num_densities
            pools[fit] = again._replace(cost=cost._replace(num_densities=cost.num_densities + more))
    return pools, worthwhile, interrupted


def _with_second(refinement: Refinement | None, now: RefinedFit) -> Refinement | None:
    """What refinement came to if the second one changed nothing, with what that took."""
    if refinement is None:
        return None
    modes = [
        dataclasses.replace(mode, num_gradients=lane.num_gradients, ended_by_budget=lane.ended_by_budget)
        for mode, lane in zip(refinement.modes, now.lanes, strict=True)
    ]
    return dataclasses.replace(refinement, modes=tuple(modes))
