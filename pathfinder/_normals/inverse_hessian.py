"""The inverse Hessian, and with it the normal, that a history of L-BFGS steps implies.

Notation of Zhang, Carpenter, Gelman and Vehtari (2022), JMLR 23(306), abbreviated ZCGV: `alpha` is the diagonal of the
initial inverse Hessian, S and Y (there Z) hold the differences of positions and gradients. The compact form
`alpha + beta gamma beta'` (ZCGV, section 2.4; Byrd, Nocedal and Schnabel 1994, theorem 2.2) is kept as the factors that
make it a sum of two positive semi-definite terms,

    H = (I + Y N)' alpha (I + Y N) + N' E N,   N = -R^-1 S',  R = triu(S'Y),  E = diag(S'Y),

because forming it from `gamma` loses positive definiteness to cancellation in ill-conditioned problems.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Bool, Float

from pathfinder._arrays.namespace import Array, finfo_eps, namespace, norm
from pathfinder._normals.low_rank import LowRankNormal


class Pairs(NamedTuple):
    """The newest differences along a path, oldest first; rows that are not there yet are zero.

    Args:
        positions: s_l = x_l - x_(l-1).
        gradients: y_l, differences of the gradient of the *negative* log density.
    """

    positions: Float[Array, "history dim"]
    gradients: Float[Array, "history dim"]


def has_curvature(step: Float[Array, "*batch dim"], change: Float[Array, "*batch dim"]) -> Bool[Array, "*batch"]:
    """Whether a pair (s, y) may enter an inverse Hessian.

    ZCGV ask for `s'y > 1e-12 |y|^2`, which depends on the units of the parameters. We ask that the cosine of the angle
    between s and y can be told from rounding error. For a quadratic of condition number c the cosine is at least
    2 / sqrt(c), so this holds up to about c = 1e26 in double and 1e9 in single precision.
    """
    xp = namespace(step)
    inner = xp.vecdot(step, change)
    return xp.isfinite(inner) & (inner > 100.0 * finfo_eps(step.dtype) * norm(step) * norm(change))


def update_diagonal(
    diagonal: Float[Array, "*batch dim"], step: Float[Array, "*batch dim"], change: Float[Array, "*batch dim"]
) -> Float[Array, "*batch dim"]:
    """Gilbert and Lemarechal's update of the diagonal inverse Hessian (ZCGV, algorithm 3, line 5).

    The pair must satisfy `has_curvature`.
    """
    xp = namespace(step)
    a = xp.vecdot(change, diagonal * change)[..., None]
    b = xp.vecdot(change, step)[..., None]
    c = xp.vecdot(step, step / diagonal)[..., None]
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
    position: Float[Array, "*batch dim"],
    gradient: Float[Array, "*batch dim"],
    pairs: Pairs,
    diagonal: Float[Array, "*batch dim"],
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
    # The rows of pairs that are not there are zero in s and y, and so in n: they add nothing to either term of H.
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
