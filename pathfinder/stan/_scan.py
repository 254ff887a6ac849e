"""Recurrences: loops whose iterations run one after another in JAX, as one `lax.scan`.

What the body assigns is carried. Of an array that is only touched at fixed distances from the loop variable, a window
is carried instead of all of it: what leaves the window comes out of the scan as its output, so that a gradient costs
the same for each step however long the series is. Arrays that are only read so go in as inputs of the scan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._dependence import ConflictError, Scan
from pathfinder.stan._expressions import evaluate
from pathfinder.stan._flow import Continue, Leave, Then, nothing
from pathfinder.stan._lanes import Context, Lanes, freeze, is_static, lift, wrap
from pathfinder.stan._machine import Cell, NewPrivateError, Scope, Window
from pathfinder.stan._names import mentioned, nodes
from pathfinder.stan._run import Run, Step, settle
from pathfinder.stan._slices import changed_names
from pathfinder.stan._syntax import Binary, Expression, For, ForEach, Index, Statement, Variable
from pathfinder.stan._types import Type


Execute = Callable[[Run, Statement, Then], None]

MOST_READ_SLOTS = 8
MOST_WRITTEN_SLOTS = 64


class ScanError(Exception):
    """A loop cannot be a scan; says why."""


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
    """

    variable: str
    type: Type
    lower: np.ndarray
    counts: np.ndarray
    element: Callable[[Any], Any]
    names: frozenset[str]
    holds: Callable[[Any], Any] | None = None

    @property
    def first(self) -> int | None:
        """The first index, if it is the same for all lanes that have iterations."""
        lower = self.lower[self.counts > 0]
        return int(lower[0]) if np.all(lower == lower[0]) else None

    @property
    def most(self) -> int:
        """The largest number of iterations of a lane."""
        return int(np.max(self.counts))


@dataclass(frozen=True, eq=False)
class _Windowed:
    """An array of which the scan sees a part.

    Attributes:
        cell: The array outside of the loop.
        window: The part.
        slots: Length of the part.
        is_written: Whether the body assigns to it.
    """

    cell: Cell
    window: Window
    slots: int
    is_written: bool


def execute_scan(run: Run, node: For | ForEach, loop: Range, execute: Execute) -> None:
    """Run a loop as a scan.

    Raises:
        ScanError: If it leaves the loop early.
        UntraceableError: If a size or a bound in it depends on the iteration.
    """
    restore = run.machine.snapshot(loop.names)
    while True:
        try:
            _scan(run, node, loop, execute)
            return
        except NewPrivateError as new:
            restore()
            outside = new.scope.find(new.name)
            assert outside is not None
            run.machine.private_copy(outside, new.scope, new.context)
            restore = run.machine.snapshot(loop.names)


def _scan(run: Run, node: For | ForEach, loop: Range, execute: Execute) -> None:
    machine = run.machine
    outer_scope, outer_target, outer_ok, outer_mask = machine.scope, machine.target, machine.ok, machine.mask
    outer_scans, outer_key = machine.scans, machine.random_key
    changed = changed_names(node.body)
    windowed = _windows(run, node, loop, changed)
    carried = [
        cell
        for name in changed
        if (cell := machine.scope.find(name)) is not None and all(cell is not entry.cell for entry in windowed)
    ]
    first = loop.first
    token = Scan(machine.context)

    def step(carry, inputs):
        number, fresh = inputs
        values, held, target, ok = carry
        machine.scope, machine.mask = Scope(outer_scope), outer_mask
        machine.target, machine.ok = target, ok
        machine.scans = (*outer_scans, token)
        if outer_key is not None:
            machine.random_key = jax.random.fold_in(outer_key, number)
        for cell, value in zip(carried, values, strict=True):
            cell.value = wrap(value, cell.owner)
        seen = [
            _enter(machine.scope, entry, window, new, covered)
            for entry, window, new, covered in zip(windowed, held, fresh, coverage, strict=True)
        ]
        index = _index(run, loop, first, number)
        machine.declare(loop.variable, loop.type, index if loop.type.base == "int" else loop.element(index))
        run.broken.append([])
        try:
            if np.any(loop.counts != loop.most):
                with machine.where(Lanes(number < jnp.asarray(loop.counts), machine.context)):
                    execute(run, node.body, nothing)
            elif loop.holds is not None:
                with machine.where(loop.holds(settle(index))):
                    execute(run, node.body, nothing)
            else:
                execute(run, node.body, nothing)
        except Continue:
            pass
        except Leave as leave:
            raise ScanError(f"it leaves the loop by `{type(leave).__name__.lower()}`") from leave
        finally:
            broken = run.broken.pop()
        if broken:
            raise ScanError("it leaves the loop by `break` or `return`")
        new_values = [_like(_stored(machine, cell), value) for cell, value in zip(carried, values, strict=True)]
        for entry, cell, covered in zip(windowed, seen, coverage, strict=True):
            _cover_whole(entry, cell, covered, loop, machine.context)
        left = [_leave(entry, cell, window) for entry, cell, window in zip(windowed, seen, held, strict=True)]
        out = (new_values, [rest for rest, _ in left], _like(machine.target, target), jnp.asarray(machine.ok))
        return out, [emitted for _, emitted in left]

    prepared = [_prepare(entry, loop) for entry in windowed]
    coverage = [_coverage(entry, loop) for entry in windowed]
    start = (
        [_traced(_stored(machine, cell)) for cell in carried],
        [window for window, _ in prepared],
        jnp.zeros(()),
        jnp.asarray(True),
    )
    inputs = (jnp.arange(loop.most), [fresh for _, fresh in prepared])
    (values, held, target, ok), emitted = jax.lax.scan(step, start, inputs)
    machine.scope, machine.mask, machine.scans, machine.random_key = outer_scope, outer_mask, outer_scans, outer_key
    machine.target, machine.ok = outer_target + target, outer_ok
    machine.ok = ok if outer_ok is True else jnp.logical_and(outer_ok, ok)
    for cell, value in zip(carried, values, strict=True):
        cell.value = wrap(value, cell.owner)
    for entry, window, out in zip(windowed, held, emitted, strict=True):
        if entry.is_written:
            length = entry.cell.storage_shape(machine.root)[_axis(entry)]
            entry.cell.value = wrap(_reassemble(entry, loop, length, window, out), entry.cell.owner)


