"""Functions that reduce a container or work along it: sums, moments, log sums, products, distances, sorting.

Source: Stan functions reference, "Array operations" and "Matrix operations".
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._library.functions.function import Function, both, quiet, real, real_in, real_numpy


def log_sum_exp(xp: Any, x: Any, axis: int | None = None) -> Any:
    """Logarithm of the sum of exponentials; minus infinity, with derivative zero, where all terms vanish."""
    if x.size == 0:
        return xp.asarray(-xp.inf, dtype=x.dtype)
    largest = xp.max(x, axis=axis, keepdims=True)
    largest = jax.lax.stop_gradient(largest) if xp is jnp else largest
    shift = xp.where(xp.isfinite(largest), largest, 0.0)
    total = xp.sum(xp.exp(x - shift), axis=axis)
    shift = xp.squeeze(shift, axis=axis)
    return xp.where(total > 0, shift + xp.log(xp.where(total > 0, total, 1.0)), xp.where(total == 0, -xp.inf, total))


def _log_sum_exp(xp: Any) -> Any:
    """Of the elements of one container, or elementwise of two arguments."""
    as_real = real_in(xp)

    def evaluate(*x):
        return log_sum_exp(xp, as_real(x[0])) if len(x) == 1 else xp.logaddexp(*map(as_real, x))

    return evaluate


def log_weighted_sum_exp(xp: Any, weights: Any, x: Any) -> Any:
    """`log(sum_k weights_k exp(x_k))` along the last axis; a weight of zero is no trouble for the derivative."""
    largest = xp.max(xp.where(weights > 0, x, -xp.inf), axis=-1, keepdims=True)
    largest = jax.lax.stop_gradient(largest) if xp is jnp else largest
    shift = xp.where(xp.isfinite(largest), largest, 0.0)
    # terms without weight may be far above the others
    total = xp.sum(weights * xp.exp(xp.minimum(x - shift, 80.0)), axis=-1)
    return shift[..., 0] + xp.log(total)


def _log_mix(xp: Any) -> Any:
    """`log_mix(theta, lp1, lp2)`, `log_mix(weights, lps)`, the latter summed over an array of vectors."""
    as_real = real_in(xp)

    def evaluate(*arguments):
        if len(arguments) == 3:
            theta, first, second = xp.broadcast_arrays(*map(as_real, arguments))
            weights, terms = xp.stack([theta, 1 - theta], -1), xp.stack([first, second], -1)
            return log_weighted_sum_exp(xp, weights, terms)
        weights, terms = map(as_real, arguments)
        return xp.sum(log_weighted_sum_exp(xp, weights if terms.ndim == 1 else weights[None, :], terms))

    return evaluate


def _softmax(xp: Any) -> Any:
    if xp is jnp:
        return jax.nn.softmax

    def evaluate(x):
        terms = np.exp(x - np.max(x, initial=-np.inf))
        return terms / terms.sum()

    return evaluate


def _extreme(xp: Any, name: str, of_nothing: float) -> Any:
    """`min` and `max`, of one container or of two integers."""
    reduce, pair = getattr(xp, name), getattr(xp, f"{name}imum")

    def evaluate(*x):
        if len(x) == 2:
            return pair(*x)
        return reduce(x[0]) if np.size(x[0]) else of_nothing

    return evaluate


def _variance(xp: Any, x: Any) -> Any:
    if x.size == 1:
        return xp.zeros((), x.dtype)
    return xp.sum((x - xp.mean(x)) ** 2) / (x.size - 1)


def root(xp: Any, x: Any) -> Any:
    """Square root of something nonnegative, with derivative zero at zero instead of infinity."""
    positive = x > 0
    return xp.where(positive, xp.sqrt(xp.where(positive, x, 1.0)), x)


def _of_reals(formula: Any, **fields: Any) -> Function:
    """`formula(xp, *arguments)` of containers of real numbers."""

    def build(xp):
        as_real = real_in(xp)
        return lambda *arguments: formula(xp, *map(as_real, arguments))

    return both(build, **fields)


def _dot(xp: Any, x: Any, y: Any) -> Any:
    return xp.sum(x * y)


def _squared_distance(xp: Any, x: Any, y: Any) -> Any:
    return xp.sum((x - y) ** 2)


def _by_axis(axis: int, product: Any) -> Function:
    """Dot products of columns (axis 0) or rows (axis 1); of a vector, in the direction that its type says."""
    along = "row_vector" if axis == 0 else "vector"

    def build(xp):
        def evaluate(types, *arguments):
            if types[0].base.removeprefix("complex_") == along:
                return product(*arguments)
            values = product(*arguments)
            return xp.sum(values, axis=axis) if values.ndim == 2 else xp.sum(values)[None]

        return evaluate

    return both(build, typed=True)


def _quantile(xp: Any, x: Any, p: Any) -> Any:
    return xp.quantile(x, p)


def _sort_indices(descending: bool) -> Function:
    def evaluate(x):
        return jnp.argsort(x, stable=True, descending=descending) + 1

    def numpy(x):
        order = np.argsort(-np.asarray(x) if descending else x, stable=True)
        return order + 1

    return Function(evaluate, numpy=numpy)


def _rank(xp: Any) -> Any:
    """Number of elements below the one at a position."""

    def evaluate(x, position):
        x = xp.asarray(x)
        return xp.sum(x < x[position - 1])

    return evaluate


SUMS: dict[str, Function] = {
    "sum": both(lambda xp: xp.sum),
    "prod": both(lambda xp: xp.prod),
    "min": both(lambda xp: _extreme(xp, "min", float("inf"))),
    "max": both(lambda xp: _extreme(xp, "max", float("-inf"))),
    "mean": _of_reals(lambda xp, x: xp.mean(x)),
    "variance": _of_reals(_variance),
    "sd": _of_reals(lambda xp, x: root(xp, _variance(xp, x))),
    "norm1": _of_reals(lambda xp, x: xp.sum(abs(x))),
    "norm2": _of_reals(lambda xp, x: root(xp, xp.sum(x * x))),
    "log_sum_exp": both(_log_sum_exp),
    "log_mix": both(_log_mix),
    "softmax": Function(lambda x: jax.nn.softmax(real(x)), numpy=quiet(lambda x: _softmax(np)(real_numpy(x)))),
    "log_softmax": _of_reals(lambda xp, x: x - log_sum_exp(xp, x)),
    "dot_product": both(lambda xp: lambda x, y: _dot(xp, x, y)),
    "dot_self": both(lambda xp: lambda x: _dot(xp, x, x)),
    "columns_dot_product": _by_axis(0, lambda x, y: x * y),
    "columns_dot_self": _by_axis(0, lambda x: x * x),
    "rows_dot_product": _by_axis(1, lambda x, y: x * y),
    "rows_dot_self": _by_axis(1, lambda x: x * x),
    "trace_dot": _of_reals(lambda xp, a, b: xp.sum(a * b.T)),
    "squared_distance": _of_reals(_squared_distance),
    "distance": _of_reals(lambda xp, x, y: root(xp, _squared_distance(xp, x, y))),
    "cumulative_sum": both(lambda xp: xp.cumsum),
    "reverse": both(lambda xp: lambda x: x[::-1]),
    "sort_asc": Function(jnp.sort, numpy=np.sort),
    "sort_desc": Function(lambda x: jnp.sort(x, descending=True), numpy=lambda x: np.sort(x)[::-1]),
    "sort_indices_asc": _sort_indices(descending=False),
    "sort_indices_desc": _sort_indices(descending=True),
    "rank": both(_rank),
    "quantile": _of_reals(_quantile),
}
