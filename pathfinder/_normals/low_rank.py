"""Normal distributions whose covariance is diagonal plus low rank."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float


LOG_2PI = float(np.log(2.0 * np.pi))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LowRankNormal:
    """Normal distribution with covariance `scale (I + Q (L L' - I) Q') scale`.

    `Q` has orthonormal columns (or zero ones). Where it would be square it is left out (None) and the covariance is
    `scale L L' scale`. Nothing outside this class needs to know which form it is.

    Args:
        mean: Mean.
        scale: Positive diagonal; the square root of ZCGV's alpha.
        basis: Q, or None for the identity.
        core: L, lower triangular with positive diagonal. NaN where the factorization failed: then every density
            and every draw is NaN.
    """

    mean: Float[Array, " dim"]
    scale: Float[Array, " dim"]
    basis: Float[Array, "dim rank"] | None
    core: Float[Array, "rank rank"]

    @property
    def dim(self) -> int:
        """Number of dimensions."""
        return self.mean.shape[-1]

    @property
    def log_det_cholesky(self) -> Float[Array, ""]:
        """Half the log determinant of the covariance."""
        return jnp.sum(jnp.log(self.scale)) + jnp.sum(jnp.log(jnp.diagonal(self.core)))

    def transform(self, noise: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """The draw that standard normal `noise` becomes. Cost: O(dim rank)."""
        return self.mean + self.scale * self._in_core(lambda part: self.core @ part, noise)

    def noise_gradient(self, gradient: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """The gradient with respect to the noise, of a function whose gradient at `transform(noise)` is given."""
        return self._in_core(lambda part: self.core.T @ part, self.scale * gradient)

    def log_density_of_noise(self, noise: Float[Array, " dim"]) -> Float[Array, ""]:
        """Log density at the draw `transform(noise)`, cheaper than `log_density` of that draw."""
        return -self.log_det_cholesky - 0.5 * (jnp.sum(noise**2) + self.dim * LOG_2PI)

    def log_density(self, position: Float[Array, " dim"]) -> Float[Array, ""]:
        """Log density, with all constants. Cost: O(dim rank)."""
        standardized = (position - self.mean) * (1.0 / self.scale)
        noise = self._in_core(lambda part: solve_triangular(self.core, part, lower=True), standardized)
        return self.log_density_of_noise(noise)

    def covariance_product(self, vector: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """The covariance times a vector. Cost: O(dim rank)."""
        return self.scale * self._in_core(lambda part: self.core @ (self.core.T @ part), self.scale * vector)

    @property
    def variance(self) -> Float[Array, " dim"]:
        """Diagonal of the covariance."""
        if self.basis is None:
            return self.scale**2 * jnp.sum(self.core**2, axis=1)
        change = jnp.sum((self.basis @ self.core) ** 2, axis=1) - jnp.sum(self.basis**2, axis=1)
        return self.scale**2 * (1.0 + change)

    def to_dense(self) -> Float[Array, "dim dim"]:
        """The covariance as a matrix. Memory: O(dim^2)."""
        return jax.vmap(self.covariance_product)(jnp.eye(self.dim, dtype=self.mean.dtype))

    def _in_core(self, linear_map, vector: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """Apply a linear map to the coordinates of the basis and the identity to the rest."""
        if self.basis is None:
            return linear_map(vector)
        part = self.basis.T @ vector
        return vector + self.basis @ (linear_map(part) - part)


def dense_form(normal: LowRankNormal) -> LowRankNormal:
    """The same distribution without a basis. Memory: O(dim^2)."""
    if normal.basis is None:
        return normal
    identity = jnp.eye(normal.dim, dtype=normal.mean.dtype)
    change = normal.core @ normal.core.T - jnp.eye(normal.core.shape[0], dtype=normal.mean.dtype)
    core = jnp.linalg.cholesky(identity + normal.basis @ change @ normal.basis.T)
    return LowRankNormal(normal.mean, normal.scale, None, core)
