"""The paths of fits, as what their draws are weighed by."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from pathfinder._arrays.devices import Devices
from pathfinder._density.either import Density
from pathfinder._density.work import OPERATIONS_PER_LOOK
from pathfinder._importance.path_draws import PathDraws
from pathfinder._settings import Settings


DRAWS_PER_LOOK = 64  # of each lane, between two looks at the clock


@dataclass(frozen=True)
class FittedPaths:
    """The paths of one fit, or of many; lane f * num_paths + p is path p of fit f.

    Args:
        density: What was fitted: one data set, or many.
        source: Where the draws of their approximations come from.
        succeeded: Which paths have an approximation.
        settings: Options.
        devices: Where to run.
        is_over: Whether there is no time for more draws; None is never.
    """

    density: Density
    source: PathDraws
    succeeded: Bool[np.ndarray, " lane"]
    settings: Settings
    devices: Devices
    is_over: Callable[[], bool] | None = None

    @property
    def num_fits(self) -> int:
        """Number of fits."""
        return self.density.num_fits or 1

    @property
    def succeeded_by_fit(self) -> Bool[np.ndarray, "fit path"]:
        """Which paths of each fit have an approximation."""
        return self.succeeded.reshape(self.num_fits, -1)

    def parts_of_draws(self, num_lanes: int) -> Iterator[slice]:
        """Parts of the draws of each lane until there is no time for more; all at once if they are cheap."""
        count = self.settings.num_draws
        dear = self.is_over is not None and self.density.operations * num_lanes * count > OPERATIONS_PER_LOOK
        size = DRAWS_PER_LOOK if dear else count
        for first in range(0, count, size):
            if first and self.is_over is not None and self.is_over():
                return
            yield slice(first, min(first + size, count))

    def of_fit(self, fit: int) -> FittedPaths:
        """The paths of one fit."""
        size = len(self.succeeded) // self.num_fits
        lanes = slice(fit * size, (fit + 1) * size)
        return dataclasses.replace(
            self,
            density=self.density.of_fit(fit),
            source=self.source.of_lanes(lanes),
            succeeded=self.succeeded[lanes],
        )
