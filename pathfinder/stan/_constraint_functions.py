"""The transforms as functions of the language: `simplex_constrain(y)`, `lower_bound_jacobian(y, a)`, ...

Source: Stan functions reference, "Variable Transformation Functions" (Stan 2.37).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from pathfinder.stan._transforms import TRANSFORMS, constrain_bounded, constrain_scaled
from pathfinder.stan._types import Type
from pathfinder.stan.functions._function import Function, real


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


def _typed(constrain: Constraining) -> Callable[..., Pair]:
    return lambda types, y, *arguments: constrain(real(y), *arguments)


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


CONSTRAIN_FUNCTIONS: dict[str, Function] = {
    name.removesuffix("jacobian") + "constrain": _value(function) for name, function in JACOBIAN_FUNCTIONS.items()
}
