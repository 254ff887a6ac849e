"""The iterations of a loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pathfinder.stan._types.types import Type
from pathfinder.stan._values.value import Value


@dataclass(frozen=True)
class DataPart:
    """What is known from the data of the variables that a loop assigns.

    Attributes:
        starts: Values at the beginning of all iterations, those of each lane one after another.
        ends: Values after the loop.
    """

    starts: dict[str, np.ndarray]
    ends: dict[str, Value]


@dataclass(frozen=True)
class Range:
    """Iterations of a loop.

    Attributes:
        variable: Name of the loop variable.
        type: Its type.
        lower: First value of the index for each lane of the present context.
        counts: Number of iterations for each lane.
        element: The value of the loop variable at an index (which is a value with or without lanes).
        names: What the body assigns to.
        holds: Whether an index belongs to the loop, where its bounds depend on the iteration of a sequential loop
            around it and `lower` and `counts` are the widest ones; None if all do.
        is_known: Whether the loop variable is known from the data.
    """

    variable: str
    type: Type
    lower: np.ndarray
    counts: np.ndarray
    element: Callable[[Value], Value]
    names: frozenset[str]
    holds: Callable[[Value], Value] | None = None
    is_known: bool = True

    @property
    def first(self) -> int | None:
        """The first index, if it is the same for all lanes that have iterations."""
        lower = self.lower[self.counts > 0]
        return int(lower[0]) if np.all(lower == lower[0]) else None

    @property
    def steps(self) -> np.ndarray:
        """Numbers of the iterations of each lane; those that have fewer than others stay at their last one."""
        return np.minimum(np.arange(self.most), self.counts[:, None] - 1)

    @property
    def most(self) -> int:
        """The largest number of iterations of a lane."""
        return int(np.max(self.counts))
