"""Reading and writing elements of containers by Stan's indices.

Indices count from 1. Where they are known from the data, they are checked and turned into static positions, so that
reading becomes a slice or a single gather and writing a whole array in order becomes the array itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from pathfinder.stan._values.contexts import Context, deepest
from pathfinder.stan._values.indices import (
    At,
    Between,
    Consecutive,
    IndexRangeError,
    Many,
    Position,
    at_all_steps,
    flat_positions,
    out_of_range,
    resolve,
    settled,
    step_in,
)
from pathfinder.stan._values.lanes import Lanes, array_of, context_of, freeze, is_static, take, wrap
from pathfinder.stan._values.steps import Scan, step_of
from pathfinder.stan._values.uneven import UnevenArray, read_uneven
from pathfinder.stan._values.value import Value


MOST_READ_AHEAD = 2**24  # elements that are read for all steps at once


def read(base: Value, positions: Sequence[Position], root: Context) -> Value:
    """Elements of a value.

    Raises:
        IndexRangeError: If a static index is out of range.
        RaggedError: If the sizes of ranges differ between lanes.
    """
    if isinstance(base, tuple):
        return tuple(read(element, positions, root) for element in base)
    if isinstance(base, UnevenArray):
        return read_uneven(base, positions, root, read)
    if isinstance(base, np.ndarray) and all(is_single(position) for position in positions):
        return element_of(base, positions)
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


def read_of_all_steps(value: Value, positions: Sequence[Position], scan: Scan, root: Context, is_masked: bool) -> Value:
    """Elements of a value that is the same at all steps: the present step's among those of all.

    Args:
        value: The value.
        positions: In which the steps of the scan occur.
        scan: The scan.
        root: The root context.
        is_masked: Whether indices out of range may occur, where a condition leaves them out.
    """
    if isinstance(value, tuple):
        return tuple(read_of_all_steps(part, positions, scan, root, is_masked) for part in value)
    tables = [step.table for position in positions if (step := step_in(position)) is not None and step.scan is scan]
    others = [settled(at) if (step := step_in(at)) is not None and step.scan is not scan else at for at in positions]
    ends = [end for at in others if step_in(at) is None for end in _ends(at)]
    lanes = deepest([context_of(at, root) for at in (value, *tables, *ends)], root)
    shape = np.shape(array_of(value))[0 if context_of(value, root).is_root else 1 :]
    if lanes.size * scan.length * int(np.prod(shape[len(positions) :])) > MOST_READ_AHEAD:
        return read(value, positions, root)
    context = lanes.iterations(np.full(lanes.size, scan.length))
    found = read(value, at_all_steps(others, scan, context, shape if is_masked else None), root)
    array = found.array.reshape(lanes.size, scan.length, *np.shape(found.array)[1:])
    if is_static(array) and array.ndim == 2:
        return step_of(scan, array[0] if lanes.is_root else Lanes(array, lanes))
    return wrap(scan.entry(array[0] if lanes.is_root else array.swapaxes(0, 1)), lanes)


def _ends(position: Position) -> list[Any]:
    if isinstance(position, Between):
        return [end for end in (position.lower, position.upper) if end is not None]
    assert isinstance(position, At | Many)
    return [position.index]


def is_single(position: Position) -> bool:
    """Whether a position is one known index."""
    return isinstance(position, At) and isinstance(position.index, int | np.integer)


def place_of(positions: Sequence[Any], shape: Sequence[int]) -> tuple[int, ...]:
    """Known indices counted from 0, which is what loops over data use most of the time.

    Raises:
        IndexRangeError: If one is out of range.
    """
    for position, length in zip(positions, shape, strict=False):
        if not 1 <= position.index <= length:
            raise IndexRangeError(out_of_range(position.index, length))
    return tuple(position.index - 1 for position in positions)


def element_of(base: np.ndarray, positions: Sequence[Any]) -> Value:
    """An element of data at known indices."""
    place = place_of(positions, base.shape)
    return base[(*place, ...)] if base.dtype.kind in "fc" else base[place]  # real numbers of the data stay arrays


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
        elif isinstance(position.index, Consecutive):
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
