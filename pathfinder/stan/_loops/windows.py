"""Arrays of which a sequential loop only touches a part at each step, and a part that moves evenly.

A scan carries a window of such an array instead of all of it, takes in what enters the window and gives out what leaves
it. Iterations side by side may each have their window of one array, as long as they do not touch each other's elements.

`z[n] += z[n - 1] * z[n - 2]` touches three entries at each step, and the next step the three behind the first of them.
Two are carried; the third, `z[n]` as it was before the loop, comes in as an input of the scan, and `z[n - 2]`, which no
later step touches, goes out as its output. So a step costs three entries, and its gradient too, however long `z` is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from pathfinder.stan._loops.range import Range
from pathfinder.stan._state.machine import Machine
from pathfinder.stan._state.storage import put, storage
from pathfinder.stan._state.variables import Cell, Scope, Window
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import Between, Many, MovingRange, flat_positions, step_in
from pathfinder.stan._values.lanes import Lanes, array_of, context_of, freeze, is_static, lift, take, traced, wrap
from pathfinder.stan._values.reading import read
from pathfinder.stan._values.steps import Scan, Step, difference


MOST_SLOTS = 64


@dataclass(frozen=True, eq=False)
class Moving:
    """A window while it moves.

    Attributes:
        cell: The array outside of the loop.
        owner: The context whose lanes have each their own window.
        axis: The axis that it moves along, counted among the element axes.
        starts: The index of the first entry held at the first step, for each lane of `owner`, or for all.
        stride: How far it moves at each step.
        slots: Number of entries held.
        counts: Number of steps of each lane of `owner`.
        scan: The loop.
    """

    cell: Cell
    owner: Context
    axis: int
    starts: np.ndarray
    stride: int
    slots: int
    counts: np.ndarray
    scan: Scan

    @property
    def entering(self) -> int:
        """How many entries enter the window at each step, and leave it after it."""
        return min(abs(self.stride), self.slots)

    @property
    def at(self) -> int:
        """The axis in the storage of the window."""
        return self.axis + (0 if self.owner.is_root else 1)

    def table(self, loop: Range) -> Any:
        """The index of the first entry held at every step; lanes that have no more of them stay at their last one."""
        steps = self.stride * np.arange(self.scan.length)
        if len(self.starts) == 1 and np.all(loop.counts == loop.most):
            return self.starts[0] + steps
        context = self.scan.context
        starts = self.starts if len(self.starts) == 1 else self.starts[context.lane_of(self.owner)]
        return Lanes(starts[:, None] + self.stride * loop.steps, context)

    def indices(self, *, leaving: bool) -> np.ndarray:
        """Indices of what enters or leaves, step by step, and of what is held before or after; shape [lanes, ...]."""
        kept = self.slots - self.entering
        # going up, entries leave at the front and enter at the back; going down, the other way round
        at_front = (self.stride > 0) == leaving
        moving = np.arange(self.entering) + (0 if at_front else kept)
        steps = self.stride * np.arange(self.scan.length)
        entries = (steps[:, None] + moving).ravel()
        held = np.arange(kept) + (self.entering if at_front else 0) + (steps[-1] if leaving else 0)
        return self.starts[:, None] + np.concatenate([entries, held] if leaving else [held, entries])


def windows_of(machine: Machine, scan: Scan, loop: Range, cells: Sequence[Cell], uses: Any) -> list[Moving]:
    """Windows of those arrays that have one.

    Args:
        machine: The state.
        scan: The loop.
        loop: Its iterations.
        cells: What it assigns.
        uses: The positions of all uses by name.
    """
    found = []
    for cell in cells:
        is_array = cell.window is None and not isinstance(cell.value, tuple | Step)
        known = uses.get(cell.name, [None])
        if is_array and all(use is not None for use in known):
            window = _window(machine, scan, loop, cell, known)
            if window is not None:
                found.append(window)
    return found


def _window(machine: Machine, scan: Scan, loop: Range, cell: Cell, uses: Sequence[Any]) -> Moving | None:
    root = machine.frame.root
    shape = cell.storage_shape(root)[0 if cell.owner.is_root else 1 :]
    for axis in range(min(min(map(len, uses)), len(shape))):
        steps = [step_in(use[axis]) for use in uses]
        moving = [step for step in steps if step is not None and step.scan is scan]
        outside = [step.table for step in moving if context_of(step.table, root).contains(scan.context)]
        # each use has to move with this scan, and one of them with nothing inside of it: that one gives the movement
        if len(moving) < len(uses) or not outside or not shape[axis]:
            continue
        # the window moves as the first of the indices does, so that all others must keep their distances to it
        gaps = [array_of(difference(step.table, outside[0], root)) for step in moving]
        if any(np.any(gap != gap[..., :1]) for gap in gaps):
            continue
        sizes = [use[axis].size if isinstance(use[axis], MovingRange) else 1 for use in uses]
        low = min(int(np.min(gap)) for gap in gaps)
        high = max(int(np.max(gap)) + size - 1 for gap, size in zip(gaps, sizes, strict=True))
        first, stride = _movement(outside[0], loop, scan)
        if stride and 0 <= high - low < MOST_SLOTS:
            table = context_of(outside[0], root)
            # Where lanes begin at different entries, each of them gets a window of its own, though the array may belong
            # to a context around them: they can touch different parts of one array.
            is_same = np.all(first == first[0])
            owner = cell.owner if is_same or table.contains(cell.owner) else table
            counts = np.zeros(owner.size, np.int64)
            np.maximum.at(counts, scan.context.lane_of(owner), loop.counts)
            starts = first[:1] if is_same else np.ravel(lift(Lanes(first, table), owner))
            return Moving(cell, owner, axis, starts + low, stride, high - low + 1, counts, scan)
    return None


def _movement(table: Any, loop: Range, scan: Scan) -> tuple[np.ndarray, int]:
    """Where an index begins in each lane, and how far it moves at each step; 0 if that differs."""
    values = lift(table, scan.context)
    # beyond its last step a lane stays where it is, which is no movement
    moves = np.diff(values, axis=1)[np.arange(1, scan.length) < loop.counts[:, None]]
    stride = int(moves[0]) if len(moves) and np.all(moves == moves[0]) else 0
    return (array_of(table)[:, 0] if isinstance(table, Lanes) else np.asarray(table)[:1]), stride


def prepare(window: Moving, root: Context) -> tuple[Any, Any]:
    """What the scan carries of an array at the start, and what it takes in at each step."""
    cell = window.cell
    length = cell.storage_shape(root)[window.axis + (0 if cell.owner.is_root else 1)]
    # what is out of range is reached only where the body does not use it
    indices = np.clip(window.indices(leaving=False), 1, length)
    index = indices[0] if len(indices) == 1 else Lanes(indices, window.owner)
    value = read(cell.value, [*[Between()] * window.axis, Many(index)], root)
    array = value if window.owner.is_root else lift(value, window.owner)
    moved = (np if is_static(array) else jnp).moveaxis(array, window.at, 0)
    kept = window.slots - window.entering
    fresh = moved[kept:].reshape(window.scan.length, window.entering, *moved.shape[1:])
    return traced(freeze(moved[:kept])), traced(freeze(fresh))


def enter(scope: Scope, window: Moving, table: Any, held: Any, fresh: Any, root: Context) -> Cell:
    """The part of an array that a step sees, as a variable of its own; `table` is the window's."""
    slots = jnp.concatenate([held, fresh] if window.stride > 0 else [fresh, held])
    value = wrap(jnp.moveaxis(slots, 0, window.at), window.owner)
    whole = window.cell
    seen = Window(window.axis, table, window.slots, whole, window.scan)
    cell = Cell(whole.name, whole.type, value, window.owner, window=seen, scans=whole.scans)
    cell.touched = np.zeros(cell.storage_shape(root), bool)
    scope.cells[cell.name] = cell
    return cell