def _index(run: Run, loop: Range, first: int | None, number: Any) -> Any:
    if first is not None:
        return (
            Step(loop.variable, number + first, (first, first + loop.most - 1))
            if loop.type.base == "int"
            else number + first
        )
    return Lanes(jnp.asarray(loop.lower) + number, run.machine.context)


# Values that go around


def _stored(machine: Any, cell: Cell) -> Any:
    if cell.owner is machine.root:
        return cell.value
    return lift(cell.value, cell.owner)


def _traced(value: Any) -> Any:
    return jax.tree_util.tree_map(jnp.asarray, freeze(value))


def _like(value: Any, model: Any) -> Any:
    """A value with the shapes and types of another."""
    return jax.tree_util.tree_map(
        lambda new, old: jnp.broadcast_to(jnp.asarray(new, old.dtype), old.shape), freeze(value), model
    )


# Windows


def _windows(run: Run, node: For | ForEach, loop: Range, changed: Any) -> list[_Windowed]:
    """Arrays that the body only touches at fixed distances from the loop variable."""
    if loop.first is None or isinstance(node, ForEach):
        return []
    machine = run.machine
    found = []
    indexed: dict[str, list[tuple[Any, ...]]] = {}
    occurrences: dict[str, int] = {}
    inside: set[int] = set()  # indices of indices, which are taken together with those around them
    for at in nodes(node.body):
        if isinstance(at, Index) and id(at) not in inside:
            base, indices = run.chained(at)
            while isinstance(at, Index):
                inside.add(id(at))
                at = at.base
            if isinstance(base, Variable):
                indexed.setdefault(base.name, []).append(indices)
        elif isinstance(at, Variable):
            occurrences[at.name] = occurrences.get(at.name, 0) + 1
    for name, uses in indexed.items():
        cell = machine.scope.find(name)
        if cell is None or cell.window is not None or len(uses) != occurrences[name] or name == loop.variable:
            continue
        if isinstance(cell.value, tuple | Step):
            continue
        entry = _window(run, cell, uses, loop, name in changed)
        if entry is not None:
            found.append(entry)
    return found


def _window(run: Run, cell: Cell, uses: Sequence[tuple[Any, ...]], loop: Range, is_written: bool) -> _Windowed | None:
    for axis in range(min(map(len, uses))):
        offsets = [_offset(run, use[axis], loop) for use in uses]
        known = [offset for offset in offsets if offset is not None]
        if len(known) < len(offsets):
            continue
        low, high = min(known), max(known)
        slots = high - low + 1
        if slots > (MOST_WRITTEN_SLOTS if is_written else MOST_READ_SLOTS):
            return None
        return _Windowed(cell, Window(axis, loop.variable, low, cell), slots, is_written)
    return None


def _offset(run: Run, index: Any, loop: Range) -> int | None:
    """How far an index is from the loop variable; None if that is not fixed."""
    if isinstance(index, Variable) and index.name == loop.variable:
        return 0
    if not isinstance(index, Binary) or index.operator not in ("+", "-"):
        return None
    for variable, number in ((index.left, index.right), (index.right, index.left)):
        if isinstance(variable, Variable) and variable.name == loop.variable:
            if index.operator == "-" and variable is index.right:
                return None
            distance = _number(run, number, loop)
            return None if distance is None else distance if index.operator == "+" else -distance
    return None


def _number(run: Run, expression: Expression, loop: Range) -> int | None:
    names = mentioned(expression)
    if names & loop.names or any(run.machine.scope.find(name) is None for name in names):
        return None
    if any(isinstance(at, Index) for at in nodes(expression)):
        return None
    value = evaluate(run, expression)
    return int(value) if is_static(value) and not isinstance(value, Lanes) else None


