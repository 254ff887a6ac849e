"""Orthonormal vectors of the span of others: thin QR."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from pathfinder._arrays.matrices import cholesky, diagonal_matrix, matrix_product, solve_triangular, transposed
from pathfinder._arrays.namespace import Array, fori_loop, namespace, put


LONG = 512  # length of vectors from which the products of whole matrices are faster
MOST_SKEWED = 0.1  # of the products of unit vectors after one pass, for the second one to be right to rounding


def orthonormal_rows(vectors: Float[Array, "*lanes rank dim"]) -> Float[Array, "*lanes rank dim"]:
    """Orthonormal vectors of the same span.

    By Gram-Schmidt, or, for long vectors on the host, by the Cholesky factor of their products, twice. A vector that
    depends on those before it becomes zero, which the span does without.
    """
    if namespace(vectors) is not np or vectors.shape[-1] < LONG:
        return gram_schmidt(vectors)
    basis, is_accurate = _by_cholesky(vectors)
    if not is_accurate.all():
        basis[~is_accurate] = gram_schmidt(vectors[~is_accurate])
    return basis


def gram_schmidt(vectors: Float[Array, "*lanes rank dim"]) -> Float[Array, "*lanes rank dim"]:
    """Orthonormal vectors of the same span, every vector orthogonalized twice.

    Twice is enough for orthogonality to rounding error (Giraud, Langou, Rozloznik and van den Eshof 2005). LAPACK's QR
    is no faster here, and on a busy machine up to twenty times slower, because its threads wait for each other
    (docs/decisions/thin-qr.md).
    """
    xp = namespace(vectors)
    least = 10.0 * float(xp.finfo(vectors.dtype).eps)

    def add(row, basis):
        vector = vectors[..., row, :]
        length = xp.linalg.norm(vector, axis=-1, keepdims=True)
        # The rows of the basis that are there, of those of a program of one shape all, of which the others are zero.
        known = basis[..., :row, :] if xp is np else basis
        for _ in range(2):
            vector = vector - matrix_product(xp.swapaxes(known, -1, -2), matrix_product(known, vector))
        remaining = xp.linalg.norm(vector, axis=-1, keepdims=True)
        independent = remaining > least * length
        unit = vector / xp.where(independent, remaining, 1.0)
        return put(basis, (..., row, slice(None)), xp.where(independent, unit, 0.0))

    return fori_loop(vectors.shape[-2], add, xp.zeros_like(vectors))


def _by_cholesky(
    vectors: Float[Array, "*lanes rank dim"],
) -> tuple[Float[Array, "*lanes rank dim"], Bool[Array, "*lanes"]]:
    """Orthonormal vectors of the same span, and in which lanes they are accurate.

    The factor of the products of the vectors makes them nearly orthonormal, and that of the products of these makes
    them so to rounding error, unless the vectors nearly depend on each other (Yamamoto, Nakatsukasa, Yanagisawa and
    Fukaya 2015). Zero vectors stay zero.
    """
    products = vectors @ transposed(vectors)
    lengths = np.sqrt(np.diagonal(products, axis1=-2, axis2=-1))
    absent = lengths == 0
    per_unit = np.where(absent, 0.0, 1.0 / np.where(absent, 1.0, lengths)).astype(vectors.dtype)
    of_unit = _inverse_factor(products * per_unit[..., :, None] * per_unit[..., None, :], absent)
    nearly = (of_unit * per_unit[..., None, :]) @ vectors
    products = nearly @ transposed(nearly)
    skewness = np.max(np.abs(products - diagonal_matrix((~absent).astype(products.dtype))), axis=(-2, -1))
    # A factor that fails is NaN.
    return _inverse_factor(products, absent) @ nearly, skewness <= MOST_SKEWED


def _inverse_factor(
    products: Float[Array, "*lanes rank rank"], absent: Bool[Array, "*lanes rank"]
) -> Float[Array, "*lanes rank rank"]:
    """The inverse of the Cholesky factor, with ones in place of what is absent."""
    factors = cholesky(products + diagonal_matrix(absent.astype(products.dtype)))
    identity = np.broadcast_to(np.eye(factors.shape[-1], dtype=factors.dtype), factors.shape)
    return solve_triangular(factors, identity, lower=True)
