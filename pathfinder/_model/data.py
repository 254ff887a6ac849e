"""Data of log densities: pytrees of arrays of numbers."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pathfinder._arrays.key_order import in_key_order, key_order
from pathfinder._arrays.placed import placed
from pathfinder._model.user_functions import described


def data_arrays(data: PyTree, argument: str = "data") -> PyTree:
    """The leaves of data as arrays of JAX, with dictionaries in the order in which they were.

    Raises:
        ValueError: If one is a table, text, an object or a class that JAX does not know; it says which.
    """
    leaves, treedef = jax.tree_util.tree_flatten_with_path(data)
    arrays = [_array(leaf, f"`{argument}{jax.tree_util.keystr(path)}`") for path, leaf in leaves]
    return in_key_order(key_order(data), jax.tree_util.tree_unflatten(treedef, arrays))


def refuse_containers(value: Any, where: str) -> None:
    """Refuse what looks like a pytree but is none.

    Raises:
        ValueError: If it is a table or an instance of a class that JAX does not know.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise ValueError(
            f"{where} is a masked array of NumPy, which JAX does not know. Give its values as value.filled(0), and "
            "where they count as another array, ~np.ma.getmaskarray(value)."
        )
    if hasattr(value, "data_vars"):
        raise ValueError(
            f"{where} is {described(value)}, but JAX needs a dictionary of arrays. Give "
            '{name: dataset[name].to_numpy() for name in ("x", "y")} with the names of the variables that you need.'
        )
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):
        raise ValueError(
            f"{where} is {described(value)}, but JAX needs a dictionary of arrays. Give "
            '{name: table[name].to_numpy() for name in ("x", "y")} with the names of the columns that you need.'
        )
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        raise ValueError(
            f"{where} is {described(value)}, a dataclass that JAX does not know as a pytree. Decorate the class with "
            "@jax.tree_util.register_dataclass, or give dataclasses.asdict(...)."
        )


def _array(leaf: Any, where: str) -> Any:
    if isinstance(leaf, jax.Array):
        return leaf
    refuse_containers(leaf, where)
    try:
        array = np.asarray(leaf)
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.dtype.kind in "biufc" or jnp.issubdtype(array.dtype, jnp.number):
        return placed(leaf if isinstance(leaf, bool | int | float | complex) else array)
    if array.dtype.kind in "USO" and (array.ndim or isinstance(leaf, str | bytes)):
        text = array.dtype.kind != "O" or any(isinstance(item, str) for item in array.ravel()[:1000])
        what = "text" if text else "Python objects"
        raise ValueError(
            f"{where} holds {what}, but data are arrays of numbers. "
            + (
                "Number the categories, for instance with np.unique(values, return_inverse=True)[1]."
                if text
                else "Convert it with np.asarray(values, dtype=float); missing values and rows of different lengths "
                "need a representation as numbers."
            )
        )
    raise ValueError(
        f"{where} is {described(leaf)} of dtype {array.dtype}, but data are numbers, arrays of numbers, or "
        "dictionaries, lists and tuples of them."
    )
