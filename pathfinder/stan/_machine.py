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

from pathfinder.stan._cells import Cell, LoopFrame, NewPrivateError, Scope
from pathfinder.stan._dependence import Access, ConflictError, Journal, Scan
from pathfinder.stan._elements import read
from pathfinder.stan._lanes import (
    Context,
    Lanes,
    Symbolic,
    aligned,
    array_of,
    context_of,
    deepest,
    entering,
    freeze,
    from_data,
    is_static,
    lift,
    wrap,
)
from pathfinder.stan._positions import At, Between, Many, Position, flat_positions, resolve
from pathfinder.stan._types import Type
from pathfinder.stan._writing import add, write


class Machine:
    """Where an evaluation stands."""

    def __init__(self) -> None:
        self.root = Context(1)
        self.context = self.root
        self.scope = Scope()
        self.mask: Any = None
        self.ok: Any = True
        self.target: Any = 0.0
        self.loops: list[LoopFrame] = []
        self.scans: tuple[Scan, ...] = ()
        self.watched: frozenset[str] = frozenset()
        self.flat_ranges = False  # ranges whose sizes differ between lanes are taken instead of refused
        self.random_key: Any = None
        self.random_calls = 0

    # Variables

    def find(self, name: str) -> Cell:
        """The variable of a name, which the type checker has seen declared."""
        cell = self.scope.find(name)
        assert cell is not None, name
        return cell

    def declare(self, name: str, type_: Type, value: Any) -> Cell:
        """A new variable, of which each lane of the present context has its own."""
        freeze(value)
        cell = Cell(name, type_, value, self.context)
        self.scope.cells[name] = cell
        return cell

    def read(self, cell: Cell, positions: Sequence[Position] = ()) -> Any:
        """A variable, or elements of it.

        Raises:
            ConflictError: If iterations that run side by side would have to run one after another.
        """
        if cell.covered is not None:
            self._require_covered(cell, positions)
        if self._is_logged(cell):
            self._log("read", cell, positions)
        return read(cell.value, positions, self.root) if positions else cell.value

    def assign(self, cell: Cell, positions: Sequence[Position], value: Any) -> None:
        """Assign to a variable or to elements of it, in all lanes of the present context where the mask holds."""
        if self.mask is not None:
            value = self.select(self.mask, value, self.read(cell, positions))
        if self._is_logged(cell):
            cell = self._private(cell, positions) or cell
            if self._is_logged(cell):
                self._log("write", cell, positions)
        if cell.covered is not None:
            self._cover(cell, positions)
        if not positions and cell.owner is self.context:
            cell.value = freeze(value)
            return
        cell.value = wrap(write(self.storage(cell), cell.owner, positions, value, self.context, self.root), cell.owner)

    def can_add(self, cell: Cell) -> bool:
        """Whether adding to a variable is a plain sum over the lanes."""
        is_whole = cell.covered is None and cell.window is None and not isinstance(cell.value, tuple)
        return is_whole and self._is_logged(cell)

    def add(self, cell: Cell, positions: Sequence[Position], value: Any) -> None:
        """Add to a variable or elements of it from all lanes; `can_add` tells whether this is possible."""
        if self.mask is not None:
            array = array_of(value)
            dtype = array.dtype if hasattr(array, "dtype") else np.asarray(array).dtype
            value = self.select(self.mask, value, np.zeros((), dtype))
        self._log("add", cell, positions)
        cell.value = wrap(add(self.storage(cell), cell.owner, positions, value, self.context), cell.owner)

    def storage(self, cell: Cell) -> Any:
        """The array of a variable with an entry for each lane of its owner."""
        if cell.owner is self.root:
            return cell.value
        if isinstance(cell.value, Lanes) and cell.value.context is cell.owner:
            return cell.value.array
        return lift(cell.value, cell.owner)

    # Dependence between iterations

    def _is_logged(self, cell: Cell) -> bool:
        return cell.name in self.watched and cell.owner is not self.context and cell.owner.loop is not self.context.loop

    def _elements(self, cell: Cell, positions: Sequence[Position]) -> np.ndarray:
        """Flat positions in the variable's storage that the lanes of the present context touch."""
        shape = cell.storage_shape(self.root)
        first = 0 if cell.owner is self.root else 1
        indices: dict[int, At | Many] = {}
        for axis, position in enumerate(positions, first):
            found = resolve(position, shape[axis])
            if is_static(found.index):
                indices[axis] = found  # an index that is not known counts as all of the axis
        places, _ = flat_positions(shape, indices, cell.owner, self.context)
        return np.asarray(places)

    def _log(self, kind: str, cell: Cell, positions: Sequence[Position]) -> None:
        if cell.window is not None and self._is_logged(cell.window.whole):
            # for the loops around the sequential one, an entry of the window may be any entry along its axis
            anywhere = [Between() if axis == cell.window.axis else at for axis, at in enumerate(positions)]
            self._log(kind, cell.window.whole, anywhere)
        if cell.journal is None:
            cell.journal = Journal(cell.name, cell.owner, int(np.prod(cell.storage_shape(self.root))))
        cell.journal.record(Access(kind, self.context, self._elements(cell, positions), self.scans))

    def _private(self, cell: Cell, positions: Sequence[Position]) -> Cell | None:
        """A copy of a variable for each lane of a loop, if lanes of it assign the same elements."""
        elements = self._elements(cell, positions)
        for frame in self.loops:
            if frame.context.depth <= cell.owner.depth or not frame.context.contains(self.context):
                continue
            lanes = self.context.lane_of(frame.context)
            if not _shared(elements, lanes):
                continue
            if cell.journal is not None and any(frame.context.contains(a.context) for a in cell.journal.accesses):
                raise ConflictError(frame.context, cell.name, "is carried from one iteration to the next")
            if self.scans and frame.context.depth <= self.scans[-1].context.depth:
                raise NewPrivateError(frame.scope, cell.name, frame.context)
            copy = self.private_copy(cell, frame.scope, frame.context)
            return (self._private(copy, positions) if self._is_logged(copy) else None) or copy
        return None

    def private_copy(self, cell: Cell, scope: Scope, context: Context) -> Cell:
        """A copy of a variable for each lane of a loop, of which nothing has been assigned yet."""
        copy = Cell(cell.name, cell.type, cell.value, context)
        copy.covered = np.zeros(copy.storage_shape(self.root), dtype=bool)
        scope.cells[cell.name] = copy
        return copy

    def _require_covered(self, cell: Cell, positions: Sequence[Position]) -> None:
        assert cell.covered is not None
        if not np.all(cell.covered.reshape(-1)[self._elements(cell, positions)]):
            raise ConflictError(cell.owner, cell.name, "is carried from one iteration to the next")

    def _cover(self, cell: Cell, positions: Sequence[Position]) -> None:
        assert cell.covered is not None
        if any(not is_static(index) for position in positions for index in _ends(position)):
            raise ConflictError(cell.owner, cell.name, "is assigned at an index that is not known from the data")
        cell.covered.reshape(-1)[self._elements(cell, positions)] = True

    def leave(self, frame: LoopFrame) -> None:
        """End a loop: what its iterations had of their own goes to the variables outside as the last one left it."""
        for copy in frame.scope.cells.values():
            if copy.covered is None:
                continue
            outside = frame.scope.parent.find(copy.name) if frame.scope.parent else None
            assert outside is not None
            self._write_back(copy, outside)

    def _write_back(self, copy: Cell, outside: Cell) -> None:
        assert copy.covered is not None
        shape = outside.storage_shape(self.root)
        size = int(np.prod(copy.covered.shape[1:]))
        covered = copy.covered.reshape(copy.owner.size, size)
        owner_lane = copy.owner.lane_of(outside.owner)
        targets = owner_lane[:, None] * size + np.arange(size)
        source = np.full(int(np.prod(shape)), -1)
        source[targets[covered]] = np.flatnonzero(covered.ravel())
        changed = np.flatnonzero(source >= 0)
        if outside.covered is not None:
            outside.covered.reshape(-1)[changed] = True
        elif self._is_logged(outside):
            self._log_elements(outside, copy.owner, covered, targets)
        taken = _gather_flat(self.storage(copy), source[changed])
        outside.value = wrap(_put_flat(self.storage(outside), changed, taken), outside.owner)

    def _log_elements(self, cell: Cell, context: Context, covered: np.ndarray, targets: np.ndarray) -> None:
        if not np.all(covered == covered[0]):
            raise ConflictError(context, cell.name, "is assigned in some iterations only")
        if cell.journal is None:
            cell.journal = Journal(cell.name, cell.owner, int(np.prod(cell.storage_shape(self.root))))
        cell.journal.record(Access("write", context, targets[:, covered[0]], self.scans))

    def refuse_lanes(self, what: str) -> None:
        """Loops around have to run one iteration after another.

        Raises:
            ConflictError: If they do not.
        """
        if self.loops:
            raise ConflictError(self.loops[0].context, what, "depends on the order of the iterations")

    # Conditions and the target

    def select(self, mask: Any, if_true: Any, if_false: Any) -> Any:
        """Lane by lane one of two values of the same type."""
        if isinstance(if_true, tuple):
            return tuple(self.select(mask, left, right) for left, right in zip(if_true, if_false, strict=True))
        context = deepest([context_of(value, self.root) for value in (mask, if_true, if_false)], self.root)
        return wrap(jnp.where(*map(entering, aligned([mask, if_true, if_false], context))), context)

    def truth(self, condition: Any) -> Any:
        """Lane by lane whether a number is not zero."""
        return self.select(condition, np.asarray(True), np.asarray(False))

    def negation(self, condition: Any) -> Any:
        """Lane by lane whether a condition does not hold."""
        return self.select(condition, np.asarray(False), np.asarray(True))

    def gate(self, value: Any) -> Any:
        """A value read where a condition holds: no gradient flows back to it where it does not."""
        if self.mask is None or isinstance(value, Symbolic) or is_static(value):
            return value
        return self.select(self.mask, value, _stopped(value))

    def increment(self, value: Any) -> None:
        """Add the value of every lane of the present context, where the mask holds, to the target."""
        if self.mask is not None:
            value = self.select(self.mask, value, 0.0)
        more = self.total(value)
        if is_static(self.target) and is_static(more):
            self.target = from_data(self.target + more, (self.target, more))
        else:
            self.target = entering(self.target) + entering(more)

    def total(self, value: Any) -> Any:
        """Sum over all lanes of the present context and all elements."""
        context = context_of(value, self.root)
        array = array_of(value)
        module = np if is_static(value) else jnp
        if context is self.context:
            total = module.sum(array)
        elif context.is_root:
            total = self.context.size * module.sum(array)
        else:
            counts = np.bincount(self.context.lane_of(context), minlength=context.size)
            total = module.sum(module.sum(array.reshape(context.size, -1), axis=1) * counts)
        return from_data(total, [array]) if module is np else total

    def require(self, holds: Any) -> None:
        """The point is rejected unless a condition holds in all lanes that run."""
        if self.mask is not None:
            holds = self.select(self.mask, holds, True)
        holds = array_of(holds)
        if not is_static(holds):
            self.ok = jnp.logical_and(self.ok, jnp.all(holds))
        elif not np.all(holds):
            self.ok = False

    # Where the evaluation goes

    @contextmanager
    def nested(self, scope: Scope | None = None) -> Iterator[Scope]:
        """Run with a scope of its own."""
        outer = self.scope
        self.scope = scope or Scope(outer)
        try:
            yield self.scope
        finally:
            self.scope = outer

    @contextmanager
    def within(self, context: Context) -> Iterator[None]:
        """Run for other lanes."""
        outer = self.context
        self.context = context
        try:
            yield
        finally:
            self.context = outer

    @contextmanager
    def where(self, condition: Any) -> Iterator[None]:
        """Run under a further condition, which is not known from the data; None if there is none."""
        outer = self.mask
        self.mask = self.both(outer, condition)
        try:
            yield
        finally:
            self.mask = outer

    def both(self, left: Any, right: Any) -> Any:
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

        def restore() -> None:
            (self.context, self.scope, self.mask, self.ok, self.target, loops, self.scans, self.watched) = state
            self.loops[:] = loops
            self.random_key, self.random_calls = random
            for scope, content in scopes:
                scope.cells = dict(content)
            for cell, value, journal, covered in saved:
                cell.value = value
                cell.covered = None if covered is None else covered.copy()
                if journal is None:
                    cell.journal = None
                else:
                    cell.journal, length = journal
                    del cell.journal.accesses[length:]

        return restore


