"""Values that a piece of program computes for many iterations of a loop at once.

The body of a loop is evaluated a single time with its variable bound to all of its values; what differs between
iterations carries an axis of *lanes* in front. Nested loops make one flat axis: each lane of the inner loop knows its
lane of the outer one, so that inner loops of different lengths cost exactly the sum of their lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(eq=False)
class Context:
    """Iterations that run side by side.

    Attributes:
        size: Number of lanes.
        parent: The context around it; None for the root, which has one lane and whose values have no axis of lanes.
        parent_lane: Lane of the parent that each lane belongs to, in ascending order of iterations.
        is_loop: Whether its lanes are iterations of a loop, and not some of the parent's lanes.
    """

    size: int
    parent: Context | None = None
    parent_lane: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    is_loop: bool = True
    depth: int = field(init=False)
    stretches: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)  # see `_ragged`
    _maps: dict[int, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.depth = 0 if self.parent is None else self.parent.depth + 1

    @property
    def is_root(self) -> bool:
        """Whether nothing is around it."""
        return self.parent is None

    def iterations(self, counts: np.ndarray) -> Context:
        """Iterations of a loop inside this one, `counts` of them for each lane.

        Lanes without any are left out, so that an index which is wrong in them only is not used and not complained of.
        """
        running = np.flatnonzero(counts)
        if 0 < len(running) < self.size:
            return self.part(running).iterations(counts[running])
        parent_lane = np.repeat(np.arange(self.size), counts)
        return Context(len(parent_lane), self, parent_lane)

    def part(self, lanes: np.ndarray) -> Context:
        """Some of the lanes of this context."""
        return Context(len(lanes), self, lanes, is_loop=False)

    @property
    def loop(self) -> Context:
        """The loop that this is a part of; the root counts as one."""
        at = self
        while not at.is_loop and at.parent is not None:
            at = at.parent
        return at

    def ancestors(self) -> list[Context]:
        """This context and those around it, from the root inwards."""
        chain: list[Context] = []
        at: Context | None = self
        while at is not None:
            chain.append(at)
            at = at.parent
        return chain[::-1]

    def contains(self, other: Context) -> bool:
        """Whether `other` is this context or lies inside of it."""
        while other.depth > self.depth:
            assert other.parent is not None
            other = other.parent
        return other is self

    def lane_of(self, outer: Context) -> np.ndarray:
        """For each lane, the lane of `outer` that it belongs to; shape [size]."""
        found = self._maps.get(outer.depth)
        if found is None:
            if outer is self:
                found = np.arange(self.size)
            else:
                assert self.parent is not None
                found = self.parent.lane_of(outer)[self.parent_lane]
            self._maps[outer.depth] = found
        return found


def common(left: Context, right: Context) -> Context:
    """The innermost context that both lie in."""
    while left is not right:
        if left.depth < right.depth:
            left, right = right, left
        assert left.parent is not None
        left = left.parent
    return left


@dataclass(frozen=True, eq=False)
class Lanes:
    """A value for each lane of a context: `array` has the axis of lanes in front."""

    array: Any
    context: Context


class Symbolic:
    """A value that is no array, and not known from the data."""

    def mapped(self, function: Callable[[Any], Any]) -> Any:
        """The value with a function applied to the values that it is made of."""
        return self


def context_of(value: Any, root: Context) -> Context:
    """The context that a value belongs to."""
    if isinstance(value, Lanes):
        return value.context
    if isinstance(value, tuple):
        return deepest([context_of(element, root) for element in value], root)
    return root


def deepest(contexts: Sequence[Context], root: Context) -> Context:
    """The innermost of contexts that lie in each other."""
    return max(contexts, key=lambda context: context.depth, default=root)


def lift(value: Any, context: Context) -> Any:
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


def is_static(value: Any) -> bool:
    """Whether a value is known from the data: it holds no tracer."""
    if isinstance(value, Lanes):
        return not isinstance(value.array, jax.Array)
    if isinstance(value, tuple):
        return all(is_static(element) for element in value)
    return not isinstance(value, jax.Array | Symbolic)


def narrowed(value: Any, context: Context) -> Any:
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


def array_of(value: Any) -> Any:
    """The array of a value, with the axis of lanes if it has one."""
    return value.array if isinstance(value, Lanes) else value


def wrap(array: Any, context: Context) -> Any:
    """An array with one entry per lane as a value; at the root the array itself."""
    if isinstance(array, tuple):
        return tuple(wrap(element, context) for element in array)
    return array if context.is_root else Lanes(array, context)


def aligned(values: Sequence[Any], context: Context) -> list[Any]:
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


def _rank(value: Any) -> int:
    return np.ndim(value.array) - 1 if isinstance(value, Lanes) else np.ndim(value)


def shape_of_value(value: Any) -> tuple[int, ...]:
    """Sizes of the elements of a value, without its lanes."""
    return np.shape(value.array)[1:] if isinstance(value, Lanes) else np.shape(value)


def freeze(value: Any) -> Any:
    """Mark NumPy arrays as shared: whoever wants to write to one afterwards makes a copy first."""
    if isinstance(value, tuple):
        for element in value:
            freeze(element)
    array = array_of(value)
    while isinstance(array, np.ndarray):
        array.flags.writeable = False
        array = array.base
    return value


def entering(value: Any) -> Any:
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


def from_data(value: Any, sources: Sequence[Any]) -> Any:
    """A number computed from others, in the form that tells whether it comes from the data.

    Real numbers of the data are NumPy arrays without axes, as are those computed from any array; constants of the
    program are NumPy's or Python's scalars.
    """
    if isinstance(value, tuple) or np.ndim(value) or np.asarray(value).dtype.kind not in "fc":
        return value
    return np.asarray(value) if any(isinstance(source, np.ndarray) for source in sources) else np.asarray(value)[()]


def over_lanes(function: Callable[..., Any], values: Sequence[Any], context: Context) -> Any:
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


def _has_lanes(value: Any) -> bool:
    return any(_has_lanes(element) for element in value) if isinstance(value, tuple) else isinstance(value, Lanes)


def traced(value: Any) -> Any:
    """The arrays of a value as JAX arrays."""
    return jax.tree_util.tree_map(jnp.asarray, entering(value))
