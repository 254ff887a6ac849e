"""Arrays whose elements have different sizes, which array literals can make: `{[1, 2]', [1, 2, 3]'}`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from pathfinder.stan._values.contexts import Context, deepest
from pathfinder.stan._values.indices import (
    At,
    Between,
    IndexRangeError,
    Many,
    RaggedError,
    UnknownSizeError,
    out_of_range,
)
from pathfinder.stan._values.lanes import Lanes, Symbolic, array_of, context_of, entering, is_static, lift, wrap
from pathfinder.stan._values.steps import settle
from pathfinder.stan._values.value import Value


class UnevenUseError(UnknownSizeError):
    """A function needs an array whose elements have one size."""


@dataclass(frozen=True, eq=False)
class UnevenArray(Symbolic):
    """An array of containers of different sizes.

    Attributes:
        elements: They.
    """

    elements: tuple[Value, ...]

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        raise UnevenUseError(
            "the elements of this array have different sizes; it can be passed on, looped over and indexed only"
        )

    __jax_array__ = __array__

    def mapped(self, function: Callable[[Value], Value]) -> UnevenArray:
        """With a function applied to the elements."""
        return UnevenArray(tuple(map(function, self.elements)))


def element_shape(value: Value) -> tuple[int, ...] | None:
    """Shape of a value in each lane; None where it is not one shape."""
    if isinstance(value, Symbolic):
        return None
    shape = np.shape(array_of(value))
    return shape[1:] if isinstance(value, Lanes) else shape


def size_of_uneven(name: str, value: Value) -> int:
    """`size`, or `num_elements`, which in Stan takes all elements to be like the first."""
    if not isinstance(value, UnevenArray):
        return int(np.size(array_of(value)))
    count = len(value.elements)
    return count if name == "size" else count * size_of_uneven(name, value.elements[0])


def side_by_side(values: Sequence[Value], root: Context) -> Value:
    """Values of one type along a new first axis."""
    if isinstance(values[0], tuple):
        return tuple(side_by_side(elements, root) for elements in zip(*values, strict=True))
    shapes = [element_shape(value) for value in values]
    if any(shape != shapes[0] or shape is None for shape in shapes):
        return UnevenArray(tuple(values))
    context = deepest([context_of(value, root) for value in values], root)
    arrays = list(values) if context.is_root else [lift(value, context) for value in values]
    if all(is_static(array) for array in arrays):
        return wrap(np.stack(arrays, axis=0 if context.is_root else 1), context)
    return wrap(jnp.stack([entering(array) for array in arrays], axis=0 if context.is_root else 1), context)


def read_uneven(base: UnevenArray, positions: Sequence[Any], root: Context, read: Callable[..., Any]) -> Value:
    """Elements of an uneven array; `read` is what reads other values.

    Raises:
        RaggedError: If lanes take elements of different sizes.
        UnknownSizeError: If the index is not known from the data.
        IndexRangeError: If it is out of range.
    """
    if not positions:
        return base
    first, *rest = positions
    if isinstance(first, At):
        element = _element(base, settle(first.index), root, read)
        return read(element, rest, root) if rest else element
    if isinstance(first, Between):
        lower = 1 if first.lower is None else first.lower
        upper = len(base.elements) if first.upper is None else first.upper
        chosen = range(int(_known(lower)), int(_known(upper)) + 1)
    else:
        assert isinstance(first, Many)
        chosen = [int(index) for index in _known(first.index)]
    parts = [_element(base, index, root, read) for index in chosen]
    return side_by_side([read(part, rest, root) if rest else part for part in parts] or [np.zeros(0)], root)


def _known(index: Any) -> Any:
    if isinstance(index, Lanes) or not is_static(index):
        raise UnevenUseError("the elements of this array have different sizes, so that a range of it has to be known")
    return index


def _element(base: UnevenArray, index: Any, root: Context, read: Callable[..., Any]) -> Value:
    count = len(base.elements)
    if not is_static(index):
        raise UnevenUseError(
            "the elements of this array have different sizes, and which of them is taken depends on parameters or on "
            "the iteration of a sequential loop"
        )
    for at in np.ravel(array_of(index)):
        if not 1 <= at <= count:
            raise IndexRangeError(out_of_range(at, count))
    if not isinstance(index, Lanes):
        return base.elements[int(index) - 1]
    shapes = [element_shape(element) for element in base.elements]
    kinds = {shape: kind for kind, shape in enumerate(dict.fromkeys(shapes))}
    kind = np.array([kinds[shapes[at - 1]] for at in index.array], np.int64)
    if np.any(kind != kind[:1]):
        raise RaggedError(index.context, kind)
    taken, places = np.unique(index.array, return_inverse=True)
    together = side_by_side([base.elements[at - 1] for at in taken], root)
    return read(together, [At(Lanes(places + 1, index.context))], root)
