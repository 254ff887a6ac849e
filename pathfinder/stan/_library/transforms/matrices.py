"""Transforms of matrices: Cholesky factors, covariance, correlation and stochastic matrices.

Source: Stan reference manual, "Constraint Transforms", with the order of the free values from the reference
implementation in Stan's math library (`stan/math/prim/constraint/`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._demands.demand import tolerance
from pathfinder.stan._library.transforms.transform import Rule, Transform
from pathfinder.stan._library.transforms.vectors import (
    SIMPLEX,
    STICK_BREAKING,
    Pair,
    simplex_rules,
    sum_to_zero,
    sum_to_zero_free,
)


_LOG_TWO = math.log(2.0)


# ---- Cholesky factors of covariances: rows one after the other, the diagonal by its logarithm


def _lower_entries(rows: int, cols: int | None) -> tuple[np.ndarray, np.ndarray]:
    return np.tril_indices(rows, 0, rows if cols is None else cols)


def _factor_size(rows: int, cols: int | None = None) -> int:
    if cols is not None and cols > rows:
        raise ValueError(f"a Cholesky factor needs at least as many rows as columns, but has {rows} and {cols}")
    return _lower_entries(rows, cols)[0].size


def _factor(free: jax.Array, rows: int, cols: int | None = None) -> Pair:
    i, j = _lower_entries(rows, cols)
    diagonal = np.flatnonzero(i == j)
    entries = free.at[diagonal].set(jnp.exp(free[diagonal]))
    matrix = jnp.zeros((rows, rows if cols is None else cols), free.dtype).at[i, j].set(entries)
    return matrix, jnp.sum(free[diagonal])


def _factor_free(xp: ModuleType, value: Any, rows: int, cols: int | None = None) -> Any:
    i, j = _lower_entries(rows, cols)
    entries = value[i, j]
    return xp.where(i == j, xp.log(xp.where(i == j, entries, 1.0)), entries)


def _factor_rules(xp: ModuleType, value: Any) -> Iterator[Rule]:
    yield "A Cholesky factor must be zero above the diagonal", abs(xp.triu(value, 1)), 0.0
    diagonal = xp.diagonal(value)
    yield "The diagonal of a Cholesky factor must be positive", xp.where(diagonal > 0, -1.0, -diagonal), -0.5


# ---- covariances


def _covariance_size(size: int) -> int:
    return size * (size + 1) // 2


def _covariance(free: jax.Array, size: int) -> Pair:
    factor, _ = _factor(free, size)
    weights = size + 1 - np.arange(size)
    log_diagonal = free[np.cumsum(np.arange(1, size + 1)) - 1]
    return factor @ factor.T, size * _LOG_TWO + jnp.sum(jnp.asarray(weights, free.dtype) * log_diagonal)


def _covariance_free(xp: ModuleType, value: Any, size: int) -> Any:
    return _factor_free(xp, xp.linalg.cholesky(value), size)


def _covariance_rules(xp: ModuleType, value: Any) -> Iterator[Rule]:
    yield "The matrix must be symmetric", abs(value - value.T), tolerance(xp, value)
    if value.shape[0]:
        # a NaN, for what has no eigenvalues, is a violation as well
        smallest = xp.min(xp.linalg.eigvalsh(xp.where(xp.isfinite(value), value, 0.0)))
        smallest = xp.where(xp.all(xp.isfinite(value)), smallest, xp.nan)
        yield "The matrix must be positive definite", xp.where(smallest > 0, -1.0, -smallest), -0.5


# ---- correlations, by partial correlations tanh(free)


def _correlation_size(size: int) -> int:
    return size * (size - 1) // 2


def _by_rows(size: int) -> tuple[np.ndarray, np.ndarray]:
    return np.tril_indices(size, -1)


def _by_columns(size: int) -> tuple[np.ndarray, np.ndarray]:
    j, i = np.triu_indices(size, 1)
    return i, j


def _log_rest(free: jax.Array) -> jax.Array:
    """`log(1 - tanh(free)^2)` without cancellation."""
    size = jnp.abs(free)
    return 2 * (_LOG_TWO - size - jnp.log1p(jnp.exp(-2 * size)))


def _correlation_factor(free: jax.Array, size: int, entries: tuple[np.ndarray, np.ndarray]) -> tuple[Any, Any]:
    """Cholesky factor, and the logarithms of what earlier columns leave of the length of each row."""
    nothing = jnp.zeros((size, size), free.dtype)
    rests = nothing.at[entries].set(_log_rest(free))
    left = jnp.cumsum(rests, axis=1) - rests
    partial = nothing.at[entries].set(jnp.tanh(free)) + jnp.eye(size, dtype=free.dtype)
    return partial * jnp.exp(0.5 * left), left


def _correlation_cholesky(free: jax.Array, size: int) -> Pair:
    entries = _by_rows(size)
    factor, left = _correlation_factor(free, size, entries)
    return factor, jnp.sum(_log_rest(free)) + 0.5 * jnp.sum(left[entries])


def _correlation(free: jax.Array, size: int) -> Pair:
    entries = _by_columns(size)
    factor, _ = _correlation_factor(free, size, entries)
    # a column has a weight for each column that comes after it, less one
    weights = jnp.asarray(size - 2 - entries[1], free.dtype)
    matrix = factor @ factor.T
    diagonal = np.arange(size)
    return matrix.at[diagonal, diagonal].set(1.0), jnp.sum((1 + 0.5 * weights) * _log_rest(free))


def _partial_correlations_free(xp: ModuleType, factor: Any, entries: tuple[np.ndarray, np.ndarray]) -> Any:
    # from the diagonal backwards, so that nothing cancels: what is left of the row before each column
    left = xp.sqrt(xp.cumsum((factor**2)[:, ::-1], axis=1)[:, ::-1])
    return xp.arctanh(factor[entries] / left[entries])


def _correlation_cholesky_free(xp: ModuleType, value: Any, size: int) -> Any:
    return _partial_correlations_free(xp, value, _by_rows(size))


def _correlation_free(xp: ModuleType, value: Any, size: int) -> Any:
    return _partial_correlations_free(xp, xp.linalg.cholesky(value), _by_columns(size))


def _correlation_cholesky_rules(xp: ModuleType, value: Any) -> Iterator[Rule]:
    yield from _factor_rules(xp, value)
    yield "The rows of the factor must have length one", abs(xp.sum(value * value, 1) - 1), tolerance(xp, value)


def _correlation_rules(xp: ModuleType, value: Any) -> Iterator[Rule]:
    yield "The diagonal of a correlation matrix must be one", abs(xp.diagonal(value) - 1), tolerance(xp, value)
    yield from _covariance_rules(xp, value)


# ---- matrices of simplexes; their free matrix is stored by columns


def _stochastic(simplex: Transform, transposed: bool) -> Transform:
    """A matrix whose rows, or columns if it is the transposed one, are simplexes."""

    def shape(rows, cols):
        return (cols, rows) if transposed else (rows, cols)

    def free_size(rows, cols):
        number, size = shape(rows, cols)
        return number * simplex.free_size(size)

    def from_free(free, rows, cols):
        number, size = shape(rows, cols)
        less = simplex.free_size(size)
        matrix = free.reshape(number, less) if transposed else free.reshape(less, number).T
        value, log_jacobian = jax.vmap(lambda row: simplex.from_free(row, size))(matrix)
        return value.T if transposed else value, jnp.sum(log_jacobian)

    def to_free(xp, value, rows, cols):
        number, size = shape(rows, cols)
        simplexes = value.T if transposed else value
        free = xp.stack([simplex.to_free(xp, row, size) for row in simplexes]).reshape(number, -1)
        return free.reshape(-1) if transposed else free.T.reshape(-1)

    def rules(xp, value):
        yield from simplex_rules(xp, value.T if transposed else value)

    return Transform(free_size, from_free, to_free, rules)


# ---- matrices whose rows and columns sum to zero


def _zero_sums_size(rows: int, cols: int) -> int:
    return max(rows - 1, 0) * max(cols - 1, 0)


def _zero_sums(free: jax.Array, rows: int, cols: int) -> Pair:
    matrix = free.reshape(cols - 1, rows - 1).T
    value = sum_to_zero(sum_to_zero(matrix).T).T
    # Stan's matrix has its last row and column where the vector has its first element
    return jnp.roll(value, (-1, -1), (0, 1)), jnp.zeros((), free.dtype)


def _zero_sums_free(xp: ModuleType, value: Any, rows: int, cols: int) -> Any:
    return sum_to_zero_free(xp, sum_to_zero_free(xp, xp.roll(value, (1, 1), (0, 1))).T).reshape(-1)


def _zero_sums_rules(xp: ModuleType, value: Any) -> Iterator[Rule]:
    yield "The columns must sum to zero", abs(xp.sum(value, 0)), tolerance(xp, value)
    yield "The rows must sum to zero", abs(xp.sum(value, 1)), tolerance(xp, value)


MATRIX_TRANSFORMS: dict[str, Transform] = {
    "cholesky_factor_cov": Transform(_factor_size, _factor, _factor_free, _factor_rules),
    "cov_matrix": Transform(_covariance_size, _covariance, _covariance_free, _covariance_rules),
    "cholesky_factor_corr": Transform(
        _correlation_size, _correlation_cholesky, _correlation_cholesky_free, _correlation_cholesky_rules
    ),
    "corr_matrix": Transform(_correlation_size, _correlation, _correlation_free, _correlation_rules),
    "row_stochastic_matrix": _stochastic(SIMPLEX, transposed=False),
    "column_stochastic_matrix": _stochastic(SIMPLEX, transposed=True),
    "row_stochastic_matrix:stick_breaking": _stochastic(STICK_BREAKING, transposed=False),
    "column_stochastic_matrix:stick_breaking": _stochastic(STICK_BREAKING, transposed=True),
    "sum_to_zero_matrix": Transform(_zero_sums_size, _zero_sums, _zero_sums_free, _zero_sums_rules),
}
