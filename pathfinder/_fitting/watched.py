"""Densities of the host that look at the clock while they are evaluated."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from pathfinder._density.either import Density
from pathfinder._density.host import Evaluator, HostDensity
from pathfinder._density.work import OPERATIONS_PER_LOOK


FEWEST_POINTS = 32  # of one call, which programs take at once


@dataclass(frozen=True)
class Watched:
    """An evaluator that calls `check` before some points at a time.

    Args:
        evaluator: What evaluates them.
        operations: About how many the log density takes.
        check: Ends the evaluation by raising `Interrupt`.
    """

    evaluator: Evaluator
    operations: float
    check: Callable[[], None]

    def values(self, positions: Float[np.ndarray, "n dim"], fits: Any, data: Any) -> Float[np.ndarray, " n"]:
        """Log densities."""
        return np.concatenate([self.evaluator.values(*part, data) for part in self._parts(positions, fits)])

    def values_and_gradients(
        self, positions: Float[np.ndarray, "n dim"], fits: Any, data: Any
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n dim"]]:
        """Log densities and gradients."""
        parts = [self.evaluator.values_and_gradients(*part, data) for part in self._parts(positions, fits)]
        values, gradients = zip(*parts, strict=True)
        return np.concatenate(values), np.concatenate(gradients)

    def _parts(self, positions: np.ndarray, fits: Any) -> Iterator[tuple[np.ndarray, Any]]:
        size = max(FEWEST_POINTS, int(OPERATIONS_PER_LOOK / max(1.0, self.operations)))
        for first in range(0, len(positions), size):
            self.check()
            rows = slice(first, first + size)
            yield positions[rows], None if fits is None else fits[rows]


def watched(density: Density, check: Callable[[], None]) -> Density:
    """The same density, whose evaluation on the host `check` may end; compiled programs run to their end."""
    if not isinstance(density, HostDensity):
        return density
    return dataclasses.replace(density, function=Watched(density.evaluator, density.operations, check))