def shifted(window: Moving, cell: Cell, held: Any) -> tuple[Any, Any]:
    """What is carried on after a step, and what leaves the window."""
    slots = jnp.asarray(jnp.moveaxis(array_of(cell.value), window.at, 0), held.dtype)
    split = window.entering if window.stride > 0 else window.slots - window.entering
    front, back = slots[:split], slots[split:]
    return (back, front) if window.stride > 0 else (front, back)


def reassemble(machine: Machine, window: Moving, held: Any, left: Any, touched: np.ndarray) -> None:
    """Put what the steps have assigned into the array.

    Args:
        machine: The state.
        window: The window.
        held: What is in the window after the last step.
        left: What has left it at each step.
        touched: Which of its elements have been assigned at some step.
    """
    cell = window.cell
    entries = jnp.concatenate([left.reshape(-1, *left.shape[2:]), held])
    indices = window.indices(leaving=True)
    shape = cell.storage_shape(machine.frame.root)
    axis = window.axis + (0 if cell.owner.is_root else 1)
    inside = (indices >= 1) & (indices <= shape[axis])
    if window.owner is cell.owner and len(indices) == 1 and abs(window.stride) == 1:
        # What has left, and what is held at the end, are consecutive entries, each once. All may be put back, as those
        # that no step has assigned hold what they held before.
        kept = np.flatnonzero(inside[0])[:: window.stride]
        first = int(indices[0, kept[0]]) - 1
        array = jnp.moveaxis(jnp.asarray(freeze(storage(cell))), axis, 0)
        part = jnp.flip(entries[kept[-1] : kept[0] + 1], 0) if window.stride < 0 else entries[kept[0] : kept[-1] + 1]
        cell.value = wrap(jnp.moveaxis(array.at[first : first + len(kept)].set(part), 0, axis), cell.owner)
        return
    keep = np.broadcast_to(inside.T.reshape(*inside.T.shape[: entries.ndim], *(1,) * (entries.ndim - 2)), entries.shape)
    if window.owner is not cell.owner:
        # The windows of different lanes are copies of the same entries, and may overlap where a lane only reads.
        keep = keep & _assigned(window, indices, np.moveaxis(touched, window.at, 0))
    clipped = np.clip(indices, 1, shape[axis])
    index = clipped[0] if len(clipped) == 1 else Lanes(clipped, window.owner)
    places, _ = flat_positions(shape, {axis: Many(index)}, cell.owner, window.owner)
    layout = (window.owner.size, *np.shape(places)[1:])
    places = np.moveaxis(np.asarray(places).reshape(layout), window.axis + 1, 0).reshape(keep.shape)[keep]
    order = np.argsort(places)
    put(cell, places[order], take(entries.reshape(-1), np.flatnonzero(keep)[order]))


def _assigned(window: Moving, indices: np.ndarray, touched: np.ndarray) -> np.ndarray:
    """Which entries that leave the window each lane has assigned; lanes that touch others put them back themselves."""
    found = np.zeros((indices.shape[1], *touched.shape[1:]), bool)
    for slot, elements in enumerate(touched):
        distance = indices - window.starts[:, None] - slot
        step = distance // window.stride
        reached = (distance % window.stride == 0) & (step >= 0) & (step < window.counts[:, None])
        found |= reached.T.reshape(*reached.T.shape, *(1,) * (found.ndim - 2)) & elements
    return found
