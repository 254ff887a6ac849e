"""The arrays that variables are kept in, and flags for their elements."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._state.variables import Cell
from pathfinder.stan._values.lanes import Lanes, freeze, is_static, lift, wrap
from pathfinder.stan._values.steps import settle


def storage(cell: Cell) -> Any:
    """The array of a variable with an entry for each lane of its owner."""
    if cell.owner.is_root:
        return settle(cell.value)
    if isinstance(cell.value, Lanes) and cell.value.context is cell.owner:
        return cell.value.array
    return lift(settle(cell.value), cell.owner)


def put(cell: Cell, places: np.ndarray, values: Any) -> None:
    """Set elements of a variable at ascending flat positions in its storage."""
    cell.value = wrap(_put_flat(storage(cell), places, values), cell.owner)


def gather(array: Any, places: np.ndarray) -> Any:
    """Elements of a storage at flat positions."""
    if isinstance(array, tuple):
        return tuple(gather(part, places) for part in array)
    if isinstance(array, np.ndarray):
        return array.reshape(-1)[places]
    return array.reshape(-1).at[places].get(mode="promise_in_bounds", wrap_negative_indices=False)


def flagged(flags: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Flags with those at flat positions set; changed in place unless they have been saved."""
    flags = flags if flags.flags.writeable else flags.copy()
    flags.reshape(-1)[places] = True
    return flags


def _put_flat(array: Any, places: np.ndarray, values: Any) -> Any:
    if isinstance(array, tuple):
        return tuple(_put_flat(part, places, value) for part, value in zip(array, values, strict=True))
    shape = np.shape(array)
    if len(places) == int(np.prod(shape)):
        return values.reshape(shape)
    if is_static(array) and is_static(values):
        result = np.array(array, order="C")  # so that `reshape` below is a view
        result.reshape(-1)[places] = values
        return result
    flat = jnp.asarray(freeze(array)).reshape(-1)
    if len(places) and places[-1] - places[0] == len(places) - 1:
        values = jnp.asarray(values, flat.dtype)
        return jax.lax.dynamic_update_slice(flat, values, (int(places[0]),)).reshape(shape)
    return flat.at[places].set(values, mode="promise_in_bounds", unique_indices=True).reshape(shape)
