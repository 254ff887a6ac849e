"""Functions that build, reshape or join containers; what cuts them or tells their sizes is in `indexing_calls`.

Source: Stan functions reference, "Array operations", "Matrix operations" and "Mixed operations". Stan stores matrices
column by column, which shows in every reshape; arrays are row by row.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from pathfinder.stan._library.functions.function import Function, both, real_in
from pathfinder.stan._types.types import Type


Types = tuple[Type, ...]
_MANY = tuple(range(1, 9))  # positions of the sizes of an array


def _word(type_: Type) -> str:
    """The type's word, the same for real and complex containers."""
    return type_.base.removeprefix("complex_")


def _is_matrix(type_: Type) -> bool:
    return type_.dims == 0 and _word(type_) == "matrix"


# ---- building


def _checked(size: int, name: str) -> int:
    if size < 0:
        raise ValueError(f"The size in `{name}` must not be negative, got {size}.")
    return size


def _rep_array(xp: Any) -> Any:
    def repeat(x, sizes):
        x = xp.asarray(x)
        return xp.broadcast_to(x, (*(_checked(size, "rep_array") for size in sizes), *x.shape)) + xp.zeros((), x.dtype)

    return lambda x, *sizes: jax.tree.map(lambda leaf: repeat(leaf, sizes), x)


def _rep_vector(xp: Any, name: str) -> Any:
    as_real = real_in(xp)
    return lambda x, n: xp.full(_checked(n, name), as_real(x))


def _rep_matrix(xp: Any) -> Any:
    as_real = real_in(xp)

    def evaluate(types, x, *sizes):
        for size in sizes:
            _checked(size, "rep_matrix")
        if len(sizes) == 2:
            return xp.full(sizes, as_real(x))
        return xp.repeat(x[:, None], sizes[0], 1) if _word(types[0]) == "vector" else xp.repeat(x[None], sizes[0], 0)

    return evaluate


def _linspaced(xp: Any) -> Any:
    def evaluate(n, lower, upper):
        if _checked(n, "linspaced_vector") == 1:
            return xp.asarray([upper]) * 1.0
        fractions = xp.arange(n) / max(n - 1, 1)
        return xp.where(fractions == 1, upper, lower + (upper - lower) * fractions)

    return evaluate


def linspaced_int_array(n: int, lower: int, upper: int) -> np.ndarray:
    """Integers between two ends, spaced as by Eigen's `LinSpaced`: evenly, the upper end reduced where need be."""
    if n == 1:
        return np.asarray([upper])
    span, i = upper - lower, np.arange(n)
    if span + 1 < n:
        return lower + i // ((n + span) // (span + 1))
    return lower + i * (span // max(n - 1, 1))


def _one_hot(xp: Any, dtype: Any) -> Any:
    def evaluate(n, position):
        if not 1 <= position <= n:
            raise ValueError(f"The position in `one_hot` must be from 1 to {n}, got {position}.")
        return (xp.arange(n) == position - 1).astype(dtype)

    return evaluate


def _filled(xp: Any, value: Any) -> Any:
    def evaluate(n):
        return xp.full(_checked(n, "ones or zeros"), value)

    return evaluate


# ---- reshaping


def _column_major(types: Types, x: Any) -> Any:
    """Elements as a 1-d array: matrices column by column, arrays row by row."""
    return x.T.reshape(-1) if _is_matrix(types[0]) else x.reshape(-1)


def _to_vector(xp: Any) -> Any:
    as_real = real_in(xp)
    return lambda types, x: as_real(_column_major(types, xp.asarray(x)))


def _to_matrix(xp: Any) -> Any:
    as_real = real_in(xp)

    def evaluate(types, x, *shape):
        x = as_real(xp.asarray(x))
        if not shape:
            return x if x.ndim == 2 else (x[:, None] if _word(types[0]) == "vector" else x[None, :])
        rows, cols = shape[:2]
        flat = _column_major(types, x)
        if flat.size != rows * cols:
            raise ValueError(f"`to_matrix` cannot make {rows} x {cols} elements of {flat.size}.")
        row_major = len(shape) == 3 and shape[2] == 0
        return flat.reshape(rows, cols) if row_major else flat.reshape(cols, rows).T

    return evaluate


def _to_array_1d(xp: Any) -> Any:
    return lambda types, x: _column_major(types, xp.asarray(x))


# ---- joining


def _append(xp: Any, stacked: str) -> Any:
    """`append_row` stacks row vectors and matrices, `append_col` vectors and matrices; else ends are joined."""
    axis = 0 if stacked == "row_vector" else 1

    def evaluate(types, x, y):
        if any(_word(type_) in ("matrix", stacked) for type_ in types) and not any(
            _word(type_) in ("int", "real", "complex") for type_ in types
        ):
            pair = [each if each.ndim == 2 else xp.expand_dims(each, axis) for each in (x, y)]
            return xp.concatenate(pair, axis)
        return xp.concatenate([xp.atleast_1d(x), xp.atleast_1d(y)])

    return evaluate


def _append_array(xp: Any) -> Any:
    return lambda x, y: jax.tree.map(lambda one, other: xp.concatenate([one, other]), x, y)


def _same(evaluate: Any, **fields: Any) -> Function:
    """A function whose one form serves JAX and NumPy values."""
    return Function(evaluate, numpy=evaluate, **fields)


CONTAINERS: dict[str, Function] = {
    "rep_array": both(_rep_array, static=_MANY),
    "rep_vector": both(lambda xp: _rep_vector(xp, "rep_vector"), static=(1,)),
    "rep_row_vector": both(lambda xp: _rep_vector(xp, "rep_row_vector"), static=(1,)),
    "rep_matrix": both(_rep_matrix, typed=True, static=(1, 2)),
    **{f"linspaced_{word}": both(_linspaced, static=(0,)) for word in ("array", "vector", "row_vector")},
    "linspaced_int_array": _same(linspaced_int_array, static=(0, 1, 2)),
    **{
        f"one_hot_{word}": both(lambda xp: _one_hot(xp, float), static=(0, 1))
        for word in ("array", "vector", "row_vector")
    },
    "one_hot_int_array": both(lambda xp: _one_hot(xp, int), static=(0, 1)),
    **{f"ones_{word}": both(lambda xp: _filled(xp, 1.0), static=(0,)) for word in ("array", "vector", "row_vector")},
    **{f"zeros_{word}": both(lambda xp: _filled(xp, 0.0), static=(0,)) for word in ("array", "vector", "row_vector")},
    "ones_int_array": both(lambda xp: _filled(xp, 1), static=(0,)),
    "zeros_int_array": both(lambda xp: _filled(xp, 0), static=(0,)),
    "uniform_simplex": both(lambda xp: lambda n: xp.full(n, 1.0 / n), static=(0,)),
    "to_vector": both(_to_vector, typed=True),
    "to_row_vector": both(_to_vector, typed=True),
    "to_matrix": both(_to_matrix, typed=True, static=(1, 2, 3)),
    "to_array_1d": both(_to_array_1d, typed=True),
    "to_array_2d": _same(lambda x: x),
    "to_vector_array": _same(lambda x: x.T),  # one vector for each column
    "to_row_vector_array": _same(lambda x: x),
    "append_row": both(lambda xp: _append(xp, "row_vector"), typed=True),
    "append_col": both(lambda xp: _append(xp, "vector"), typed=True),
    "append_array": both(_append_array),
}
