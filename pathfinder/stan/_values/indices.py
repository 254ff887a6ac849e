"""Stan's indices: single ones, arrays of them and ranges, and where in an array they point.

Indices count from 1. Where they are known from the data, they are checked and turned into static positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from pathfinder.stan._values.contexts import Context, deepest
from pathfinder.stan._values.lanes import Lanes, array_of, is_static, lift
from pathfinder.stan._values.steps import Scan, Step, settle


class IndexRangeError(ValueError):
    """An index is outside of what it points into."""


class UnknownSizeError(Exception):
    """A size has to be known from the data, but depends on parameters or on the iteration of a sequential loop."""


class RaggedError(Exception):
    """The lanes of a context need containers of different sizes; they can be run in groups.

    Attributes:
        context: The context whose lanes differ.
        sizes: Size for each of its lanes.
    """

    def __init__(self, context: Context, sizes: np.ndarray) -> None:
        super().__init__("sizes differ between iterations")
        self.context = context
        self.sizes = sizes


@dataclass(frozen=True)
class At:
    """A single index, which drops its axis."""

    index: Any


@dataclass(frozen=True)
class Many:
    """An array of indices, which keeps its axis."""

    index: Any


@dataclass(frozen=True)
class Between:
    """`lower:upper`, both included; None where that end is open."""

    lower: Any = None
    upper: Any = None


@dataclass(frozen=True)
class MovingRange:
    """`size` indices from `first` on, which moves from one iteration of a sequential loop to the next."""

    first: Step
    size: int


def settled(position: Position) -> At | Many | Between:
    """A position at the present step."""
    if isinstance(position, MovingRange):
        first = settle(position.first)
        if isinstance(first, Lanes):
            return Many(Lanes(first.array[:, None] + np.arange(position.size), first.context))
        return Many(first + np.arange(position.size))
    return At(settle(position.index)) if isinstance(position, At) else position


def step_in(position: Any) -> Step | None:
    """What it is in a position that depends on the step."""
    found = (
        position.index if isinstance(position, At) else position.first if isinstance(position, MovingRange) else None
    )
    return found if isinstance(found, Step) else None


def at_all_steps(positions: Sequence[Any], scan: Scan, context: Context, limits: Sequence[int] | None) -> list[Any]:
    """Positions for every lane and step.

    Args:
        positions: Their steps are all of one scan.
        scan: The scan.
        context: Iterations of `scan.length` steps inside of the lanes.
        limits: The lengths of the axes if indices outside of them may occur, where they are not used.
    """
    assert context.parent is not None
    found = []
    for axis, position in enumerate(positions):
        step = step_in(position)
        if step is None:
            found.append(position)
            continue
        index = step.lifted(context.parent).reshape(-1)
        if isinstance(position, MovingRange):
            index = index[:, None] + np.arange(position.size)
        if limits is not None:
            index = np.clip(index, 1, limits[axis])
        found.append((Many if isinstance(position, MovingRange) else At)(Lanes(index, context)))
    return found


def out_of_range(index: Any, length: int) -> str:
    """What is wrong with an index."""
    return f"index {index} is out of range; expected 1 to {length}" if length else f"index {index} into nothing"


def resolve(position: Position, length: int) -> At | Many:
    """A range as indices, and static indices checked."""
    position = settled(position)
    if isinstance(position, Between):
        position = Many(_range(position, length))
    index = array_of(position.index)
    if isinstance(index, int):
        if not 1 <= index <= length:
            raise IndexRangeError(out_of_range(index, length))
    elif is_static(index):
        low, high = (np.min(index), np.max(index)) if np.size(index) else (1, 0)
        if low < 1 or high > length:
            wrong = low if low < 1 else high
            raise IndexRangeError(out_of_range(wrong, length))
    return position


def _range(position: Between, length: int) -> Any:
    lower = 1 if position.lower is None else position.lower
    upper = length if position.upper is None else position.upper
    low, high = array_of(lower), array_of(upper)
    context = next((end.context for end in (lower, upper) if isinstance(end, Lanes)), None)
    if isinstance(lower, Lanes) and isinstance(upper, Lanes) and lower.context is not upper.context:
        context = deepest([lower.context, upper.context], lower.context)
        low, high = lift(lower, context), lift(upper, context)
    sizes = np.maximum(_static_difference(low, high) + 1, 0)
    if context is None:
        size = int(sizes)
        if is_static(low) and low >= 1 and low - 1 + size <= length:
            return Consecutive(int(low), size)
        return low + np.arange(size)
    if np.ndim(sizes) and np.any(sizes != sizes[0]):
        raise RaggedError(context, sizes)
    size = int(sizes[0]) if np.ndim(sizes) else int(sizes)
    return Lanes((low if np.ndim(low) else np.full(context.size, low))[:, None] + np.arange(size), context)


def _static_difference(low: Any, high: Any) -> Any:
    """`high - low` where it is known from the data.

    Raises:
        UnknownSizeError: If it is not.
    """
    if is_static(low) and is_static(high):
        return np.asarray(high) - np.asarray(low)
    raise UnknownSizeError("the size of this range depends on parameters or on the iteration of a sequential loop")


class Consecutive(np.ndarray):
    """Consecutive indices, which index as a slice."""

    start: int

    def __new__(cls, start: int, size: int) -> Consecutive:
        run = np.arange(start, start + size).view(cls)
        run.start = start
        return run


def flat_positions(
    shape: Sequence[int], indices: dict[int, At | Many], owner: Context, context: Context
) -> tuple[Any, tuple[int, ...]]:
    """Where elements lie in a flattened array, for each lane of a context.

    Args:
        shape: Of the array, with the lanes of `owner` in front unless it is the root.
        indices: By axis; other axes are taken whole.
        owner: The context that the array belongs to.
        context: The context whose lanes index.

    Returns:
        positions of shape [context.size, *kept], and kept, the lengths of the axes that are not dropped.
    """
    sizes: list[int] = []
    for axis, length in enumerate(shape):
        if axis == 0 and not owner.is_root:
            continue
        position = indices.get(axis)
        if position is None:
            sizes.append(length)
        elif isinstance(position, Many):
            sizes.append(np.shape(array_of(position.index))[-1])
    rank = 1 + len(sizes)
    lane = np.arange(context.size) if context.is_root else context.lane_of(owner)
    flat: Any = np.zeros((context.size, *(1,) * len(sizes)), dtype=np.int64)
    if not owner.is_root:
        flat = flat + lane.reshape(-1, *(1,) * len(sizes))
    at = 1
    for axis, length in enumerate(shape):
        if axis == 0 and not owner.is_root:
            continue
        position = indices.get(axis)
        if position is None:
            index: Any = np.arange(length).reshape(-1, *(1,) * (rank - at - 1))
            at += 1
        else:
            value = lift(position.index, context) if isinstance(position.index, Lanes) else position.index
            index = np.asarray(value) - 1 if is_static(value) else jnp.clip(value - 1, 0, length - 1)
            lead = (context.size,) if isinstance(position.index, Lanes) else (1,)
            if isinstance(position, Many):
                index = index.reshape(*lead, *(1,) * (at - 1), sizes[at - 1], *(1,) * (rank - at - 1))
                at += 1
            else:
                index = index.reshape(*lead, *(1,) * (rank - 1))
        flat = flat * length + index
    shape_out = (context.size, *sizes)
    broadcast = np.broadcast_to if isinstance(flat, np.ndarray) else jnp.broadcast_to
    return broadcast(flat, shape_out), tuple(sizes)


Position = At | Many | Between | MovingRange
