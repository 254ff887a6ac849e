"""The pool of one fit: of its paths, or refined."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, UInt32

from pathfinder._arrays.devices import Devices
from pathfinder._arrays.namespace import Array
from pathfinder._density.either import Density
from pathfinder._importance.path_draws import PathDraws
from pathfinder._importance.pool import Pool, make_pool
from pathfinder._importance.refined_pool import NoRefinedDrawError, refined_pool
from pathfinder._importance.refinement import Refinement
from pathfinder._importance.scored_draws import score_paths
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
    cost = Cost()
    if refined is not None:
        cost = refined.cost
        if cost.num_gradients:
            try:
                pool, refined_source, refinement = refined_pool(density, refined, source, key, settings, devices)
            except NoRefinedDrawError as error:
                cost = cost._replace(num_densities=cost.num_densities + error.num_densities)
            else:
                return FitPool(pool, refined_source, refinement, cost._replace(num_densities=refinement.num_densities))
    scores = score_paths(density, source, succeeded, settings, devices)
    return FitPool(make_pool(scores, succeeded, settings), source, None, cost)
