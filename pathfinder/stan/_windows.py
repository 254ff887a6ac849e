"""Arrays of which a sequential loop only touches entries at fixed distances from its variable.

A scan carries a window of such an array instead of all of it, and gives out what leaves the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from pathfinder.stan._cells import Cell, Scope, Window
from pathfinder.stan._dependence import ConflictError
from pathfinder.stan._expressions import evaluate
from pathfinder.stan._lanes import Context, Lanes, freeze, is_static, lift, traced, wrap
from pathfinder.stan._loop_range import Range
from pathfinder.stan._names import mentioned, nodes
from pathfinder.stan._run import Run, Step
from pathfinder.stan._syntax import Binary, Expression, For, ForEach, Index, Variable


MOST_READ_SLOTS = 8
MOST_WRITTEN_SLOTS = 64


@dataclass(frozen=True, eq=False)
class Windowed:
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


def windows_of(run: Run, node: For | ForEach, loop: Range, changed: Any) -> list[Windowed]:
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


def _window(run: Run, cell: Cell, uses: Sequence[tuple[Any, ...]], loop: Range, is_written: bool) -> Windowed | None:
    for axis in range(min(map(len, uses))):
        offsets = [_offset(run, use[axis], loop) for use in uses]
        known = [offset for offset in offsets if offset is not None]
        if len(known) < len(offsets):
            continue
        low, high = min(known), max(known)
        slots = high - low + 1
        if slots > (MOST_WRITTEN_SLOTS if is_written else MOST_READ_SLOTS):
            return None
        return Windowed(cell, Window(axis, loop.variable, low, cell), slots, is_written)
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


def axis_of(entry: Windowed) -> int:
    """The axis of the window in the storage of its array."""
    return entry.window.axis + (0 if entry.cell.owner.is_root else 1)


def _padded(entry: Windowed, loop: Range) -> tuple[Any, int]:
    """The array with the axis of the window in front, and the position there of the first slot at the first step."""
    cell, first = entry.cell, loop.first
    assert first is not None
    array = cell.value if cell.owner.is_root else lift(cell.value, cell.owner)
    module = np if is_static(array) else jnp
    moved = module.moveaxis(array, axis_of(entry), 0)
    start = first + entry.window.first - 1
    end = start + loop.most + entry.slots - 1
    before, after = max(-start, 0), max(end - moved.shape[0], 0)
    if before or after:
        # reached only where the body does not use it, or the index would be out of range
        fill = 0 if moved.dtype.kind in "iu" else np.nan
        pads = [(before, after), *((0, 0) for _ in moved.shape[1:])]
        moved = module.pad(moved, pads, constant_values=fill)
    return moved, start + before


def prepare(entry: Windowed, loop: Range) -> tuple[Any, Any]:
    """What the scan carries of an array at the start, and what it takes in at each step."""
    moved, start = _padded(entry, loop)
    freeze(moved)
    if entry.is_written:
        held = traced(moved[start : start + entry.slots - 1])
        return held, jnp.asarray(moved[start + entry.slots - 1 : start + entry.slots - 1 + loop.most], held.dtype)
    shifted = [moved[start + slot : start + slot + loop.most] for slot in range(entry.slots)]
    module = np if is_static(moved) else jnp
    return jnp.zeros(0), jnp.asarray(module.stack(shifted, axis=1))


def coverage_of(entry: Windowed, loop: Range) -> np.ndarray | None:
    """For a copy that iterations of a loop around have of their own: which slots they have assigned at any step."""
    if entry.cell.covered is None or loop.first is None:
        return None
    moved = np.moveaxis(entry.cell.covered, axis_of(entry), 0)
    start = loop.first + entry.window.first - 1
    places = [np.arange(start, start + loop.most) + slot for slot in range(entry.slots)]
    held = [moved[[min(max(start + slot, 0), len(moved) - 1)]][0] for slot in range(entry.slots - 1)]
    fresh = np.all(moved[np.clip(places[-1], 0, len(moved) - 1)], axis=0)
    return np.moveaxis(np.stack([*held, fresh]), 0, axis_of(entry))


def cover_whole(entry: Windowed, cell: Cell, before: np.ndarray | None, loop: Range, context: Context) -> None:
    """What the steps have assigned counts as assigned afterwards, if every step finds what the first one found."""
    if before is None or not entry.is_written:
        return
    assert cell.covered is not None
    assert entry.cell.covered is not None
    assert loop.first is not None
    was, now = np.moveaxis(before, axis_of(entry), 0), np.moveaxis(cell.covered, axis_of(entry), 0)
    if not np.all(now[1:] >= was[:-1]):
        raise ConflictError(context, cell.name, "is carried from one iteration to the next")
    whole = np.moveaxis(entry.cell.covered, axis_of(entry), 0)
    start = loop.first + entry.window.first - 1
    whole[max(start, 0) : start + loop.most] |= now[0]
    for slot in range(1, entry.slots):
        place = start + loop.most - 1 + slot
        if 0 <= place < len(whole):
            whole[place] |= now[slot]


def enter(scope: Scope, entry: Windowed, held: Any, fresh: Any, covered: np.ndarray | None) -> Cell:
    """The part of an array that a step sees, as a variable of its own."""
    slots = jnp.concatenate([held, fresh[None]]) if entry.is_written else fresh
    value = jnp.moveaxis(slots, 0, axis_of(entry))
    cell = Cell(entry.cell.name, entry.cell.type, wrap(value, entry.cell.owner), entry.cell.owner, window=entry.window)
    cell.covered = None if covered is None else covered.copy()
    scope.cells[cell.name] = cell
    return cell


def shifted(entry: Windowed, cell: Cell, held: Any) -> tuple[Any, Any]:
    """What is carried on after a step, and what leaves the window."""
    if not entry.is_written:
        return held, jnp.zeros(0)
    value = cell.value.array if isinstance(cell.value, Lanes) else cell.value
    slots = jnp.asarray(jnp.moveaxis(value, axis_of(entry), 0), held.dtype)
    return slots[1:], slots[0]


def reassemble(entry: Windowed, loop: Range, length: int, held: Any, emitted: Any) -> Any:
    """The whole array after the scan."""
    moved, start = _padded(entry, loop)
    whole = jnp.concatenate([moved[:start], emitted, held, moved[start + entry.slots - 1 + loop.most :]])
    assert loop.first is not None
    before = max(1 - loop.first - entry.window.first, 0)
    return jnp.moveaxis(whole[before : before + length], 0, axis_of(entry))
