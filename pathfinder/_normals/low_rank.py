"""Normal distributions whose covariance is diagonal plus low rank."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float

from pathfinder._arrays.matrices import add_identity, beside, cholesky, matrix_product, triangular_quotient
from pathfinder._arrays.namespace import Array, namespace


LOG_2PI = float(np.log(2.0 * np.pi))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LowRankNormal:
    """Normal distribution with covariance `scale (I + Q (L L' - I) Q') scale`.

    `Q` has orthonormal columns (or zero ones). Where it would be square it is left out (None) and the covariance is
    `scale L L' scale`. Nothing outside this class needs to know which form it is.

    The fields may have leading axes, for many normals. Methods that take vectors then take one for each normal, or
    several for each, on an axis before the last; of a single normal likewise one vector, or several.

    Args:
        mean: Mean.
        scale: Positive diagonal; the square root of ZCGV's alpha.
        basis: Q, or None for the identity.
        core: L, lower triangular with positive diagonal. NaN where the factorization failed: then every density
            and every draw is NaN.
    """

    mean: Float[Array, "*lanes dim"]
    scale: Float[Array, "*lanes dim"]
    basis: Float[Array, "*lanes dim rank"] | None
    core: Float[Array, "*lanes rank rank"]

    @property
    def dim(self) -> int:
        """Number of dimensions."""
        return self.mean.shape[-1]

    @property
    def log_det_cholesky(self) -> Float[Array, "*lanes"]:
        """Half the log determinant of the covariance."""
        xp = namespace(self)
        diagonal = xp.diagonal(self.core, axis1=-2, axis2=-1)
        return xp.sum(xp.log(self.scale), axis=-1) + xp.sum(xp.log(diagonal), axis=-1)

    def transform(self, noise: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors dim"]:
        """The draw that standard normal `noise` becomes. Cost: O(dim rank)."""
        drawn = self._in_core(lambda part: matrix_product(self.core, part), noise)
        drawn *= beside(self.scale, noise)
        drawn += beside(self.mean, noise)
        return drawn

    def noise_gradient(self, gradient: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors dim"]:
        """The gradient with respect to the noise, of a function whose gradient at `transform(noise)` is given."""
        return self._in_core(lambda part: matrix_product(self._upper, part), beside(self.scale, gradient) * gradient)

    def log_density_of_noise(self, noise: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors"]:
        """Log density at the draw `transform(noise)`, cheaper than `log_density` of that draw."""
        xp = namespace(self, noise)
        log_det = self.log_det_cholesky
        if noise.ndim > self.mean.ndim:
            log_det = log_det[..., None]
        return -log_det - 0.5 * (xp.vecdot(noise, noise) + self.dim * LOG_2PI)

    def log_density(self, position: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors"]:
        """Log density, with all constants. Cost: O(dim rank)."""
        return self.log_density_of_noise(self.noise(position))

    def noise(self, position: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors dim"]:
        """The noise that `transform` makes a position from. Cost: O(dim rank)."""
        standardized = position - beside(self.mean, position)
        standardized *= beside(1.0 / self.scale, position)
        return self._in_core(lambda part: triangular_quotient(self.core, part), standardized)

    def covariance_product(self, vector: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors dim"]:
        """The covariance times a vector. Cost: O(dim rank)."""
        scale = beside(self.scale, vector)
        return scale * self._in_core(
            lambda part: matrix_product(self.core, matrix_product(self._upper, part)), scale * vector
        )

    @property
    def variance(self) -> Float[Array, "*lanes dim"]:
        """Diagonal of the covariance."""
        xp = namespace(self)
        if self.basis is None:
            return self.scale**2 * xp.sum(self.core**2, axis=-1)
        change = xp.sum((self.basis @ self.core) ** 2, axis=-1) - xp.sum(self.basis**2, axis=-1)
        return self.scale**2 * (1.0 + change)

    def rescaled(self, mean: Float[Array, "*lanes dim"], ratio: Float[Array, "*lanes dim"]) -> LowRankNormal:
        """The normal with another mean, these multiples of the standard deviations, and the same correlations."""
        return LowRankNormal(mean, self.scale * ratio, self.basis, self.core)

    @property
    def is_finite(self) -> Bool[Array, "*lanes"]:
        """Whether every number of it is finite."""
        xp, lanes = namespace(self), self.mean.ndim - 1
        finite = [
            xp.all(xp.isfinite(leaf), axis=tuple(range(lanes, leaf.ndim))) for leaf in jax.tree_util.tree_leaves(self)
        ]
        return xp.all(xp.stack(finite), axis=0)

    def to_dense(self) -> Float[Array, "*lanes dim dim"]:
        """The covariance as a matrix. Memory: O(dim^2)."""
        xp = namespace(self)
        identity = xp.eye(self.dim, dtype=self.mean.dtype)
        return self.covariance_product(xp.broadcast_to(identity, (*self.mean.shape, self.dim)))

    @property
    def _upper(self) -> Float[Array, "*lanes rank rank"]:
        return namespace(self.core).swapaxes(self.core, -1, -2)

    def _in_core(
        self, linear_map: Callable[[Any], Any], vectors: Float[Array, "*vectors dim"]
    ) -> Float[Array, "*vectors dim"]:
        """Apply a linear map to the coordinates of the basis and the identity to the rest."""
        if self.basis is None:
            return linear_map(vectors)
        part = matrix_product(namespace(self.basis).swapaxes(self.basis, -1, -2), vectors)
        result = matrix_product(self.basis, linear_map(part) - part)
        result += vectors
        return result


def dense_form(normal: LowRankNormal) -> LowRankNormal:
    """The same distribution without a basis. Memory: O(dim^2)."""
    if normal.basis is None:
        return normal
    xp = namespace(normal)
    rank = normal.core.shape[-1]
    identity = xp.broadcast_to(xp.eye(rank, dtype=normal.core.dtype), normal.core.shape)
    change = normal.core @ xp.swapaxes(normal.core, -1, -2) - identity
    core = cholesky(add_identity(normal.basis @ change @ xp.swapaxes(normal.basis, -1, -2)))
    return LowRankNormal(normal.mean, normal.scale, None, core)
