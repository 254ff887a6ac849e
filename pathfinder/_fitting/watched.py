"""Densities of the host that look at the clock while they are evaluated."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from pathfinder._density.either import Density
from pathfinder._density.host import HostDensity
from pathfinder._density.work import OPERATIONS_PER_LOOK


FEWEST_POINTS = 32  # of one call, which programs take at once


@dataclass(frozen=True)
class Watched:
    """An evaluator that calls `check` before some points at a time.

    Args:
        density: What evaluates them.
        check: Ends the evaluation by raising `Interrupt`.
    """

    density: HostDensity
    check: Callable[[], None]

    @property
    def operations(self) -> float:
        """About how many the log density takes."""
        return self.density.operations

    def values(self, positions: Float[np.ndarray, "n dim"], fits: Any, data: Any) -> Float[np.ndarray, " n"]:
        """Log densities."""
        values = self.density.evaluator.values
        return np.concatenate([values(*part, data) for part in self._parts(positions, fits)])

    def values_and_gradients(
        self, positions: Float[np.ndarray, "n dim"], fits: Any, data: Any
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n dim"]]:
        """Log densities and gradients."""
        evaluate = self.density.evaluator.values_and_gradients
        return self._joined(evaluate(*part, data) for part in self._parts(positions, fits))

    @property
    def second_order(self) -> Any:
        """Products with the Hessian, if there are any."""
        programs = self.density.second_order
        if programs is None:
            return None

        def products(positions, fits, probes, data):
            parts = self._parts(positions, fits, 2 * len(probes) + 1)
            return self._joined(programs(*part, probes, data) for part in parts)

        return products

    @property
    def function(self) -> Any:
        """The log density itself, `function(position, data)`, if JAX can trace it."""
        return self.density.traced_function

    @staticmethod
    def _joined(parts: Any) -> Any:
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    def _parts(self, positions: np.ndarray, fits: Any, evaluations: int = 1) -> Iterator[tuple[np.ndarray, Any]]:
        size = max(FEWEST_POINTS, int(OPERATIONS_PER_LOOK / max(1.0, self.operations * evaluations)))
        for first in range(0, len(positions), size):
            self.check()
            rows = slice(first, first + size)
            yield positions[rows], None if fits is None else fits[rows]


def watched(density: Density, check: Callable[[], None]) -> Density:
    """The same density, whose evaluation on the host `check` may end; compiled programs run to their end."""
    if not isinstance(density, HostDensity):
        return density
    return dataclasses.replace(density, function=Watched(density, check))
