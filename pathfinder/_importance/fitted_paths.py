"""The paths of fits, as what their draws are weighed by."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from pathfinder._arrays.devices import Devices
from pathfinder._density.either import Density
from pathfinder._importance.path_draws import PathDraws
from pathfinder._settings import Settings


@dataclass(frozen=True)
class FittedPaths:
    """The paths of one fit, or of many; lane f * num_paths + p is path p of fit f.

    Args:
        density: What was fitted: one data set, or many.
        source: Where the draws of their approximations come from.
        succeeded: Which paths have an approximation.
        settings: Options.
        devices: Where to run.
    """

    density: Density
    source: PathDraws
    succeeded: Bool[np.ndarray, " lane"]
    settings: Settings
    devices: Devices

    @property
    def num_fits(self) -> int:
        """Number of fits."""
        return self.density.num_fits or 1

    @property
    def succeeded_by_fit(self) -> Bool[np.ndarray, "fit path"]:
        """Which paths of each fit have an approximation."""
        return self.succeeded.reshape(self.num_fits, -1)

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
