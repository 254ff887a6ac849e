"""Normal distributions whose precision is banded, but for a border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from pathfinder._arrays.matrices import solve_triangular
from pathfinder._arrays.namespace import Array, namespace, put, rows, stacked_rows
from pathfinder._normals.band_algebra import inverse_diagonal, lower_factor, lower_solution, upper_product
from pathfinder._normals.low_rank import LOG_2PI


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class BorderedNormal:
    """Normal distribution whose precision, in a certain order of the parameters, is banded with a border.

    In that order it is [[A, C], [C', G]] with a banded matrix A, the chain's, and its Cholesky factor
    [[L, 0], [Y', M]] has the same form: L L' = A, L Y = C, M M' = G - Y'Y.

    As of `LowRankNormal`, fields may have leading axes, for many normals (but in compiled programs, where they are
    mapped over), and methods take one vector for each normal or several, on an axis before the last.

    Args:
        mean: Mean, of the parameters as they are.
        band: L, of which `band[i, j]` is the entry of row `i` and column `i - j`. NaN where the factorization failed.
        border: Y.
        corner: M.
        order: The places of the parameters in that order: those of the chain, then those of the border.
    """

    mean: Float[Array, "*lanes dim"]
    band: Float[Array, "*lanes chain width"]
    border: Float[Array, "*lanes chain border"]
    corner: Float[Array, "*lanes border border"]
    order: Int[Array, "*lanes dim"]

    @property
    def dim(self) -> int:
        """Number of dimensions."""
        return self.mean.shape[-1]

    @property
    def num_border(self) -> int:
        """Number of parameters in the border."""
        return self.corner.shape[-1]

    @property
    def width(self) -> int:
        """Places that interacting parameters of the chain are apart, at most."""
        return self.band.shape[-1] - 1

    @property
    def log_det_cholesky(self) -> Float[Array, "*lanes"]:
        """Half the log determinant of the covariance."""
        xp = namespace(self)
        corner = xp.diagonal(self.corner, axis1=-2, axis2=-1)
        return -xp.sum(xp.log(self.band[..., 0]), axis=-1) - xp.sum(xp.log(corner), axis=-1)

    @property
    def scale(self) -> Float[Array, "*lanes dim"]:
        """Standard deviations."""
        return namespace(self).sqrt(self.variance)

    def transform(self, noise: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors dim"]:
        """The draw that standard normal `noise` becomes. Cost: O(dim (width + border))."""
        return self._of_each(_transform, noise)

    def noise(self, position: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors dim"]:
        """The noise that `transform` makes a position from. Cost: O(dim (width + border))."""
        return self._of_each(_noise, position)

    def noise_gradient(self, gradient: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors dim"]:
        """The gradient with respect to the noise, of a function whose gradient at `transform(noise)` is given."""
        return self._of_each(_noise_gradient, gradient)

    def covariance_product(self, vector: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors dim"]:
        """The covariance times a vector. Cost: O(dim (width + border))."""
        return self._of_each(_covariance_product, vector)

    def log_density_of_noise(self, noise: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors"]:
        """Log density at the draw `transform(noise)`, cheaper than `log_density` of that draw."""
        xp = namespace(self, noise)
        log_det = self.log_det_cholesky
        if noise.ndim > self.mean.ndim:
            log_det = log_det[..., None]
        return -log_det - 0.5 * (xp.vecdot(noise, noise) + self.dim * LOG_2PI)

    def log_density(self, position: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors"]:
        """Log density, with all constants. Cost: O(dim (width + border))."""
        return self.log_density_of_noise(self.noise(position))

    @property
    def variance(self) -> Float[Array, "*lanes dim"]:
        """Diagonal of the covariance."""
        if self.mean.ndim > 1:
            return namespace(self).stack([rows(self, lane).variance for lane in range(len(self.mean))])
        xp = namespace(self)
        spread = _corner_solution(self, xp.eye(self.num_border, dtype=self.corner.dtype), transpose=True)
        carried = lower_solution(self.band, self.border @ spread, transpose=True)
        chain = inverse_diagonal(self.band) + xp.sum(carried**2, axis=-1)
        return put(xp.zeros_like(self.mean), self.order, xp.concatenate([chain, xp.sum(spread**2, axis=-1)]))

    def rescaled(self, mean: Float[Array, " dim"], ratio: Float[Array, " dim"]) -> BorderedNormal:
        """The normal with another mean, these multiples of the standard deviations, and the same correlations."""
        own = ratio[self.order]
        chain, border = own[: len(self.band), None], own[len(self.band) :]
        return BorderedNormal(
            mean, self.band / chain, self.border / border[None], self.corner / border[:, None], self.order
        )

    @property
    def is_finite(self) -> Bool[Array, "*lanes"]:
        """Whether every number of it is finite."""
        xp, lanes = namespace(self), self.mean.ndim - 1
        finite = [
            xp.all(xp.isfinite(leaf), axis=tuple(range(lanes, leaf.ndim)))
            for leaf in (self.mean, self.band, self.border, self.corner)
        ]
        return xp.all(xp.stack(finite), axis=0)

    def to_dense(self) -> Float[Array, "*lanes dim dim"]:
        """The covariance as a matrix. Memory: O(dim^2)."""
        xp = namespace(self)
        identity = xp.eye(self.dim, dtype=self.mean.dtype)
        return self.covariance_product(xp.broadcast_to(identity, (*self.mean.shape, self.dim)))

    def _of_each(self, function: Any, vectors: Array) -> Array:
        """A function of a normal and some vectors, of each normal and its own."""
        if self.mean.ndim > 1:
            return stacked_rows([rows(self, lane)._of_each(function, own) for lane, own in enumerate(vectors)])
        return function(self, vectors[None])[0] if vectors.ndim == 1 else function(self, vectors)


def _parts(normal: BorderedNormal, vectors: Array) -> tuple[Array, Array]:
    """Columns of the chain and of the border."""
    columns = vectors.T
    return columns[: len(normal.band)], columns[len(normal.band) :]


def _joined(normal: BorderedNormal, chain: Array, border: Array) -> Array:
    """Vectors in the order of the parameters."""
    xp = namespace(normal, chain)
    ordered = xp.concatenate([chain, border]).T
    return put(xp.zeros_like(ordered), np.s_[:, normal.order], ordered)


def _corner_solution(normal: BorderedNormal, columns: Array, *, transpose: bool = False) -> Array:
    """Solve `M x = columns`, or `M' x = columns`."""
    if normal.num_border == 0:
        return columns
    return solve_triangular(normal.corner.T if transpose else normal.corner, columns, lower=not transpose)


def _transform(normal: BorderedNormal, noise: Array) -> Array:
    return normal.mean[None] + _spread(normal, *_parts(normal, noise))


def _spread(normal: BorderedNormal, chain: Array, border: Array) -> Array:
    """The inverse of the transposed factor times columns."""
    border = _corner_solution(normal, border, transpose=True)
    return _joined(normal, lower_solution(normal.band, chain - normal.border @ border, transpose=True), border)


def _noise(normal: BorderedNormal, positions: Array) -> Array:
    chain, border = _parts(normal, (positions - normal.mean[None])[:, normal.order])
    xp = namespace(normal, positions)
    own = upper_product(normal.band, chain) + normal.border @ border
    return xp.concatenate([own, normal.corner.T @ border]).T


def _half(normal: BorderedNormal, vectors: Array) -> tuple[Array, Array]:
    """The inverse of the factor times vectors, in columns."""
    chain, border = _parts(normal, vectors[:, normal.order])
    chain = lower_solution(normal.band, chain)
    return chain, _corner_solution(normal, border - normal.border.T @ chain)


def _noise_gradient(normal: BorderedNormal, gradients: Array) -> Array:
    return namespace(normal, gradients).concatenate(_half(normal, gradients)).T


def _covariance_product(normal: BorderedNormal, vectors: Array) -> Array:
    return _spread(normal, *_half(normal, vectors))


def bordered_normal(
    mean: Float[np.ndarray, " dim"],
    band: Float[np.ndarray, "chain width"],
    border: Float[np.ndarray, "chain border"],
    corner: Float[np.ndarray, "border border"],
    order: Int[np.ndarray, " dim"],
) -> BorderedNormal:
    """The normal of a mean and a precision [[A, C], [C', G]] on the host; NaN if that is not positive definite.

    Args:
        mean: Mean, of the parameters as they are.
        band: A, of which `band[i, j]` is the entry of row `i` and column `i - j`.
        border: C.
        corner: G.
        order: The places of the parameters in that order.
    """
    try:
        factor = lower_factor(band)
        half = lower_solution(factor, border)
        return BorderedNormal(mean, factor, half, np.linalg.cholesky(corner - half.T @ half), order)
    except np.linalg.LinAlgError:
        no_band, no_border, no_corner = (np.full_like(part, np.nan) for part in (band, border, corner))
        return BorderedNormal(mean, no_band, no_border, no_corner, order)
