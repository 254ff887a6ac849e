"""State of a program that is being evaluated: variables, lanes, conditions, and what has been added to the target.

Everything is functional but for this state, which can be put back to a snapshot: loops are tried in the fastest way
first, and begun anew in another one if their iterations depend on each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._state.accesses import Iterations
from pathfinder.stan._state.variables import Cell, LoopFrame, Scope
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.contexts import Context, deepest
from pathfinder.stan._values.indices import Position, step_in
from pathfinder.stan._values.lanes import (
    Lanes,
    Symbolic,
    aligned,
    array_of,
    context_of,
    entering,
    freeze,
    from_data,
    is_static,
    take,
    wrap,
)
from pathfinder.stan._values.reading import element_of, is_single, read, read_of_all_steps
from pathfinder.stan._values.steps import Scan, Step, settle
from pathfinder.stan._values.value import Value
from pathfinder.stan._values.writing import add, write


class Machine(Iterations):
    """Where an evaluation stands."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = Scope()
        self.mask: Value | None = None
        self.ok: Any = True
        self.target: Any = 0.0
        self.flat_ranges = False  # ranges whose sizes differ between lanes are taken instead of refused
        self.random_key: Any = None
        self.random_calls = 0

    # Variables

    def find(self, name: str) -> Cell:
        """The variable of a name, which the type checker has seen declared."""
        cell = self.scope.find(name)
        assert cell is not None, name
        return cell

    def declare(self, name: str, type_: Type, value: Value) -> Cell:
        """A new variable, of which each lane of the present context has its own."""
        freeze(value)
        cell = Cell(name, type_, value, self.context, scans=self.scans)
        self.scope.cells[name] = cell
        return cell

    def read(self, cell: Cell, positions: Sequence[Position] = ()) -> Value:
        """A variable, or elements of it.

        Raises:
            ConflictError: If iterations that run side by side would have to run one after another.
        """
        if self.watched or cell.covered is not None or cell.window is not None:
            self.note_read(cell, positions)
        return self._take(cell, positions)

    def _take(self, cell: Cell, positions: Sequence[Position]) -> Value:
        if cell.window is not None:
            return read(cell.value, cell.window.inside(positions, self.root), self.root)
        if not positions:
            return cell.value
        if isinstance(cell.value, np.ndarray) and all(map(is_single, positions)):
            return element_of(cell.value, positions)
        step = next((step for position in positions if (step := step_in(position)) is not None), None)
        if step is not None and self._is_fixed(cell, step.scan):
            return read_of_all_steps(cell.value, positions, step.scan, self.root, self.mask is not None)
        return read(cell.value, positions, self.root)

    def _is_fixed(self, cell: Cell, scan: Scan) -> bool:
        """Whether a variable is the same at all steps of a scan."""
        if isinstance(cell.value, Step):
            return False
        return is_static(cell.value) or (scan not in cell.scans and cell.name not in scan.changed)

    def assign(self, cell: Cell, positions: Sequence[Position], value: Value) -> None:
        """Assign to a variable or to elements of it, in all lanes of the present context where the mask holds."""
        if self.mask is not None:
            kept = self._take(cell, positions) if self._ends_early else self.read(cell, positions)
            value = self.select(self.mask, settle(value), settle(kept))
        if self.watched or cell.covered is not None or cell.window is not None:
            cell = self.note_write(cell, positions)
        if not positions and cell.owner is self.context:
            cell.value = freeze(value)
            return
        if cell.window is not None:
            positions = cell.window.inside(positions, self.root)
            cell.window.touched.reshape(-1)[self.elements(cell, positions)] = True
        value = settle(value)
        cell.value = wrap(write(self.storage(cell), cell.owner, positions, value, self.context, self.root), cell.owner)

    @property
    def _ends_early(self) -> bool:
        """Whether the only condition is that some lanes of a scan have fewer steps than others."""
        return bool(self.scans) and self.mask is self.scans[-1].mask and self.scans[-1].ends_early

    def can_add(self, cell: Cell) -> bool:
        """Whether adding to a variable is a plain sum over the lanes."""
        is_whole = cell.covered is None and cell.window is None and not isinstance(cell.value, tuple)
        return is_whole and self.is_logged(cell)

    def add(self, cell: Cell, positions: Sequence[Position], value: Value) -> None:
        """Add to a variable or elements of it from all lanes; `can_add` tells whether this is possible."""
        if self.mask is not None:
            array = array_of(value)
            dtype = array.dtype if hasattr(array, "dtype") else np.asarray(array).dtype
            value = self.select(self.mask, value, np.zeros((), dtype))
        self.log("add", cell, positions)
        cell.value = wrap(add(self.storage(cell), cell.owner, positions, value, self.context), cell.owner)

    # Conditions and the target

    def select(self, mask: Value, if_true: Value, if_false: Value) -> Value:
        """Lane by lane one of two values of the same type."""
        if isinstance(if_true, tuple):
            return tuple(self.select(mask, left, right) for left, right in zip(if_true, if_false, strict=True))
        context = deepest([context_of(value, self.root) for value in (mask, if_true, if_false)], self.root)
        return wrap(jnp.where(*map(entering, aligned([mask, if_true, if_false], context))), context)

    def truth(self, condition: Value) -> Value:
        """Lane by lane whether a number is not zero."""
        return self.select(condition, np.asarray(True), np.asarray(False))

    def negation(self, condition: Value) -> Value:
        """Lane by lane whether a condition does not hold."""
        return self.select(condition, np.asarray(False), np.asarray(True))

    def gate(self, value: Value) -> Value:
        """A value read where a condition holds: no gradient flows back to it where it does not."""
        if self.mask is None or isinstance(value, Symbolic) or is_static(value):
            return value
        return self.select(self.mask, value, _stopped(value))

    def increment(self, value: Value) -> None:
        """Add the value of every lane of the present context, where the mask holds, to the target."""
        if self.mask is not None:
            value = self.select(self.mask, value, 0.0)
        more = self.total(value)
        if is_static(self.target) and is_static(more):
            self.target = from_data(self.target + more, (self.target, more))
        else:
            self.target = entering(self.target) + entering(more)

    def total(self, value: Value) -> Value:
        """Sum over all lanes of the present context and all elements."""
        context = context_of(value, self.root)
        array = array_of(value)
        module = np if is_static(value) else jnp
        if context is self.context:
            total = module.sum(array)
        elif context.is_root:
            total = self.context.size * module.sum(array)
        else:
            # lanes that do not run may hold NaN
            lanes, counts = np.unique(self.context.lane_of(context), return_counts=True)
            running = array[lanes] if isinstance(array, np.ndarray) else take(array, lanes)
            total = module.sum(module.sum(running.reshape(len(lanes), -1), axis=1) * counts)
        return from_data(total, [array]) if module is np else total

    def require(self, holds: Value) -> None:
        """The point is rejected unless a condition holds in all lanes that run."""
        if self.mask is not None:
            holds = self.select(self.mask, holds, True)
        holds = array_of(holds)
        if not is_static(holds):
            self.ok = jnp.logical_and(self.ok, jnp.all(holds))
        elif not np.all(holds):
            self.ok = False

    # Where the evaluation goes

    def nested(self, scope: Scope | None = None) -> _Changed:
        """Run with a scope of its own."""
        return _Changed(self, "scope", scope or Scope(self.scope))

    def within(self, context: Context) -> _Changed:
        """Run for other lanes."""
        return _Changed(self, "context", context)

    def where(self, condition: Value | None) -> _Changed:
        """Run under a further condition, which is not known from the data; None if there is none."""
        return _Changed(self, "mask", self.both(self.mask, condition))

    def both(self, left: Value | None, right: Value | None) -> Value | None:
        """Lane by lane whether two conditions hold, of which None is one that always does."""
        if left is None or right is None:
            return right if left is None else left
        context = deepest([context_of(left, self.root), context_of(right, self.root)], self.root)
        return wrap(jnp.logical_and(*aligned([left, right], context)), context)

    @contextmanager
    def looping(self, context: Context, names: frozenset[str]) -> Iterator[LoopFrame]:
        """Run the iterations of a loop side by side; `names` are assigned in its body."""
        frame = LoopFrame(context, Scope(self.scope))
        watched = self.watched
        self.watched = watched | names
        self.loops.append(frame)
        try:
            with self.nested(frame.scope), self.within(context):
                yield frame
        finally:
            self.loops.remove(frame)
            self.watched = watched
        self.leave(frame)
        if not self.loops:
            for name in names:
                cell = self.scope.find(name)
                if cell is not None:
                    cell.journal = None

    def snapshot(self, names: frozenset[str]) -> Callable[[], None]:
        """Remember the state that a piece of program can change; calling the result puts it back.

        Args:
            names: The variables that are assigned in it.
        """
        cells = []
        scopes: list[tuple[Scope, dict[str, Cell]]] = []
        at: Scope | None = self.scope
        while at is not None:
            scopes.append((at, dict(at.cells)))
            cells += [at.cells[name] for name in names if name in at.cells]
            at = at.parent
        saved = [
            (
                cell,
                freeze(cell.value),
                None if cell.journal is None else (cell.journal, len(cell.journal.accesses)),
                None if cell.covered is None else cell.covered.copy(),
            )
            for cell in cells
        ]
        state = (self.context, self.scope, self.mask, self.ok, self.target, list(self.loops), self.scans, self.watched)
        random = self.random_key, self.random_calls
        coverages = [(scan, {cell: coverage.length for cell, coverage in scan.coverage.items()}) for scan in self.scans]

        def restore() -> None:
            (self.context, self.scope, self.mask, self.ok, self.target, loops, self.scans, self.watched) = state
            self.loops[:] = loops
            self.random_key, self.random_calls = random
            for scope, content in scopes:
                scope.cells = dict(content)
            for scan, lengths in coverages:
                scan.coverage = {cell: scan.coverage[cell].cut(length) for cell, length in lengths.items()}
            for cell, value, journal, covered in saved:
                cell.value = value
                cell.covered = None if covered is None else covered.copy()
                if journal is None:
                    cell.journal = None
                else:
                    cell.journal, length = journal
                    del cell.journal.accesses[length:]

        return restore


def _stopped(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_stopped(element) for element in value)
    return (
        Lanes(jax.lax.stop_gradient(value.array), value.context)
        if isinstance(value, Lanes)
        else (jax.lax.stop_gradient(value))
    )


class _Changed:
    """Part of the state is another one for a while; a class, since generators take several times as long to enter."""

    __slots__ = ("machine", "name", "outer", "value")

    def __init__(self, machine: Machine, name: str, value: Any) -> None:
        self.machine, self.name, self.value = machine, name, value

    def __enter__(self) -> Any:
        self.outer = getattr(self.machine, self.name)
        setattr(self.machine, self.name, self.value)
        return self.value

    def __exit__(self, *error: object) -> None:
        setattr(self.machine, self.name, self.outer)
