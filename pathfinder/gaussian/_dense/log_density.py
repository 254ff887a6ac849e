"""The log density of a normal with a dense covariance: one factorization for value and gradient."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero
from jax.lax.linalg import triangular_solve
from jaxtyping import Array, Float

from pathfinder.gaussian._dense.spd import factor_of, spd_inverse, spd_solve


LOG_2_PI = float(np.log(2.0 * np.pi))


@jax.custom_jvp
def dense_log_density(offset: Float[Array, " n"], covariance: Float[Array, "n n"]) -> Float[Array, ""]:
    """Log density of `offset` under a normal with mean 0, all constants included; NaN if there is no such normal.

    With a = K^-1 offset, its derivative is `(a' dK a - tr(K^-1 dK)) / 2 - a . d offset` (Rasmussen and Williams 2006,
    equation 5.9).

    Args:
        offset: What is observed, less its mean.
        covariance: Symmetric.
    """
    factor = factor_of(covariance)
    half = triangular_solve(factor, offset[:, None], left_side=True, lower=True)[:, 0]
    return -0.5 * (half @ half + len(offset) * LOG_2_PI) - jnp.sum(jnp.log(jnp.diagonal(factor)))


@partial(dense_log_density.defjvp, symbolic_zeros=True)
def _dense_log_density_jvp(primals, tangents):
    (offset, covariance), (of_offset, of_covariance) = primals, tangents
    # The value is this function again, so that its second derivative is that of this rule.
    value = dense_log_density(offset, covariance)
    weights = spd_solve(covariance, offset)
    slope = jnp.zeros_like(value)
    if not isinstance(of_offset, SymbolicZero):
        slope -= weights @ of_offset
    if not isinstance(of_covariance, SymbolicZero):
        # The inverse is used as it is, and not through a solution, so that this is linear in the tangent at once.
        gradient = 0.5 * (jnp.outer(weights, weights) - spd_inverse(covariance))
        slope += jnp.sum(gradient * of_covariance)
    return value, slope
