"""Reading and writing elements of containers by Stan's indices.

Indices count from 1. Where they are known from the data, they are checked and turned into static positions, so that
reading becomes a slice or a single gather and writing a whole array in order becomes the array itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._lanes import Context, Lanes, array_of, context_of, deepest, freeze, is_static, lift, take, wrap


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


Position = At | Many | Between


def read(base: Any, positions: Sequence[Position], root: Context) -> Any:
    """Elements of a value.

    Raises:
        IndexRangeError: If a static index is out of range.
        RaggedError: If the sizes of ranges differ between lanes.
    """
    if isinstance(base, tuple):
        return tuple(read(element, positions, root) for element in base)
    owner = context_of(base, root)
    array = array_of(base)
    first = 0 if owner.is_root else 1
    resolved = [resolve(position, np.shape(array)[first + axis]) for axis, position in enumerate(positions)]
    array, rest = _read_uniform(array, resolved, first)
    if not rest:
        return wrap(array, owner)
    context = deepest([owner, *(context_of(position.index, root) for _, position in rest)], root)
    if context.is_root:
        for axis, position in reversed(rest):
            array = jnp.take(array, jnp.asarray(position.index) - 1, axis=axis, mode="clip")
        return array
    prefix = rest[-1][0] + 1
    shape = np.shape(array)
    places, kept = flat_positions(shape[:prefix], dict(rest), owner, context)
    flat = array.reshape(int(np.prod(shape[:prefix])), *shape[prefix:])
    result_shape = (context.size, *kept, *shape[prefix:])
    if isinstance(places, np.ndarray):
        taken = flat[places.ravel()] if isinstance(flat, np.ndarray) else take(flat, places.ravel())
    else:
        freeze(flat)
        taken = jnp.asarray(flat).at[places.ravel()].get(mode="clip", wrap_negative_indices=False)
    return Lanes(taken.reshape(result_shape), context)


def write(
    storage: Any, owner: Context, positions: Sequence[Position], value: Any, context: Context, root: Context
) -> Any:
    """Storage of a variable after elements of it are assigned by all lanes of a context.

    Args:
        storage: Its array with the lanes of `owner` in front; may be changed in place where it is a writeable NumPy
            array.
        owner: The context that the variable belongs to; `context` lies in it.
        positions: Which elements; none for all of them.
        value: Of the shape of these elements, in `context` or around it.
        context: Whose lanes assign. Where two lanes assign the same element, the last one counts.
        root: The root context.
    """
    if isinstance(storage, tuple):
        return tuple(
            write(part, owner, positions, element, context, root) for part, element in zip(storage, value, strict=True)
        )
    first = 0 if owner.is_root else 1
    shape = np.shape(storage)
    resolved = [resolve(position, shape[first + axis]) for axis, position in enumerate(positions)]
    if owner is context and all(context_of(position.index, root).is_root for position in resolved):
        array = array_of(value) if context_of(value, root) is context else value
        if first and context_of(value, root) is not context:
            array = lift(value, context)
        return _write_uniform(storage, resolved, first, array)
    places, kept = flat_positions(shape, dict(enumerate(resolved, first)), owner, context)
    values = lift(value, context)
    return _scatter(storage, places, values, (context.size, *kept))


def resolve(position: Position, length: int) -> At | Many:
    """A range as indices, and static indices checked."""
    if isinstance(position, Between):
        position = Many(_range(position, length))
    index = array_of(position.index)
    if is_static(index):
        low, high = (np.min(index), np.max(index)) if np.size(index) else (1, 0)
        if low < 1 or high > length:
            wrong = low if low < 1 else high
            raise IndexRangeError(
                f"index {wrong} is out of range; expected 1 to {length}" if length else f"index {wrong} into nothing"
            )
    return position


def _range(position: Between, length: int) -> Any:
    lower = 1 if position.lower is None else position.lower
    upper = length if position.upper is None else position.upper
    low, high = array_of(lower), array_of(upper)
    context = next((end.context for end in (lower, upper) if isinstance(end, Lanes)), None)
    if isinstance(lower, Lanes) and isinstance(upper, Lanes) and lower.context is not upper.context:
        context = deepest([lower.context, upper.context], lower.context)
        low, high = lift(lower, context), lift(upper, context)
    sizes = np.maximum(static_difference(low, high) + 1, 0)
    if context is None:
        size = int(sizes)
        if is_static(low) and low >= 1 and low - 1 + size <= length:
            return _Run(int(low), size)
        return low + np.arange(size)
    if np.ndim(sizes) and np.any(sizes != sizes[0]):
        raise RaggedError(context, sizes)
    size = int(sizes[0]) if np.ndim(sizes) else int(sizes)
    return Lanes((low if np.ndim(low) else np.full(context.size, low))[:, None] + np.arange(size), context)


def static_difference(low: Any, high: Any) -> Any:
    """`high - low` where it is known from the data.

    Raises:
        UnknownSizeError: If it is not.
    """
    if is_static(low) and is_static(high):
        return np.asarray(high) - np.asarray(low)
    raise UnknownSizeError("the size of this range depends on parameters or on the iteration of a sequential loop")


class _Run(np.ndarray):
    """Consecutive indices, which index as a slice."""

    start: int

    def __new__(cls, start: int, size: int) -> _Run:
        run = np.arange(start, start + size).view(cls)
        run.start = start
        return run


def _read_uniform(array: Any, positions: Sequence[At | Many], first: int) -> tuple[Any, list[tuple[int, At | Many]]]:
    """Apply what is static and the same for all lanes; the rest comes back with the axes it applies to."""
    basic: list[Any] = [slice(None)] * first
    many: list[tuple[int, np.ndarray]] = []
    rest: list[tuple[int, At | Many]] = []
    axis = first
    for position in positions:
        if isinstance(position.index, Lanes) or not is_static(position.index):
            rest.append((axis, position))
            basic.append(slice(None))
        elif isinstance(position, At):
            basic.append(int(position.index) - 1)
            continue
        elif isinstance(position.index, _Run):
            basic.append(slice(position.index.start - 1, position.index.start - 1 + len(position.index)))
        else:
            many.append((axis, np.asarray(position.index) - 1))
            basic.append(slice(None))
        axis += 1
    if any(entry != slice(None) for entry in basic):
        array = array[tuple(basic)]
    for axis, index in many:
        array = np.take(array, index, axis) if isinstance(array, np.ndarray) else jnp.take(array, index, axis)
    return array, rest


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


def _write_uniform(storage: Any, positions: Sequence[At | Many], first: int, value: Any) -> Any:
    entries: list[Any] = [slice(None)] * first
    for position in positions:
        index = position.index
        if isinstance(index, _Run):
            entries.append(slice(index.start - 1, index.start - 1 + len(index)))
        else:
            entries.append(np.asarray(index) - 1 if is_static(index) else index - 1)
    arrays = [axis for axis, entry in enumerate(entries) if np.ndim(entry) == 1 and not isinstance(entry, slice)]
    if len(arrays) > 1 or (arrays and len(entries) > 1):
        entries = _outer(entries, np.shape(storage))
    key = tuple(entries)
    if isinstance(storage, np.ndarray) and is_static(value) and all(is_static(p.index) for p in positions):
        storage = _writeable(storage)
        storage[key] = value
        return storage
    freeze(storage)
    freeze(value)
    if not positions and first == 0 and np.shape(value) == np.shape(storage):
        return value
    stored = jnp.asarray(storage)
    value = jnp.asarray(value, stored.dtype)
    static = all(is_static(p.index) for p in positions)
    return stored.at[key].set(value, mode="promise_in_bounds" if static else "drop", wrap_negative_indices=False)


def _writeable(storage: Any) -> np.ndarray:
    """An array of data that nothing else holds; its elements lie in order, so that flattening it makes no copy."""
    return storage if isinstance(storage, np.ndarray) and storage.flags.writeable else np.array(storage, order="C")


def _outer(entries: Sequence[Any], shape: Sequence[int]) -> list[Any]:
    """Mixed single indices, slices and index arrays as arrays that select the product of them."""
    kept = [axis for axis, entry in enumerate(entries) if isinstance(entry, slice) or np.ndim(entry) == 1]
    result: list[Any] = []
    for axis, entry in enumerate(entries):
        if axis not in kept:
            result.append(entry)
            continue
        index = np.arange(shape[axis])[entry] if isinstance(entry, slice) else entry
        result.append(index.reshape(-1, *(1,) * (len(kept) - 1 - kept.index(axis))))
    return result


def _scatter(storage: Any, places: Any, values: Any, shape: tuple[int, ...]) -> Any:
    """Set elements at flat positions; the last lane counts where several set the same."""
    if isinstance(places, np.ndarray) and is_static(values) and is_static(storage):
        storage = _writeable(storage)
        storage.reshape(-1)[places.ravel()] = np.broadcast_to(values, shape).ravel()
        return storage
    freeze(storage)
    freeze(values)
    stored = jnp.asarray(storage)
    flat_values = jnp.broadcast_to(jnp.asarray(values, stored.dtype), shape).reshape(-1)
    if not isinstance(places, np.ndarray):
        flat = stored.reshape(-1).at[places.ravel()].set(flat_values, mode="drop", wrap_negative_indices=False)
        return flat.reshape(stored.shape)
    at = places.ravel()
    if len(at) == stored.size and np.array_equal(at, np.arange(stored.size)):
        return flat_values.reshape(stored.shape)
    if len(at) > 1 and np.any(np.diff(at) <= 0):
        at, last = np.unique(at[::-1], return_index=True)
        flat_values = take(flat_values, len(places.ravel()) - 1 - last)
        if len(at) == stored.size:
            return flat_values.reshape(stored.shape)
    if len(at) and at[-1] - at[0] == len(at) - 1:
        flat = jax.lax.dynamic_update_slice(stored.reshape(-1), flat_values, (int(at[0]),))
        return flat.reshape(stored.shape)
    flat = (
        stored.reshape(-1)
        .at[at]
        .set(
            flat_values,
            mode="promise_in_bounds",
            wrap_negative_indices=False,
            unique_indices=True,
            indices_are_sorted=True,
        )
    )
    return flat.reshape(stored.shape)


def add(storage: Any, owner: Context, positions: Sequence[Position], value: Any, context: Context) -> Any:
    """Storage after every lane of a context has added to elements of it; lanes may add to the same element."""
    first = 0 if owner.is_root else 1
    shape = np.shape(storage)
    resolved = [resolve(position, shape[first + axis]) for axis, position in enumerate(positions)]
    places, kept = flat_positions(shape, dict(enumerate(resolved, first)), owner, context)
    values = lift(value, context)
    full = (context.size, *kept)
    if is_static(values) and is_static(storage) and isinstance(places, np.ndarray):
        storage = _writeable(storage)
        np.add.at(storage.reshape(-1), places.ravel(), np.broadcast_to(values, full).ravel())
        return storage
    freeze(storage)
    freeze(values)
    stored = jnp.asarray(storage)
    values = jnp.broadcast_to(jnp.asarray(values, stored.dtype), full)
    if isinstance(places, np.ndarray) and context.size:
        if np.array_equal(places, np.broadcast_to(places[:1], full)):
            # every lane adds to the same elements
            flat, values, at = stored.reshape(-1), jnp.sum(values, axis=0).reshape(-1), places[0].ravel()
            if len(at) == stored.size and np.array_equal(at, np.arange(stored.size)):
                return stored + values.reshape(stored.shape)
            return flat.at[at].add(values, mode="promise_in_bounds").reshape(stored.shape)
        summed = jax.ops.segment_sum(values.reshape(-1), places.ravel(), stored.size)
        return stored + summed.reshape(stored.shape)
    flat = stored.reshape(-1).at[places.ravel()].add(values.reshape(-1), mode="drop", wrap_negative_indices=False)
    return flat.reshape(stored.shape)
