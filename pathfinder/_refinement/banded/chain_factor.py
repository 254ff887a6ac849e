"""The precision of a normal in the order of a pattern, and the Cholesky factor of its band; in NumPy with LAPACK."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pathfinder._normals.band_algebra import lower_factor, lower_solution


class Precision(NamedTuple):
    """The symmetric matrix [[A, C], [C', G]] of a chain and its border.

    Args:
        band: A, of which `band[i, j]` is the entry of row `i` and column `i - j`; 0 where there is none.
        border: C.
        corner: G.
    """

    band: Float[np.ndarray, "chain width"]
    border: Float[np.ndarray, "chain border"]
    corner: Float[np.ndarray, "border border"]

    @property
    def num_chain(self) -> int:
        """Parameters outside of the border."""
        return len(self.band)

    def mixed(self, other: Precision, share: float) -> Precision:
        """With a share of another one."""
        return Precision(*[(1 - share) * own + share * its for own, its in zip(self, other, strict=True)])

    def with_corner_over(self, schur: Float[np.ndarray, "border border"], factor: ChainFactor) -> Precision:
        """The same but for the corner, so that the precision of the border alone is `schur`.

        Args:
            schur: The Schur complement of the band.
            factor: Of the band.
        """
        half = factor.solve_lower(self.border)
        return self._replace(corner=schur + half.T @ half)


class ChainFactor:
    """The lower Cholesky factor L of a banded matrix.

    Pivots that are not positive are replaced, if that is wanted: by the absolute entry of the diagonal, or the sum of
    the others in the row if that is larger, as a small pivot would make a step of Newton's that is far too long.

    Args:
        band: The matrix, as in `Precision`.
        mends: Whether to replace pivots.

    Raises:
        numpy.linalg.LinAlgError: If it is not positive definite and pivots are not to be replaced.
    """

    def __init__(self, band: Float[np.ndarray, "chain width"], *, mends: bool = False):
        self.band, self.is_mended = band, False
        try:
            self.factor = lower_factor(band)
        except np.linalg.LinAlgError:
            if not mends:
                raise
            self.band, self.is_mended = _positive_band(band), True
            self.factor = lower_factor(self.band)

    @cached_property
    def log_det(self) -> float:
        """Half the log determinant of the matrix."""
        return float(np.log(self.factor[:, 0]).sum())

    def solve_lower(self, right: Float[np.ndarray, "chain *columns"]) -> Float[np.ndarray, "chain *columns"]:
        """L^-1 times vectors."""
        return self._solve(right, transpose=False)

    def solve_upper(self, right: Float[np.ndarray, "chain *columns"]) -> Float[np.ndarray, "chain *columns"]:
        """L'^-1 times vectors."""
        return self._solve(right, transpose=True)

    def solve(self, right: Float[np.ndarray, "chain *columns"]) -> Float[np.ndarray, "chain *columns"]:
        """The inverse of the matrix times vectors."""
        return self.solve_upper(self.solve_lower(right))

    def _solve(self, right: np.ndarray, *, transpose: bool) -> np.ndarray:
        columns = right.reshape(len(right), -1) if right.size else right.reshape(len(right), 0)
        return lower_solution(self.factor, columns, transpose=transpose).reshape(right.shape)


def _positive_band(band: Float[np.ndarray, "chain width"]) -> Float[np.ndarray, "chain width"]:
    """A banded matrix with diagonal entries raised until every pivot of its factor is positive."""
    size, width = band.shape
    raised, factor = band.copy(), np.zeros_like(band)
    sizes = np.abs(band)
    largest = sizes[:, 0].max(initial=0.0)
    beside = sizes[:, 1:].sum(axis=1)
    for offset in range(1, min(width, size)):
        beside[:-offset] += sizes[offset:, offset]
    for row in range(size):
        first = max(0, row - width + 1)
        for column in range(first, row):
            shared = np.arange(max(first, column - width + 1), column)
            inner = factor[row, row - shared] @ factor[column, column - shared]
            factor[row, row - column] = (band[row, row - column] - inner) / factor[column, 0]
        squares = factor[row, 1:] @ factor[row, 1:]
        pivot = band[row, 0] - squares
        if not pivot > 1e-10 * largest:
            pivot = max(sizes[row, 0], beside[row], 1e-6 * largest)
            raised[row, 0] = pivot + squares
        factor[row, 0] = np.sqrt(pivot)
    return raised
