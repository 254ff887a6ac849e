"""Variables of a program under evaluation, and the scopes they live in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pathfinder.stan._dependence import Journal
from pathfinder.stan._lanes import Context, Lanes, array_of
from pathfinder.stan._types import Type


@dataclass(eq=False)
class Window:
    """Part of an array that a sequential loop holds while it passes along one axis.

    Attributes:
        axis: The axis, counted among the element axes.
        variable: The loop variable that indexes it.
        first: Offset from the loop variable to the index of the first entry held.
        whole: The array.
    """

    axis: int
    variable: str
    first: int
    whole: Cell


@dataclass(eq=False)
class Cell:
    """A variable.

    Attributes:
        name: Its name.
        type: Its type.
        value: What it holds; may belong to a context around `owner` as long as no element of it has been assigned.
        owner: The context whose lanes have each their own.
        journal: Accesses by the loops under way, or None if there were none yet.
        covered: For a copy that iterations have of their own: which elements they have assigned so far.
        window: Set where only a moving part of an array is held.
    """

    name: str
    type: Type
    value: Any
    owner: Context
    journal: Journal | None = None
    covered: np.ndarray | None = None
    window: Window | None = None

    def storage_shape(self, root: Context) -> tuple[int, ...]:
        """Shape of the value with the lanes of the owner in front."""
        value = self.value[0] if isinstance(self.value, tuple) else self.value
        shape = np.shape(array_of(value))
        if isinstance(value, Lanes):
            shape = shape[1:]
        return shape if self.owner is root else (self.owner.size, *shape)


@dataclass(eq=False)
class Scope:
    """Variables of a block, of an iteration or of a function."""

    parent: Scope | None = None
    cells: dict[str, Cell] = field(default_factory=dict)

    def find(self, name: str) -> Cell | None:
        """The variable of that name, from the inside outwards."""
        at: Scope | None = self
        while at is not None:
            cell = at.cells.get(name)
            if cell is not None:
                return cell
            at = at.parent
        return None


@dataclass(eq=False)
class LoopFrame:
    """A loop whose iterations run side by side."""

    context: Context
    scope: Scope


class NewPrivateError(Exception):
    """Inside of a scan, a loop around it turns out to need a copy of a variable for each of its iterations.

    Attributes:
        scope: The scope of that loop's iterations.
        name: The variable.
        context: The loop's context.
    """

    def __init__(self, scope: Scope, name: str, context: Context) -> None:
        super().__init__(name)
        self.scope = scope
        self.name = name
        self.context = context
