"""Triangular factors with a band: solutions, products and selected inverses, by LAPACK or compiled.

Factors are held as in `pathfinder.gaussian._structured.banded`: entry `[i, j]` is that of row `i` and column `i - j`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from pathfinder._arrays.namespace import namespace
from pathfinder.gaussian._structured import banded


def lower_solution(
    factor: Float[Any, "n width"], right: Float[Any, "n column"], *, transpose: bool = False
) -> Float[Any, "n column"]:
    """Solve `L x = right`, or `L' x = right`."""
    if namespace(factor, right) is not np:
        return banded.band_solve(factor, right, transpose=transpose)
    from scipy.linalg import lapack

    if right.size == 0:
        return right
    solve: Any = lapack.stbtrs if right.dtype == np.float32 else lapack.dtbtrs  # type: ignore[attr-defined]
    if not np.isfinite(factor).all() or not factor[:, 0].all():
        return np.full_like(right, np.nan)
    solved, _ = solve(as_lapack(factor), right, uplo=b"L", trans=b"T" if transpose else b"N")
    return solved


def lower_factor(band: Float[np.ndarray, "n width"]) -> Float[np.ndarray, "n width"]:
    """The Cholesky factor of a symmetric matrix of NumPy.

    Raises:
        numpy.linalg.LinAlgError: If it is not positive definite.
    """
    from scipy.linalg import cholesky_banded

    return from_lapack(cholesky_banded(as_lapack(band), lower=True))


def upper_product(factor: Float[Any, "n width"], right: Float[Any, "n column"]) -> Float[Any, "n column"]:
    """`L'` times vectors."""
    if namespace(factor, right) is not np:
        return banded.lower_product(factor, right, transpose=True)
    product = factor[:, :1] * right
    for offset in range(1, min(factor.shape[1], len(factor))):
        product[:-offset] += factor[offset:, offset, None] * right[offset:]
    return product


def symmetric_product(
    band: Float[np.ndarray, "n width"], right: Float[np.ndarray, "n column"]
) -> Float[np.ndarray, "n column"]:
    """A symmetric banded matrix of NumPy times vectors."""
    product = upper_product(band, right)
    for offset in range(1, min(band.shape[1], len(band))):
        product[offset:] += band[offset:, offset, None] * right[:-offset]
    return product


def inverse_diagonal(factor: Float[Any, "n width"]) -> Float[Any, " n"]:
    """The diagonal of the inverse of `L L'`."""
    if namespace(factor) is not np:
        return banded.selected_inverse(factor)[:, 0]
    size, width = len(factor), factor.shape[1] - 1
    columns = as_lapack(factor).T
    ratios = columns[:, 1:] / columns[:, :1]
    diagonal = 1.0 / columns[:, 0] ** 2
    block = np.zeros((width, width), factor.dtype)
    for row in range(size - 1, -1, -1) if width else ():
        below = -block @ ratios[row]
        diagonal[row] -= ratios[row] @ below
        block[1:, 1:] = block[:-1, :-1].copy()
        block[0, 0], block[0, 1:], block[1:, 0] = diagonal[row], below[:-1], below[:-1]
    return diagonal


def as_lapack(band: Float[np.ndarray, "n width"]) -> Float[np.ndarray, "width n"]:
    """The lower form of LAPACK, whose entry `[j, i]` is that of row `i + j` and column `i`."""
    size, width = band.shape
    lower = np.zeros((width, size), band.dtype)
    for offset in range(min(width, size)):
        lower[offset, : size - offset] = band[offset:, offset]
    return lower


def from_lapack(lower: Float[np.ndarray, "width n"]) -> Float[np.ndarray, "n width"]:
    """The opposite of `as_lapack`."""
    width, size = lower.shape
    band = np.zeros((size, width), lower.dtype)
    for offset in range(min(width, size)):
        band[offset:, offset] = lower[offset, : size - offset]
    return band
