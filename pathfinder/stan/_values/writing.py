"""Writing elements of containers by Stan's indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import At, Consecutive, Many, Position, flat_positions, resolve
from pathfinder.stan._values.lanes import array_of, context_of, entering, freeze, is_static, lift, take
from pathfinder.stan._values.reading import is_single, place_of
from pathfinder.stan._values.value import Value


def write(
    storage: Any, owner: Context, positions: Sequence[Position], value: Value, context: Context, root: Context
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
    is_number = (
        isinstance(value, int | np.generic | np.ndarray) and np.ndim(value) == 0 and len(positions) == len(shape)
    )
    if is_number and not first and isinstance(storage, np.ndarray) and all(map(is_single, positions)):
        storage = _writeable(storage)
        storage[place_of(positions, shape)] = value
        return storage
    resolved = [resolve(position, shape[first + axis]) for axis, position in enumerate(positions)]
    if owner is context and all(context_of(position.index, root).is_root for position in resolved):
        array = array_of(value) if context_of(value, root) is context else value
        if first and context_of(value, root) is not context:
            array = lift(value, context)
        return _write_uniform(storage, resolved, first, array)
    places, kept = flat_positions(shape, dict(enumerate(resolved, first)), owner, context)
    values = lift(value, context)
    return _scatter(storage, places, values, (context.size, *kept))


def _write_uniform(storage: Any, positions: Sequence[At | Many], first: int, value: Any) -> Any:
    entries: list[Any] = [slice(None)] * first
    for position in positions:
        index = position.index
        if isinstance(index, Consecutive):
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
    value = jnp.asarray(entering(value), stored.dtype)
    static = all(is_static(p.index) for p in positions)
    return stored.at[key].set(value, mode="promise_in_bounds" if static else "drop", wrap_negative_indices=False)


def _writeable(storage: Any) -> np.ndarray:
    """An array of data that nothing else holds; its elements lie in order, so that flattening it makes no copy."""
    if isinstance(storage, np.ndarray) and storage.flags.writeable and storage.flags.c_contiguous:
        return storage
    return np.array(storage, order="C")


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
    flat_values = jnp.broadcast_to(jnp.asarray(entering(values), stored.dtype), shape).reshape(-1)
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


def add(storage: Any, owner: Context, positions: Sequence[Position], value: Value, context: Context) -> Any:
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
    values = jnp.broadcast_to(jnp.asarray(entering(values), stored.dtype), full)
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
