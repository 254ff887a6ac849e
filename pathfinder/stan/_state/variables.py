"""Variables of a program under evaluation, and the scopes they live in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pathfinder.stan._state.dependence import Journal
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import At, Between, Many, MovingRange, Position, step_in
from pathfinder.stan._values.lanes import Lanes, array_of
from pathfinder.stan._values.restorable import Restorable
from pathfinder.stan._values.steps import Scan, Step, difference, step_of
from pathfinder.stan._values.value import Value


@dataclass(frozen=True, eq=False)
class Window:
    """Part of an array that a sequential loop holds while it passes along one axis.

    Attributes:
        axis: The axis, counted among the element axes.
        first: The index of the first entry held at every step, a table.
        slots: Number of entries held.
        whole: The array.
        scan: The loop.
    """

    axis: int
    first: Any
    slots: int
    whole: Cell
    scan: Scan

    def inside(self, positions: Sequence[Position], root: Context) -> list[Position]:
        """Positions in the array as positions in what is held.

        Raises:
            OutsideWindowError: If they are not held at every step.
        """
        moving = positions[self.axis] if len(positions) > self.axis else None
        step = step_in(moving)
        if step is None or step.scan is not self.scan:
            raise OutsideWindowError(self.whole)
        slot = step_of(self.scan, difference(step.table, self.first, root))
        if isinstance(slot, Step):
            raise OutsideWindowError(self.whole)
        size = moving.size if isinstance(moving, MovingRange) else 1
        if np.any(array_of(slot) < 0) or np.any(array_of(slot) + size > self.slots):
            raise OutsideWindowError(self.whole)
        held: Position
        if isinstance(slot, Lanes):
            places = slot.array[:, None] + np.arange(1, size + 1)
            held = (
                Many(Lanes(places, slot.context))
                if isinstance(moving, MovingRange)
                else At(Lanes(places[:, 0], slot.context))
            )
        else:
            held = Between(slot + 1, slot + size) if isinstance(moving, MovingRange) else At(int(slot) + 1)
        return [*positions[: self.axis], held, *positions[self.axis + 1 :]]


class OutsideWindowError(Exception):
    """A step of a sequential loop touches more of an array than was thought.

    Attributes:
        whole: The array.
    """

    def __init__(self, whole: Cell) -> None:
        super().__init__(whole.name)
        self.whole = whole


@dataclass(eq=False)
class Cell(Restorable):
    """A variable.

    Attributes:
        name: Its name.
        type: Its type.
        value: What it holds; may belong to a context around `owner` as long as no element of it has been assigned.
        owner: The context whose lanes have each their own.
        journal: Accesses by the loops under way, or None if there were none yet.
        covered: For a copy that iterations have of their own: which elements they have assigned so far.
        window: Set where only a moving part of an array is held.
        touched: Which elements of that part have been assigned at some step, with the lanes of the owner in front
            unless it is the root.
        scans: The sequential loops that it was declared in.
        padded: Its size along those axes along which it differs between lanes; there is room for the largest one.
    """

    name: str
    type: Type
    value: Value
    owner: Context
    journal: Journal | None = None
    covered: np.ndarray | None = None
    window: Window | None = None
    touched: np.ndarray | None = None
    scans: tuple[Scan, ...] = ()
    padded: dict[int, Lanes] = field(default_factory=dict)

    def storage_shape(self, root: Context) -> tuple[int, ...]:
        """Shape of the value with the lanes of the owner in front."""
        value = self.value[0] if isinstance(self.value, tuple) else self.value
        shape = np.shape(array_of(value))
        if isinstance(value, Lanes):
            shape = shape[1:]
        return shape if self.owner is root else (self.owner.size, *shape)


@dataclass(eq=False)
class Scope(Restorable):
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

    def chain(self) -> list[Scope]:
        """This scope and those around it."""
        return [self, *(self.parent.chain() if self.parent else ())]


@dataclass(frozen=True, eq=False)
class LaneLoop:
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
