"""Cholesky factors with a derivative in blocks.

Source: Murray (2016), "Differentiation of the Cholesky decomposition", arXiv 1602.07527, section 3.3. JAX's own rule is
two triangular solves and a product of whole matrices.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.lax.linalg import cholesky as factorized
from jax.lax.linalg import triangular_solve


_SMALLEST = 50  # matrix whose derivative is taken in blocks is larger: docs/decisions/cholesky-derivative.md


@jax.custom_jvp
def cholesky_factor(a: jax.Array) -> jax.Array:
    """Lower factor of a symmetric matrix, whose upper triangle is not read; NaN if it is not positive definite."""
    return factorized(a, symmetrize_input=False)


@cholesky_factor.defjvp
def _cholesky_jvp(primals, tangents):
    (a,), (of_a,) = primals, tangents
    factor = cholesky_factor(a)
    return factor, cholesky_tangent(factor, of_a)


def cholesky_tangent(factor: jax.Array, of_a: jax.Array) -> jax.Array:
    """The derivative of a lower factor along `of_a`, the derivative of the matrix."""
    # More than four blocks gain little and take seconds to compile.
    return _tangent(factor, of_a, max(_SMALLEST, -(-factor.shape[0] // 4)))


def _tangent(factor: jax.Array, of_a: jax.Array, whole: int) -> jax.Array:
    """The derivative along `of_a`, taken as a whole up to the size `whole`."""
    size = factor.shape[0]
    if size <= whole:
        # L' = L Phi(L^-1 A' L^-T), where Phi takes the lower triangle and half of the diagonal.
        left = triangular_solve(factor, of_a, left_side=True, lower=True)
        both = triangular_solve(factor, left, lower=True, transpose_a=True)
        return factor @ (jnp.tril(both) * (1 - 0.5 * jnp.eye(size, dtype=factor.dtype)))
    half = size // 2
    corner, below = factor[:half, :half], factor[half:, :half]
    of_corner = _tangent(corner, of_a[:half, :half], whole)
    of_below = triangular_solve(corner, of_a[half:, :half] - below @ of_corner.T, lower=True, transpose_a=True)
    product = of_below @ below.T
    of_rest = _tangent(factor[half:, half:], of_a[half:, half:] - product - product.T, whole)
    return jnp.block([[of_corner, jnp.zeros_like(below.T)], [of_below, of_rest]])
