"""The paths of one fit or of many: where they start, how they end, and where their draws come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt32

from pathfinder._arrays.devices import Devices
from pathfinder._arrays.namespace import Array
from pathfinder._arrays.streams import Stream, path_keys
from pathfinder._density.either import Density
from pathfinder._fitting.initial_points import InitialPoints
from pathfinder._importance.fitted_paths import FittedPaths
from pathfinder._importance.path_draws import path_draws
from pathfinder._optimizer.start import Start
from pathfinder._paths.outcomes import PathOutcomes, PathReport
from pathfinder._paths.run_paths import run_paths
from pathfinder._settings import Settings


class FitLanes(NamedTuple):
    """The paths of some fits; lane f * num_paths + p is path p of fit f.

    Args:
        outcomes: How they ended.
        paths: What their draws are weighed by.
    """

    outcomes: PathOutcomes
    paths: FittedPaths


def run_lanes(
    density: Density,
    points: InitialPoints,
    keys: UInt32[Array, "... 2"],
    numbers: Int[np.ndarray, " lane"],
    settings: Settings,
    devices: Devices,
    check: Callable[[], None],
    report: Callable[[list[PathReport]], None],
    is_over: Callable[[], bool] | None = None,
) -> FitLanes:
    """Run the paths of all fits.

    Args:
        density: What to fit.
        points: Where the paths of a fit may start.
        keys: The key of each lane, or one for all.
        numbers: The number of each lane's path among the random streams.
        settings: Options.
        devices: Where to run.
        check: As in `run_paths`.
        report: As in `run_paths`.
        is_over: As in `FittedPaths`.
    """
    repeats = len(numbers) // len(points.center)
    starts = Start(
        path_keys(keys, numbers, Stream.INITIAL_POINT),
        np.tile(points.center, (repeats, 1)),
        np.tile(points.radius, (repeats, 1)),
        np.tile(points.max_tries, repeats),
    )
    elbo_keys = path_keys(keys, numbers, Stream.ELBO)
    outcomes = run_paths(density, starts, elbo_keys, settings, devices, check=check, report=report)
    draw_keys = path_keys(keys, numbers, Stream.DRAWS)
    source = path_draws(
        density, outcomes.approximations, draw_keys, elbo_keys, outcomes.best_iteration, settings, devices
    )
    return FitLanes(outcomes, FittedPaths(density, source, outcomes.best_iteration >= 0, settings, devices, is_over))
