"""Normal distributions whose covariance is diagonal plus low rank, and the one that an L-BFGS history implies.

Notation of Zhang, Carpenter, Gelman and Vehtari (2022), JMLR 23(306), abbreviated ZCGV: `alpha` is the diagonal of the
initial inverse Hessian, S and Y (there Z) hold the differences of positions and gradients. The compact form
`alpha + beta gamma beta'` (ZCGV, section 2.4; Byrd, Nocedal and Schnabel 1994, theorem 2.2) is kept as the factors that
make it a sum of two positive semi-definite terms,

    H = (I + Y N)' alpha (I + Y N) + N' E N,   N = -R^-1 S',  R = triu(S'Y),  E = diag(S'Y),

because forming it from `gamma` loses positive definiteness to cancellation in ill-conditioned problems.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float


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


class Pairs(NamedTuple):
    """The newest differences along a path, oldest first; rows that are not there yet are zero.

    Args:
        positions: s_l = x_l - x_(l-1).
        gradients: y_l, differences of the gradient of the *negative* log density.
    """

    positions: Float[Array, "history dim"]
    gradients: Float[Array, "history dim"]


def has_curvature(step: Float[Array, " dim"], change: Float[Array, " dim"]) -> Bool[Array, ""]:
    """Whether a pair (s, y) may enter an inverse Hessian.

    ZCGV ask for `s'y > 1e-12 |y|^2`, which depends on the units of the parameters. We ask that the cosine of the angle
    between s and y can be told from rounding error. For a quadratic of condition number c the cosine is at least
    2 / sqrt(c), so this holds up to about c = 1e26 in double and 1e9 in single precision.
    """
    inner = step @ change
    eps = jnp.finfo(step.dtype).eps
    return jnp.isfinite(inner) & (inner > 100.0 * eps * jnp.linalg.norm(step) * jnp.linalg.norm(change))


def update_diagonal(
    diagonal: Float[Array, " dim"], step: Float[Array, " dim"], change: Float[Array, " dim"]
) -> Float[Array, " dim"]:
    """Gilbert and Lemarechal's update of the diagonal inverse Hessian (ZCGV, algorithm 3, line 5).

    The pair must satisfy `has_curvature`.
    """
    a = change @ (diagonal * change)
    b = change @ step
    c = step @ (step / diagonal)
    return b / (a / diagonal + change**2 - (a / c) * (step / diagonal) ** 2)


def orthonormal_rows(vectors: Float[Array, "rank dim"]) -> Float[Array, "rank dim"]:
    """Orthonormal vectors of the same span: thin QR by Gram-Schmidt with every vector orthogonalized twice.

    Twice is enough for orthogonality to rounding error (Giraud, Langou, Rozloznik and van den Eshof 2005). A vector
    that depends on those before it becomes zero, which the span does without. LAPACK's QR is no faster here, and on a
    busy machine up to twenty times slower, because its threads wait for each other (docs/decisions/thin-qr.md).
    """
    eps = jnp.finfo(vectors.dtype).eps

    def add(row, basis):
        vector = vectors[row]
        length = jnp.linalg.norm(vector)
        for _ in range(2):
            vector = vector - (basis @ vector) @ basis
        remaining = jnp.linalg.norm(vector)
        independent = remaining > 10 * eps * length
        unit = vector / jnp.where(independent, remaining, 1.0)
        return basis.at[row].set(jnp.where(independent, unit, 0.0))

    return jax.lax.fori_loop(0, vectors.shape[0], add, jnp.zeros_like(vectors))


def inverse_hessian_normal(
    position: Float[Array, " dim"],
    gradient: Float[Array, " dim"],
    pairs: Pairs,
    diagonal: Float[Array, " dim"],
) -> LowRankNormal:
    """The normal approximation that Pathfinder makes at one point of a path (ZCGV, algorithms 3 and 4).

    Its covariance H is the L-BFGS inverse Hessian of the pairs on top of the diagonal, its mean the Newton step
    `position - H gradient`. Dense factors if `2 * history >= dim`, thin QR otherwise; one Cholesky factorization either
    way. Cost: O(dim history^2), or O(dim^3) in the dense form.

    Args:
        position: The point.
        gradient: Gradient of the negative log density there.
        pairs: The pairs up to this point; zero rows are left out.
        diagonal: ZCGV's alpha, positive.
    """
    history, dim = pairs.positions.shape
    scale = jnp.sqrt(diagonal)
    inner = jnp.sum(pairs.positions * pairs.gradients, axis=1)
    # Each pair is divided by sqrt(s'y): E becomes the identity and R gets a unit diagonal, however long the steps. The
    # reciprocals are spelled out because XLA rounds chains of divisions differently with one device and with several.
    per_unit = (1.0 / jnp.sqrt(jnp.where(inner > 0, inner, 1.0)))[:, None]
    s = pairs.positions * per_unit * (1.0 / scale)[None, :]
    y = pairs.gradients * per_unit * scale[None, :]
    r = jnp.triu(s @ y.T, 1) + jnp.eye(history, dtype=s.dtype)
    n = -solve_triangular(r, s, lower=False, unit_diagonal=True)
    if 2 * history >= dim:
        basis, y_factor, n_factor = None, y.T, n.T
    else:
        rows = orthonormal_rows(jnp.concatenate([y, n]))
        basis, y_factor, n_factor = rows.T, rows @ y.T, rows @ n.T
    root = jnp.eye(y_factor.shape[0], dtype=s.dtype) + y_factor @ n_factor.T
    core = jnp.linalg.cholesky(root.T @ root + n_factor @ n_factor.T)
    at_position = LowRankNormal(position, scale, basis, core)
    return LowRankNormal(position - at_position.covariance_product(gradient), scale, basis, core)
