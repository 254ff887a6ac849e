"""Arguments of a NumPyro model: which of them are data, and the call with those."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._arrays.key_order import in_key_order, key_order
from pathfinder._arrays.placed import placed


class StaticValue:
    """A value that compiled programs have in them; equal to others of the same kind and content."""

    def __init__(self, value: Any):
        self.value = value
        if isinstance(value, np.ndarray | jax.Array):
            array = np.asarray(value)
            self._key: Any = (type(value), array.dtype, array.shape, array.tobytes())
        else:
            self._key = (type(value), value)
        try:
            self._hash = hash(self._key)
        except TypeError:
            self._hash = hash(type(value))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StaticValue) or self._hash != other._hash:
            return False
        if self.value is other.value:
            return True
        try:
            return bool(self._key == other._key)
        except (TypeError, ValueError):  # of tables and the like, which are compared element by element
            return False

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True)
class NumpyroCall:
    """A call of a NumPyro model in which the data are left open.

    Calls of one model whose other arguments are equal are equal, so that their compiled programs are shared.

    Args:
        model: The model.
        structure: That of the positional and named arguments, with None as a leaf.
        order: The order of the dictionaries in it.
        names: Of the leaves.
        values: The leaves, with None in place of data.
    """

    model: Callable[..., Any]
    structure: Any
    order: Any
    names: tuple[str, ...]
    values: tuple[StaticValue | None, ...] = field(repr=False)

    @property
    def data_names(self) -> tuple[str, ...]:
        """Names of the arguments that are data."""
        return tuple(name for name, value in zip(self.names, self.values, strict=True) if value is None)

    @property
    def static_names(self) -> tuple[str, ...]:
        """Names of the arguments that compiled programs have in them, but for those that are None."""
        leaves = zip(self.names, self.values, strict=True)
        return tuple(name for name, leaf in leaves if leaf is not None and leaf.value is not None)

    def arguments(self, data: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and named arguments with given data."""
        leaves = zip(self.names, self.values, strict=True)
        flat = [data[name] if value is None else value.value for name, value in leaves]
        return in_key_order(self.order, self.structure.unflatten(flat))


def bound_arguments(
    model: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], trace: Callable[[NumpyroCall, Any], Any]
) -> tuple[NumpyroCall, dict[str, jax.Array], Any]:
    """The call of a model with its arguments, its data, and what `trace(call, data)` gave for these.

    Arrays of numbers are data. Those whose values the model needs while it is traced, as for the size of a plate, are
    not: they are found by tracing with one array after the other as data.

    Raises:
        Exception: What the model raises if no argument is data.
    """
    arguments = (args, kwargs)
    leaves, structure = jax.tree_util.tree_flatten(arguments, is_leaf=_is_none)
    names = tuple(_leaf_names(model, arguments))
    arrays = [position for position, leaf in enumerate(leaves) if _is_numeric(leaf)]

    def traced(positions: Sequence[int]) -> tuple[NumpyroCall, dict[str, jax.Array], Any]:
        values = tuple(None if number in positions else StaticValue(leaf) for number, leaf in enumerate(leaves))
        call = NumpyroCall(model, structure, key_order(arguments), names, values)
        data = {names[number]: placed(leaves[number]) for number in positions}
        return call, data, trace(call, data)

    # Mostly one array is not to be data, if any, and traces that come to it end soon.
    for left_out in (None, *arrays):
        try:
            return traced([position for position in arrays if position != left_out])
        # Whatever it raises, it does not as long as the array is none of the data.
        except Exception:
            continue
    found = traced([])
    chosen: list[int] = []
    for position in arrays:
        try:
            found = traced([*chosen, position])
        except Exception:
            continue
        chosen.append(position)
    return found


def _is_none(leaf: Any) -> bool:
    return leaf is None


def _is_numeric(leaf: Any) -> bool:
    if isinstance(leaf, jax.Array):
        return True
    # Numbers of NumPy are no such arrays, and masked ones hide some of their values from JAX.
    return type(leaf) is np.ndarray and (leaf.dtype.kind in "biufc" or jnp.issubdtype(leaf.dtype, jnp.number))


def _leaf_names(model: Callable[..., Any], arguments: tuple[tuple[Any, ...], dict[str, Any]]) -> Iterator[str]:
    """Names of the leaves: those of the arguments, with keys behind dots and numbers behind underscores."""
    positional = _positional_names(model, len(arguments[0]))
    for path, _ in jax.tree_util.tree_flatten_with_path(arguments, is_leaf=_is_none)[0]:
        which, argument, *rest = path
        name = positional[argument.idx] if which.idx == 0 else str(argument.key)
        for entry in rest:
            index = getattr(entry, "idx", None)
            name += f"_{index}" if index is not None else f".{getattr(entry, 'key', getattr(entry, 'name', entry))}"
        yield name


def _positional_names(model: Callable[..., Any], count: int) -> list[str]:
    # Handlers take any arguments, and hand them on to what they are around.
    while hasattr(model, "fn") and callable(model.fn):
        model = model.fn
    try:
        parameters = list(inspect.signature(model).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    rest = next((each.name for each in parameters if each.kind is each.VAR_POSITIONAL), "argument")
    return [*named, *(f"{rest}_{number}" for number in range(max(0, count - len(named))))][:count]
