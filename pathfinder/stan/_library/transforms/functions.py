"""The transforms as functions: `simplex_constrain(y)`, `lower_bound_jacobian(y, a)`, `ordered_unconstrain(x)`, ...

Source: Stan functions reference, "Variable Transformation Functions" (Stan 2.37).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from pathfinder.stan._library.functions.function import Function, real
from pathfinder.stan._library.transforms.table import (
    TRANSFORMS,
    Transform,
    constrain_bounded,
    constrain_scaled,
    free_of_bounded,
    satisfied_bounded,
)
from pathfinder.stan._types.types import Type


Pair = tuple[jax.Array, jax.Array]
Constraining = Callable[..., Pair]


def _of_vector(word: str) -> Constraining:
    """A transform whose size follows from that of the free vector."""
    transform = TRANSFORMS[word]

    def constrain(y):
        less = 1 - transform.free_size(1)  # free values that the type has less than elements
        return transform.constrain(y, y.shape[0] + less)

    return constrain


def _of_sizes(word: str) -> Constraining:
    return TRANSFORMS[word].constrain


def _of_matrix(word: str, more_rows: int, more_cols: int) -> Constraining:
    """A transform of a free matrix, which is stored by columns."""

    def constrain(y):
        rows, cols = y.shape
        return TRANSFORMS[word].constrain(y.T.reshape(-1), rows + more_rows, cols + more_cols)

    return constrain


def _sum_to_zero(y: Any) -> Pair:
    of_matrix = _of_matrix("sum_to_zero_matrix", 1, 1)
    return of_matrix(y) if y.ndim == 2 else _of_vector("sum_to_zero_vector")(y)


_ELEMENTWISE: dict[str, Constraining] = {
    "lower_bound": lambda y, lower: constrain_bounded(y, lower),
    "upper_bound": lambda y, upper: constrain_bounded(y, None, upper),
    "lower_upper_bound": constrain_bounded,
    "offset_multiplier": constrain_scaled,
}
_WHOLE: dict[str, Constraining] = {
    "ordered": _of_vector("ordered"),
    "positive_ordered": _of_vector("positive_ordered"),
    "simplex": _of_vector("simplex"),
    "sum_to_zero": _sum_to_zero,
    "unit_vector": _of_vector("unit_vector"),
    "cholesky_factor_corr": _of_sizes("cholesky_factor_corr"),
    "cholesky_factor_cov": _of_sizes("cholesky_factor_cov"),
    "corr_matrix": _of_sizes("corr_matrix"),
    "cov_matrix": _of_sizes("cov_matrix"),
    "stochastic_row": _of_matrix("row_stochastic_matrix", 0, 1),
    "stochastic_column": _of_matrix("column_stochastic_matrix", 1, 0),
}


def _over_arrays(constrain: Constraining) -> Callable[..., Pair]:
    """The function for arrays of free containers, too, whose Jacobians are multiplied."""

    def evaluate(types: tuple[Type, ...], y: Any, *sizes: int) -> Pair:
        def one(y):
            return constrain(y, *sizes)

        for _ in range(types[0].dims):
            one = jax.vmap(one)
        value, log_jacobian = one(real(y))
        return value, jnp.sum(log_jacobian)

    return evaluate


def _typed(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda types, y, *arguments: function(real(y), *arguments)


JACOBIAN_FUNCTIONS: dict[str, Function] = {
    **{f"{word}_jacobian": Function(_typed(constrain), typed=True) for word, constrain in _ELEMENTWISE.items()},
    **{
        f"{word}_jacobian": Function(_over_arrays(constrain), typed=True, static=(1, 2))
        for word, constrain in _WHOLE.items()
    },
}
"""Functions that return a value and what they add to the logarithm of the Jacobian determinant."""


def _value(function: Function) -> Function:
    def evaluate(types, *arguments):
        return function.evaluate(types, *arguments)[0]

    return Function(evaluate, typed=True, static=function.static)


def _free(transform: Transform, value: Any) -> jax.Array:
    """The free values of one constrained one, as a vector; NaN where the constraint is violated, which Stan rejects."""
    free = transform.to_free(jnp, value, *_sizes(transform, value))
    return jnp.where(transform.satisfied(value), free, jnp.nan)


def _sizes(transform: Transform, value: Any) -> tuple[int, ...]:
    """Sizes of the declaration: types of square matrices have one."""
    return value.shape[:1] if transform in _SQUARE else value.shape


_SQUARE = [TRANSFORMS[word] for word in ("cov_matrix", "corr_matrix", "cholesky_factor_corr")]


def _free_vector(word: str) -> Callable[[Any], jax.Array]:
    return lambda value: _free(TRANSFORMS[word], value)


def _free_matrix(word: str, less_rows: int, less_cols: int) -> Callable[[Any], jax.Array]:
    """Into a free matrix, which is stored by columns."""

    def unconstrain(value):
        rows, cols = value.shape
        return _free(TRANSFORMS[word], value).reshape(cols - less_cols, rows - less_rows).T

    return unconstrain


def _sum_to_zero_free(value: Any) -> jax.Array:
    of_matrix = _free_matrix("sum_to_zero_matrix", 1, 1)
    return of_matrix(value) if value.ndim == 2 else _free_vector("sum_to_zero_vector")(value)


def _free_of_bounds(value: Any, lower: Any = None, upper: Any = None) -> jax.Array:
    within = satisfied_bounded(value, lower, upper)
    return jnp.where(within, free_of_bounded(jnp, value, lower, upper), jnp.nan)


def _free_of_scale(value: Any, offset: Any, multiplier: Any) -> jax.Array:
    return jnp.where(jnp.all(jnp.asarray(multiplier) > 0), (value - offset) / multiplier, jnp.nan)


_ELEMENTWISE_FREE: dict[str, Callable[..., jax.Array]] = {
    "lower_bound": _free_of_bounds,
    "upper_bound": lambda value, upper: _free_of_bounds(value, None, upper),
    "lower_upper_bound": _free_of_bounds,
    "offset_multiplier": _free_of_scale,
}
_WHOLE_FREE: dict[str, Callable[[Any], jax.Array]] = {
    **{word: _free_vector(word) for word in _WHOLE if word in TRANSFORMS},
    "sum_to_zero": _sum_to_zero_free,
    "stochastic_row": _free_matrix("row_stochastic_matrix", 0, 1),
    "stochastic_column": _free_matrix("column_stochastic_matrix", 1, 0),
}


def _free_over_arrays(unconstrain: Callable[[Any], jax.Array]) -> Callable[..., jax.Array]:
    def evaluate(types: tuple[Type, ...], value: Any) -> jax.Array:
        one = unconstrain
        for _ in range(types[0].dims):
            one = jax.vmap(one)
        return one(real(value))

    return evaluate


CONSTRAIN_FUNCTIONS: dict[str, Function] = {
    **{name.removesuffix("jacobian") + "constrain": _value(function) for name, function in JACOBIAN_FUNCTIONS.items()},
    **{f"{word}_unconstrain": Function(_typed(free), typed=True) for word, free in _ELEMENTWISE_FREE.items()},
    **{f"{word}_unconstrain": Function(_free_over_arrays(free), typed=True) for word, free in _WHOLE_FREE.items()},
}
"""Functions that return a value alone: to the constraint, and back from it."""
