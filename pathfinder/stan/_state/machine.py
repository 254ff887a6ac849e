"""State of a program that is being evaluated: variables, conditions, the target, and where it stands.

Everything is functional but for this state, which can be put back to a snapshot: loops are tried in the fastest way
first, and begun anew in another one if their iterations depend on each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from pathfinder.stan._state.accesses import AccessLog
from pathfinder.stan._state.conditions import Conditions, Target
from pathfinder.stan._state.frame import Changed, Frame, Leavable
from pathfinder.stan._state.storage import flagged, storage
from pathfinder.stan._state.variables import Cell, LaneLoop, Scope
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import Position, step_in
from pathfinder.stan._values.lanes import array_of, freeze, is_static, wrap
from pathfinder.stan._values.reading import element_of, is_single, read, read_of_all_steps
from pathfinder.stan._values.restorable import Restorable
from pathfinder.stan._values.steps import Scan, Step, settle
from pathfinder.stan._values.value import Value
from pathfinder.stan._values.writing import add, write


class Variables:
    """The variables that are seen: declared, read, assigned and added to, for all lanes of the present context."""

    def __init__(self, frame: Frame, log: AccessLog, conditions: Conditions) -> None:
        self.frame, self.log, self.conditions = frame, log, conditions

    def find(self, name: str) -> Cell:
        """The variable of a name, which the type checker has seen declared."""
        cell = self.frame.scope.find(name)
        assert cell is not None, name
        return cell

    def declare(self, name: str, type_: Type, value: Value) -> Cell:
        """A new variable, of which each lane of the present context has its own."""
        freeze(value)
        cell = Cell(name, type_, value, self.frame.context, scans=self.frame.scans)
        self.frame.scope.cells[name] = cell
        return cell

    def read(self, cell: Cell, positions: Sequence[Position] = ()) -> Value:
        """A variable, or elements of it.

        Raises:
            ConflictError: If iterations that run side by side would have to run one after another.
        """
        if self.frame.watched or cell.covered is not None or cell.window is not None:
            self.log.note_read(cell, positions)
        return self._take(cell, positions)

    def _take(self, cell: Cell, positions: Sequence[Position]) -> Value:
        root = self.frame.root
        if cell.window is not None:
            return read(cell.value, cell.window.inside(positions, root), root)
        if not positions:
            return cell.value
        if isinstance(cell.value, np.ndarray) and all(map(is_single, positions)):
            return element_of(cell.value, positions)
        step = next((step for position in positions if (step := step_in(position)) is not None), None)
        if step is not None and _is_fixed(cell, step.scan):
            return read_of_all_steps(cell.value, positions, step.scan, root, self.frame.mask is not None)
        return read(cell.value, positions, root)

    def assign(self, cell: Cell, positions: Sequence[Position], value: Value) -> None:
        """Assign to a variable or to elements of it, in all lanes of the present context where the mask holds."""
        frame = self.frame
        if frame.mask is not None:
            kept = self._take(cell, positions) if self._ends_early else self.read(cell, positions)
            value = self.conditions.select(frame.mask, settle(value), settle(kept))
        if frame.watched or cell.covered is not None or cell.window is not None:
            cell = self.log.note_write(cell, positions)
        if not positions and cell.owner is frame.context:
            cell.value = freeze(value)
            return
        if cell.window is not None:
            positions = cell.window.inside(positions, frame.root)
            assert cell.touched is not None
            cell.touched = flagged(cell.touched, self.log.elements(cell, positions))
        value = settle(value)
        array = write(storage(cell), cell.owner, positions, value, frame.context, frame.root)
        cell.value = wrap(array, cell.owner)

    @property
    def _ends_early(self) -> bool:
        """Whether the only condition is that some lanes of a scan have fewer steps than others."""
        scans = self.frame.scans
        return bool(scans) and self.frame.mask is scans[-1].mask and scans[-1].ends_early

    def can_add(self, cell: Cell) -> bool:
        """Whether adding to a variable is a plain sum over the lanes."""
        is_whole = cell.covered is None and cell.window is None and not isinstance(cell.value, tuple)
        return is_whole and self.log.is_logged(cell)

    def add(self, cell: Cell, positions: Sequence[Position], value: Value) -> None:
        """Add to a variable or elements of it from all lanes; `can_add` tells whether this is possible."""
        if self.frame.mask is not None:
            array = array_of(value)
            dtype = array.dtype if hasattr(array, "dtype") else np.asarray(array).dtype
            value = self.conditions.select(self.frame.mask, value, np.zeros((), dtype))
        self.log.log("add", cell, positions)
        cell.value = wrap(add(storage(cell), cell.owner, positions, value, self.frame.context), cell.owner)


def _is_fixed(cell: Cell, scan: Scan) -> bool:
    """Whether a variable is the same at all steps of a scan."""
    if isinstance(cell.value, Step):
        return False
    return is_static(cell.value) or (scan not in cell.scans and cell.name not in scan.changed)


class Machine:
    """An evaluation in progress.

    Attributes:
        frame: Where it stands.
        log: What iterations that run side by side do to variables.
        conditions: What holds in some lanes or at some points only.
        variables: The variables.
        target: The log density.
    """

    def __init__(self) -> None:
        self.frame = Frame()
        self.log = AccessLog(self.frame)
        self.conditions = Conditions(self.frame)
        self.variables = Variables(self.frame, self.log, self.conditions)
        self.target = Target(self.frame, self.conditions)

    def nested(self, scope: Scope | None = None) -> Changed:
        """Run with a scope of its own."""
        return Changed(self.frame, "scope", scope or Scope(self.frame.scope))

    def within(self, context: Context) -> Changed:
        """Run for other lanes."""
        return Changed(self.frame, "context", context)

    def where(self, condition: Value | None) -> Changed:
        """Run under a further condition, which is not known from the data; None if there is none."""
        return Changed(self.frame, "mask", self.conditions.both(self.frame.mask, condition))

    def masked(self, mask: Value | None) -> Changed:
        """Run under another condition than the present one, which is put back whatever it becomes meanwhile."""
        return Changed(self.frame, "mask", mask)

    def leavable(self) -> Leavable:
        """Run a sequential loop, which lanes may leave one by one."""
        return Leavable(self.frame)

    @contextmanager
    def looping(self, context: Context, names: frozenset[str]) -> Iterator[LaneLoop]:
        """Run the iterations of a loop side by side; `names` are assigned in its body."""
        frame = self.frame
        loop = LaneLoop(context, Scope(frame.scope))
        with (
            frame.changed("loops", (*frame.loops, loop)),
            frame.changed("watched", frame.watched | names),
            self.nested(loop.scope),
            self.within(context),
        ):
            yield loop
        self.log.leave(loop)
        if not frame.loops:
            for name in names:
                cell = frame.scope.find(name)
                if cell is not None:
                    cell.journal = None

    def snapshot(self, names: frozenset[str]) -> Callable[[], None]:
        """Remember the state that a piece of program can change; calling the result puts it back.

        Args:
            names: The variables that are assigned in it.
        """
        scopes = self.frame.scope.chain()
        cells = [scope.cells[name] for scope in scopes for name in names if name in scope.cells]
        parts: list[Restorable] = [self.frame, *self.frame.scans, *scopes, *cells]
        saved = [(part, part.saved()) for part in parts]

        def restore() -> None:
            for part, copy in saved:
                part.restore(copy)

        return restore
