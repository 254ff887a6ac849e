"""Values that a piece of program computes for many iterations of a loop at once.

The body of a loop is evaluated a single time with its variable bound to all of its values; what differs between
iterations carries an axis of *lanes* in front. Nested loops make one flat axis: each lane of the inner loop knows its
lane of the outer one, so that inner loops of different lengths cost exactly the sum of their lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._values.contexts import Context, deepest
from pathfinder.stan._values.value import Value


@dataclass(frozen=True, eq=False)
class Lanes:
    """A value for each lane of a context: `array` has the axis of lanes in front."""

    array: Any
    context: Context


class Symbolic:
    """A value that is no array, and not known from the data."""

    def mapped(self, function: Callable[[Value], Value]) -> Value:
        """The value with a function applied to the values that it is made of."""
        return self


def context_of(value: Value, root: Context) -> Context:
    """The context that a value belongs to."""
    if isinstance(value, Lanes):
        return value.context
    if isinstance(value, tuple):
        return deepest([context_of(element, root) for element in value], root)
    return root


def lift(value: Value, context: Context) -> Any:
    """The array of a value with one entry for each lane of `context`, which lies in the value's own context."""
    if isinstance(value, tuple):
        return tuple(lift(element, context) for element in value)
    if isinstance(value, Lanes):
        if value.context is context:
            return value.array
        lane = context.lane_of(value.context)
        if isinstance(value.array, np.ndarray):
            return value.array[lane]
        return take(value.array, lane)
    if is_static(value):
        return np.broadcast_to(value, (context.size, *np.shape(value)))
    return jnp.broadcast_to(value, (context.size, *jnp.shape(value)))


def take(array: jax.Array, index: np.ndarray) -> jax.Array:
    """Entries of the first axis at static positions, without a gather where they are a range or all the same."""
    count = array.shape[0]
    if len(index) == count and np.array_equal(index, np.arange(count)):
        return array
    if len(index) and np.array_equal(index, np.arange(index[0], index[0] + len(index))):
        return jax.lax.slice_in_dim(array, int(index[0]), int(index[0]) + len(index))
    if len(index) and count == 1:
        return jnp.broadcast_to(array, (len(index), *array.shape[1:]))
    ascending = bool(np.all(index[1:] >= index[:-1])) if len(index) else True
    at = array.at[index]
    return at.get(mode="promise_in_bounds", wrap_negative_indices=False, indices_are_sorted=ascending)


def is_static(value: Value) -> bool:
    """Whether a value is known from the data: it holds no tracer."""
    if isinstance(value, Lanes):
        return not isinstance(value.array, jax.Array)
    if isinstance(value, tuple):
        return all(is_static(element) for element in value)
    return not isinstance(value, jax.Array | Symbolic)


def narrowed(value: Value, context: Context) -> Value:
    """A value for those lanes only that `context` still runs; loops inside of them leave it as it is.

    Args:
        value: Belongs to `context` or to one around it.
        context: The present context.
    """
    if isinstance(value, tuple):
        return tuple(narrowed(element, context) for element in value)
    if not isinstance(value, Lanes) or value.context is context:
        return value
    at: Context | None = context
    while at is not None and at is not value.context:
        if not at.is_loop:
            return Lanes(lift(value, at), at)
        at = at.parent
    return value


def array_of(value: Value) -> Any:
    """The array of a value, with the axis of lanes if it has one."""
    return value.array if isinstance(value, Lanes) else value


def wrap(array: Any, context: Context) -> Value:
    """An array with one entry per lane as a value; at the root the array itself."""
    if isinstance(array, tuple):
        return tuple(wrap(element, context) for element in array)
    return array if context.is_root else Lanes(array, context)


def aligned(values: Sequence[Value], context: Context) -> list[Any]:
    """Arrays of the values of elementwise operands, so that lanes meet lanes and scalars meet containers.

    A value without lanes stays as it is; one with lanes gets axes of length one between its lanes and its elements, so
    that all have as many element axes as the one with the most.
    """
    if context.is_root:
        return list(values)
    rank = max(_rank(value) for value in values)
    arrays: list[Any] = []
    for value in values:
        if not isinstance(value, Lanes):
            arrays.append(value)
            continue
        array = lift(value, context)
        shape = np.shape(array)
        missing = rank - (len(shape) - 1)
        arrays.append(array.reshape(shape[0], *(1,) * missing, *shape[1:]) if missing else array)
    return arrays


def _rank(value: Value) -> int:
    return np.ndim(value.array) - 1 if isinstance(value, Lanes) else np.ndim(value)


def shape_of_value(value: Value) -> tuple[int, ...]:
    """Sizes of the elements of a value, without its lanes."""
    return np.shape(value.array)[1:] if isinstance(value, Lanes) else np.shape(value)


def freeze(value: Value) -> Value:
    """Mark NumPy arrays as shared: whoever wants to write to one afterwards makes a copy first."""
    if isinstance(value, tuple):
        for element in value:
            freeze(element)
    array = array_of(value)
    while isinstance(array, np.ndarray):
        array.flags.writeable = False
        array = array.base
    return value


def entering(value: Value) -> Value:
    """A value on its way into a computation that is traced.

    JAX writes scalars into a trace, but hoists arrays out of it. A real number that comes from the data therefore
    enters as an array of one, so that another number needs no other program.
    """
    if isinstance(value, tuple):
        return tuple(entering(element) for element in value)
    freeze(value)
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "fc":
        return jnp.squeeze(value.reshape(1))
    return value


def from_data(value: Value, sources: Sequence[Any]) -> Value:
    """A number computed from others, in the form that tells whether it comes from the data.

    Real numbers of the data are NumPy arrays without axes, as are those computed from any array; constants of the
    program are NumPy's or Python's scalars.
    """
    if isinstance(value, tuple) or np.ndim(value) or np.asarray(value).dtype.kind not in "fc":
        return value
    return np.asarray(value) if any(isinstance(source, np.ndarray) for source in sources) else np.asarray(value)[()]


def over_lanes(function: Callable[..., Any], values: Sequence[Value], context: Context) -> Value:
    """Apply a JAX function of single instances to values of which some have lanes.

    Args:
        function: From arrays (or tuples of arrays) to an array or a tuple of arrays.
        values: Its arguments.
        context: The innermost context of the arguments.

    Returns:
        The value in `context`; static if all arguments are.
    """
    static = all(is_static(value) for value in values)
    if context.is_root or not any(map(_has_lanes, values)):
        return from_data(now(function, values), values) if static else function(*map(entering, values))
    axes = tuple(0 if _has_lanes(value) else None for value in values)
    arrays = [lift(value, context) if axis == 0 else value for value, axis in zip(values, axes, strict=True)]
    mapped = jax.vmap(function, in_axes=axes)
    result = now(mapped, arrays) if static else mapped(*map(entering, arrays))
    return wrap(result, context)


def now(function: Callable[..., Any], arrays: Sequence[Any]) -> Any:
    """NumPy arrays from a JAX function of data, evaluated at once even while something else is being traced."""
    with jax.ensure_compile_time_eval():
        return jax.tree_util.tree_map(np.asarray, function(*arrays))


def _has_lanes(value: Value) -> bool:
    return any(_has_lanes(element) for element in value) if isinstance(value, tuple) else isinstance(value, Lanes)


def traced(value: Value) -> Any:
    """The arrays of a value as JAX arrays."""
    return jax.tree_util.tree_map(jnp.asarray, entering(value))
