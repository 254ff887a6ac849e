"""Orthonormal vectors of the span of others: thin QR."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pathfinder._arrays.matrices import matrix_product, solve_triangular
from pathfinder._arrays.namespace import Array, fori_loop, namespace, put


LONG = 4096  # length of vectors from which the products of whole matrices are faster
MOST_SKEWED = 0.1  # of the products of unit vectors after one pass, for the second one to be right to rounding


def orthonormal_rows(vectors: Float[Array, "*lanes rank dim"]) -> Float[Array, "*lanes rank dim"]:
    """Orthonormal vectors of the same span.

    By Gram-Schmidt, or, for long vectors on the host, by the Cholesky factor of their products, twice. A vector that
    depends on those before it becomes zero, which the span does without.
    """
    if namespace(vectors) is not np or vectors.shape[-1] < LONG:
        return gram_schmidt(vectors)
    basis = np.empty_like(vectors)
    for lane in np.ndindex(vectors.shape[:-2]):
        own = _by_cholesky(vectors[lane])
        basis[lane] = gram_schmidt(vectors[lane]) if own is None else own
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


def _by_cholesky(vectors: Float[Array, "rank dim"]) -> Float[Array, "rank dim"] | None:
    """Orthonormal vectors of the same span, if they come out accurate.

    The factor of the products of the vectors makes them nearly orthonormal, and that of the products of these makes
    them so to rounding error, unless the vectors nearly depend on each other (Yamamoto, Nakatsukasa, Yanagisawa and
    Fukaya 2015). Zero vectors stay zero.
    """
    products = vectors @ vectors.T
    lengths = np.sqrt(np.diagonal(products))
    absent = lengths == 0
    per_unit = np.where(absent, 0.0, 1.0 / np.where(absent, 1.0, lengths)).astype(vectors.dtype)
    try:
        nearly = (_inverse_factor(products * per_unit[:, None] * per_unit, absent) * per_unit) @ vectors
        products = nearly @ nearly.T
        skewness = np.max(np.abs(products - np.diag(np.where(absent, 0.0, 1.0))))
        if not skewness <= MOST_SKEWED:
            return None
        return _inverse_factor(products, absent) @ nearly
    except np.linalg.LinAlgError:
        return None


def _inverse_factor(products: Float[Array, "rank rank"], absent: np.ndarray) -> Float[Array, "rank rank"]:
    """The inverse of the Cholesky factor, with ones in place of what is absent."""
    identity = np.eye(len(products), dtype=products.dtype)
    factor = np.linalg.cholesky(products + np.diag(absent).astype(products.dtype))
    return solve_triangular(factor, identity, lower=True)
