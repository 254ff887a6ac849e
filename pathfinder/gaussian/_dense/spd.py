"""Solutions with and inverses of symmetric positive definite matrices, differentiable any number of times.

Derivatives are further products with the inverse, never the derivative of a Cholesky factor, and factors are those of
the value: XLA merges equal factorizations.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.lax.linalg import cholesky as factorized
from jax.lax.linalg import triangular_solve
from jaxtyping import Array, Float


# Sizes between which the inverse is built from halves: two solves with the identity are as fast for larger matrices,
# and smaller ones (docs/decisions/gaussian-derivatives.md). Leaves are a quarter: each product takes time to compile.
SMALLEST_OF_HALVES, LARGEST_OF_HALVES = 64, 1500


def factor_of(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """The lower Cholesky factor, as a constant; NaN if there is none. Only the lower triangle is read."""
    return factorized(jax.lax.stop_gradient(matrix), symmetrize_input=False)


def spd_solve(matrix: Float[Array, "n n"], right: Float[Array, "n *columns"]) -> Float[Array, "n *columns"]:
    """`matrix^-1 right`, for one vector or several in columns."""
    factor = factor_of(matrix)

    # Linear also where tangents go through it: a derivative that is given would be left out of theirs.
    return jax.lax.custom_linear_solve(
        lambda vectors: matrix @ vectors, right, lambda _, vectors: _solved(factor, vectors), symmetric=True
    )


@jax.custom_jvp
def spd_inverse(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """The inverse of a symmetric positive definite matrix; NaN if it is not."""
    factor = factor_of(matrix)
    size = len(matrix)
    if not SMALLEST_OF_HALVES <= size <= LARGEST_OF_HALVES:
        return _solved(factor, jnp.eye(size, dtype=matrix.dtype))
    leaf = -(-size // 4)
    return _gram(_lower_inverse(factor, leaf), leaf)


@spd_inverse.defjvp
def _spd_inverse_jvp(primals, tangents):
    (matrix,), (of_matrix,) = primals, tangents
    inverse = spd_inverse(matrix)
    return inverse, -inverse @ of_matrix @ inverse


def _solved(factor: Array, right: Array) -> Array:
    columns = right[:, None] if right.ndim == 1 else right
    half = triangular_solve(factor, columns, left_side=True, lower=True)
    return triangular_solve(factor, half, left_side=True, lower=True, transpose_a=True).reshape(right.shape)


def _lower_inverse(factor: Array, leaf: int) -> Array:
    """The inverse of a lower triangle: of [[A, 0], [B, C]] it is [[A^-1, 0], [-C^-1 B A^-1, C^-1]]."""
    size = len(factor)
    if size <= leaf:
        return triangular_solve(factor, jnp.eye(size, dtype=factor.dtype), left_side=True, lower=True)
    half = size // 2
    first, last = _lower_inverse(factor[:half, :half], leaf), _lower_inverse(factor[half:, half:], leaf)
    below = -last @ (factor[half:, :half] @ first)
    return jnp.block([[first, jnp.zeros_like(below.T)], [below, last]])


def _gram(lower: Array, leaf: int) -> Array:
    """`Z' Z` of a lower triangle Z, without products of what is zero."""
    size = len(lower)
    if size <= leaf:
        return lower.T @ lower
    half = size // 2
    below, last = lower[half:, :half], lower[half:, half:]
    corner = last.T @ below
    first = _gram(lower[:half, :half], leaf) + below.T @ below
    return jnp.block([[first, corner.T], [corner, _gram(last, leaf)]])
