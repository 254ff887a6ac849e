"""Quadratic forms with the inverse of a matrix, and its log determinant, from one factor."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Float

from pathfinder.gaussian._dense.spd import factor_of, spd_inverse, spd_solve


def inverse_quadratic_and_log_determinant(
    covariance: Float[Array, "n n"], vectors: Float[Array, "n *columns"]
) -> tuple[Float[Array, "*columns columns"], Float[Array, ""]]:
    """`V' K^-1 V` and `log det K`, with one Cholesky factor for both and for their gradients.

    Args:
        covariance: K, symmetric and positive definite; else both results are NaN. Only its lower triangle is read.
        vectors: V, one vector, or several in columns; then the first result is a matrix.

    Raises:
        ValueError: If shapes do not fit.
    """
    covariance, vectors = jnp.asarray(covariance), jnp.asarray(vectors)
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
        raise ValueError(f"`covariance` must be a square matrix, but its shape is {covariance.shape}.")
    if vectors.ndim not in (1, 2) or len(vectors) != len(covariance):
        raise ValueError(
            f"`vectors` must have {len(covariance)} rows as `covariance` has, but its shape is {vectors.shape}."
        )
    solution = spd_solve(covariance, vectors)
    return vectors.T @ solution, log_determinant(covariance)


@jax.custom_jvp
def log_determinant(covariance: Float[Array, "n n"]) -> Float[Array, ""]:
    """Log determinant of a symmetric positive definite matrix; NaN if it is not."""
    return 2.0 * jnp.sum(jnp.log(jnp.diagonal(factor_of(covariance))))


@partial(log_determinant.defjvp, symbolic_zeros=True)
def _log_determinant_jvp(primals, tangents):
    (covariance,), (of_covariance,) = primals, tangents
    value = log_determinant(covariance)
    if isinstance(of_covariance, SymbolicZero):
        return value, jnp.zeros_like(value)
    return value, jnp.sum(spd_inverse(covariance) * of_covariance)