def _ends(position: Position) -> list[Any]:
    if isinstance(position, At | Many):
        return [position.index]
    return [end for end in (position.lower, position.upper) if end is not None]


def _shared(elements: np.ndarray, lanes: np.ndarray) -> bool:
    """Whether lanes with different numbers touch the same element."""
    flat = elements.reshape(len(lanes), -1)
    if not flat.size:
        return False
    order = np.argsort(flat.ravel(), kind="stable")
    sorted_elements = flat.ravel()[order]
    sorted_lanes = np.repeat(lanes, flat.shape[1])[order]
    same = sorted_elements[1:] == sorted_elements[:-1]
    return bool(np.any(same & (sorted_lanes[1:] != sorted_lanes[:-1])))


def _gather_flat(storage: Any, places: np.ndarray) -> Any:
    if isinstance(storage, tuple):
        return tuple(_gather_flat(part, places) for part in storage)
    if isinstance(storage, np.ndarray):
        return storage.reshape(-1)[places]
    return storage.reshape(-1).at[places].get(mode="promise_in_bounds", wrap_negative_indices=False)


def _put_flat(storage: Any, places: np.ndarray, values: Any) -> Any:
    if isinstance(storage, tuple):
        return tuple(_put_flat(part, places, value) for part, value in zip(storage, values, strict=True))
    shape = np.shape(storage)
    if len(places) == int(np.prod(shape)):
        return values.reshape(shape)
    if is_static(storage) and is_static(values):
        result = np.array(storage, order="C")  # so that `reshape` below is a view
        result.reshape(-1)[places] = values
        return result
    flat = jnp.asarray(freeze(storage)).reshape(-1)
    return flat.at[places].set(values, mode="promise_in_bounds", unique_indices=True).reshape(shape)


def _stopped(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_stopped(element) for element in value)
    return (
        Lanes(jax.lax.stop_gradient(value.array), value.context)
        if isinstance(value, Lanes)
        else (jax.lax.stop_gradient(value))
    )