def _axis(entry: _Windowed) -> int:
    return entry.window.axis + (0 if entry.cell.owner.is_root else 1)


def _padded(entry: _Windowed, loop: Range) -> tuple[Any, int]:
    """The array with the axis of the window in front, and the position there of the first slot at the first step."""
    cell, first = entry.cell, loop.first
    assert first is not None
    array = cell.value if cell.owner.is_root else lift(cell.value, cell.owner)
    module = np if is_static(array) else jnp
    moved = module.moveaxis(array, _axis(entry), 0)
    start = first + entry.window.first - 1
    end = start + loop.most + entry.slots - 1
    before, after = max(-start, 0), max(end - moved.shape[0], 0)
    if before or after:
        # reached only where the body does not use it, or the index would be out of range
        fill = 0 if moved.dtype.kind in "iu" else np.nan
        pads = [(before, after), *((0, 0) for _ in moved.shape[1:])]
        moved = module.pad(moved, pads, constant_values=fill)
    return moved, start + before


def _prepare(entry: _Windowed, loop: Range) -> tuple[Any, Any]:
    """What the scan carries of an array at the start, and what it takes in at each step."""
    moved, start = _padded(entry, loop)
    freeze(moved)
    if entry.is_written:
        held = _traced(moved[start : start + entry.slots - 1])
        return held, jnp.asarray(moved[start + entry.slots - 1 : start + entry.slots - 1 + loop.most], held.dtype)
    shifted = [moved[start + slot : start + slot + loop.most] for slot in range(entry.slots)]
    module = np if is_static(moved) else jnp
    return jnp.zeros(0), jnp.asarray(module.stack(shifted, axis=1))


def _coverage(entry: _Windowed, loop: Range) -> np.ndarray | None:
    """For a copy that iterations of a loop around have of their own: which slots they have assigned at any step."""
    if entry.cell.covered is None or loop.first is None:
        return None
    moved = np.moveaxis(entry.cell.covered, _axis(entry), 0)
    start = loop.first + entry.window.first - 1
    places = [np.arange(start, start + loop.most) + slot for slot in range(entry.slots)]
    held = [moved[[min(max(start + slot, 0), len(moved) - 1)]][0] for slot in range(entry.slots - 1)]
    fresh = np.all(moved[np.clip(places[-1], 0, len(moved) - 1)], axis=0)
    return np.moveaxis(np.stack([*held, fresh]), 0, _axis(entry))


def _cover_whole(entry: _Windowed, cell: Cell, before: np.ndarray | None, loop: Range, context: Context) -> None:
    """What the steps have assigned counts as assigned afterwards, if every step finds what the first one found."""
    if before is None or not entry.is_written:
        return
    assert cell.covered is not None
    assert entry.cell.covered is not None
    assert loop.first is not None
    was, now = np.moveaxis(before, _axis(entry), 0), np.moveaxis(cell.covered, _axis(entry), 0)
    if not np.all(now[1:] >= was[:-1]):
        raise ConflictError(context, cell.name, "is carried from one iteration to the next")
    whole = np.moveaxis(entry.cell.covered, _axis(entry), 0)
    start = loop.first + entry.window.first - 1
    whole[max(start, 0) : start + loop.most] |= now[0]
    for slot in range(1, entry.slots):
        place = start + loop.most - 1 + slot
        if 0 <= place < len(whole):
            whole[place] |= now[slot]


def _enter(scope: Scope, entry: _Windowed, held: Any, fresh: Any, covered: np.ndarray | None) -> Cell:
    """The part of an array that a step sees, as a variable of its own."""
    slots = jnp.concatenate([held, fresh[None]]) if entry.is_written else fresh
    value = jnp.moveaxis(slots, 0, _axis(entry))
    cell = Cell(entry.cell.name, entry.cell.type, wrap(value, entry.cell.owner), entry.cell.owner, window=entry.window)
    cell.covered = None if covered is None else covered.copy()
    scope.cells[cell.name] = cell
    return cell


def _leave(entry: _Windowed, cell: Cell, held: Any) -> tuple[Any, Any]:
    """What is carried on after a step, and what leaves the window."""
    if not entry.is_written:
        return held, jnp.zeros(0)
    value = cell.value.array if isinstance(cell.value, Lanes) else cell.value
    slots = jnp.asarray(jnp.moveaxis(value, _axis(entry), 0), held.dtype)
    return slots[1:], slots[0]


def _reassemble(entry: _Windowed, loop: Range, length: int, held: Any, emitted: Any) -> Any:
    """The whole array after the scan."""
    moved, start = _padded(entry, loop)
    whole = jnp.concatenate([moved[:start], emitted, held, moved[start + entry.slots - 1 + loop.most :]])
    assert loop.first is not None
    before = max(1 - loop.first - entry.window.first, 0)
    return jnp.moveaxis(whole[before : before + length], 0, _axis(entry))
