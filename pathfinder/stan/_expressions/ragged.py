"""Vectors whose sizes differ between lanes, or from one iteration of a sequential loop to the next.

Their elements are the lanes of a context of their own, inside the one whose lanes the vectors belong to: one after
another, without padding, where the sizes are known from the data, and padded to the largest one with a mask where they
depend on the iteration. Elementwise functions see scalars then, and sums are sums over the lanes of each vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._state.machine import Machine
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import At, UnknownSizeError
from pathfinder.stan._values.lanes import Lanes, Symbolic, array_of, freeze, is_static, lift, wrap
from pathfinder.stan._values.reading import read
from pathfinder.stan._values.steps import Step, settle
from pathfinder.stan._values.value import Value


class RaggedUseError(UnknownSizeError):
    """A function needs vectors of one size."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """`size` indices from `first` on, another number of them in each lane or iteration.

    Attributes:
        first: The first index.
        size: How many, a static value with lanes or a `Step`.
    """

    first: Any
    size: Any


@dataclass(frozen=True, eq=False)
class Ragged(Symbolic):
    """A vector for each lane of a context.

    Attributes:
        elements: All elements, in the context of elements.
        mask: Which of them there are, in the context of elements; None if all.
        size: Number of elements in each lane of `owner`.
        owner: The context whose lanes the vectors belong to.
    """

    elements: Any
    mask: Any
    size: Any
    owner: Context

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        raise RaggedUseError("vectors whose sizes differ between iterations are used together with others here")

    __jax_array__ = __array__


def read_ragged(machine: Machine, base: Value, positions: Sequence[Any]) -> Ragged:
    """Elements of a value, along one axis a stretch of them."""
    stretch, *others = [position for position in positions if isinstance(position, Stretch)]
    if others:
        raise RaggedUseError("the sizes of these matrices differ between iterations")
    owner = machine.frame.context
    context, mask, size = _element_context(machine, stretch.size)
    begin = np.concatenate([[0], np.cumsum(np.bincount(context.lane_of(owner), minlength=owner.size))])[:-1]
    within = np.arange(context.size) - begin[context.lane_of(owner)]
    first = settle(stretch.first)
    at = (lift(first, context) if isinstance(first, Lanes) else first) + within
    index = At(Lanes(at, context))
    value = read(base, [index if position is stretch else position for position in positions], machine.frame.root)
    if not isinstance(value, Lanes) or np.ndim(value.array) != 1:
        raise RaggedUseError("rows or columns of a size that is not known from the data cannot be taken together")
    if mask is not None and not is_static(value):
        # what lies outside may be NaN, which must not get into gradients
        value = machine.conditions.select(mask, value, Lanes(jax.lax.stop_gradient(value.array), context))
    return Ragged(value, mask, size, owner)


def _element_context(machine: Machine, size: Any) -> tuple[Context, Any, Any]:
    """The context of elements for vectors of these sizes, the same one whenever the sizes are the same."""
    owner = machine.frame.context
    if isinstance(size, Step):
        key: tuple[Any, ...] = ("steps", id(size.scan), array_of(size.table).tobytes())
        counts = np.maximum(lift(size.largest, owner), 0)
    else:
        counts = np.maximum(np.asarray(lift(size, owner)), 0)
        key = ("sizes", counts.tobytes())
    found = owner.stretches.get(key)
    if found is None:
        context = owner.iterations(counts)
        mask = None
        if isinstance(size, Step):
            present = size.settled
            within = np.arange(context.size) - (np.cumsum(counts) - counts)[context.parent_lane]
            mask = Lanes(within < (lift(present, context) if isinstance(present, Lanes) else present), context)
        # the size is kept, so that no other scan gets the identity of its own
        found = owner.stretches[key] = (context, mask, size)
    context, mask, _ = found
    return context, mask, size.settled if isinstance(size, Step) else wrap(counts, owner)


def over_elements(values: Sequence[Value], function: Callable[[list[Value]], Value]) -> Ragged:
    """Apply a function of scalars to the elements of vectors of equal sizes, and to scalars."""
    ragged = [value for value in values if isinstance(value, Ragged)]
    if any(value.elements.context is not ragged[0].elements.context for value in ragged):
        raise RaggedUseError("these vectors have different sizes")
    for value in values:
        array = value.array if isinstance(value, Lanes) else value
        if not isinstance(value, Ragged) and np.ndim(array) > isinstance(value, Lanes):
            raise RaggedUseError("a vector whose size differs between iterations meets one of a fixed size")
    result = function([value.elements if isinstance(value, Ragged) else value for value in values])
    return replace(ragged[0], elements=result)


def summed(machine: Machine, value: Ragged, fill: float = 0.0) -> Value:
    """Sum of each vector."""
    return _reduced(machine, value, fill, jax.ops.segment_sum)


def _reduced(machine: Machine, value: Ragged, fill: float, segment: Callable[..., Any]) -> Any:
    elements = value.elements
    if value.mask is not None:
        elements = machine.conditions.select(value.mask, elements, fill)
    context = elements.context
    array = jnp.asarray(freeze(elements.array))
    result = segment(array, context.lane_of(value.owner), value.owner.size)
    return result[0] if value.owner.is_root else Lanes(result, value.owner)


def _dot(machine: Machine, left: Ragged, right: Ragged) -> Value:
    product = over_elements([left, right], lambda parts: Lanes(parts[0].array * parts[1].array, parts[0].context))
    return summed(machine, product)


def _mean(machine: Machine, value: Ragged) -> Value:
    total = summed(machine, value)
    if isinstance(total, Lanes):
        return Lanes(total.array / lift(value.size, total.context), total.context)
    return total / value.size


def _log_sum_exp(machine: Machine, value: Ragged) -> Value:
    top = _reduced(machine, value, -np.inf, jax.ops.segment_max)
    array = top.array if isinstance(top, Lanes) else top
    top = wrap(jax.lax.stop_gradient(jnp.where(jnp.isfinite(array), array, 0.0)), value.owner)
    shifted = Lanes(jnp.exp(value.elements.array - _spread(top, value)), value.elements.context)
    total = summed(machine, replace(value, elements=shifted))
    if isinstance(total, Lanes):
        return Lanes(jnp.log(total.array) + lift(top, value.owner), value.owner)
    return jnp.log(total) + top


def _spread(value: Value, like: Ragged) -> Any:
    return lift(value, like.elements.context) if isinstance(value, Lanes) else value


def _size(machine: Machine, value: Ragged) -> Value:
    return value.size


REDUCERS: dict[str, Callable[..., Any]] = {
    "sum": summed,
    "mean": _mean,
    "dot_product": _dot,
    "dot_self": lambda machine, value: _dot(machine, value, value),
    "log_sum_exp": _log_sum_exp,
    "max": lambda machine, value: _reduced(machine, value, -np.inf, jax.ops.segment_max),
    "min": lambda machine, value: _reduced(machine, value, np.inf, jax.ops.segment_min),
    "size": _size,
    "rows": _size,
    "num_elements": _size,
}


def stretch_of(machine: Machine, lower: Any, upper: Any) -> Stretch | None:
    """`lower:upper` as a stretch if its size differs between iterations, else None."""
    if machine.frame.flat_ranges and upper is not None and is_static(lower) and is_static(upper):
        sizes = lift(upper, machine.frame.context) - lift(lower, machine.frame.context) + 1
        if np.any(sizes != sizes[0]):
            return Stretch(lower, wrap(sizes, machine.frame.context))
    return None
