"""The inverse Hessian, and with it the normal, that a history of L-BFGS steps implies.

Notation of Zhang, Carpenter, Gelman and Vehtari (2022), JMLR 23(306), abbreviated ZCGV: `alpha` is the diagonal of the
initial inverse Hessian, S and Y (there Z) hold the differences of positions and gradients. The compact form
`alpha + beta gamma beta'` (ZCGV, section 2.4; Byrd, Nocedal and Schnabel 1994, theorem 2.2) is kept as the factors that
make it a sum of two positive semi-definite terms,

    H = (I + Y N)' alpha (I + Y N) + N' E N,   N = -R^-1 S',  R = triu(S'Y),  E = diag(S'Y),

because forming it from `gamma` loses positive definiteness to cancellation in ill-conditioned problems.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from pathfinder._arrays.matrices import add_identity, cholesky, solve_triangular
from pathfinder._arrays.namespace import Array, finfo_eps, namespace, norm
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.orthonormal import orthonormal_rows


class Pairs(NamedTuple):
    """The newest differences along a path, oldest first; rows that are not there yet are zero.

    Args:
        positions: s_l = x_l - x_(l-1).
        gradients: y_l, differences of the gradient of the *negative* log density.
    """

    positions: Float[Array, "*lanes history dim"]
    gradients: Float[Array, "*lanes history dim"]


def has_curvature(
    step: Float[Array, "*lanes dim"], change: Float[Array, "*lanes dim"]
) -> Bool[Array | np.bool, "*lanes"]:
    """Whether a pair (s, y) may enter an inverse Hessian.

    ZCGV ask for `s'y > 1e-12 |y|^2`, which depends on the units of the parameters. We ask that the cosine of the angle
    between s and y can be told from rounding error. For a quadratic of condition number c the cosine is at least
    2 / sqrt(c), so this holds up to about c = 1e26 in double and 1e9 in single precision.
    """
    xp = namespace(step, change)
    inner = xp.vecdot(step, change)
    least = 100.0 * finfo_eps(step.dtype)
    return xp.isfinite(inner) & (inner > least * norm(step) * norm(change))


def update_diagonal(
    diagonal: Float[Array, "*lanes dim"], step: Float[Array, "*lanes dim"], change: Float[Array, "*lanes dim"]
) -> Float[Array, "*lanes dim"]:
    """Gilbert and Lemarechal's update of the diagonal inverse Hessian (ZCGV, algorithm 3, line 5).

    The pair must satisfy `has_curvature`.
    """
    xp = namespace(diagonal, step, change)
    a = xp.vecdot(change, diagonal * change)[..., None]
    b = xp.vecdot(change, step)[..., None]
    c = xp.vecdot(step, step / diagonal)[..., None]
    return b / (a / diagonal + change**2 - (a / c) * (step / diagonal) ** 2)


def inverse_hessian_normal(
    position: Float[Array, "*lanes dim"],
    gradient: Float[Array, "*lanes dim"],
    pairs: Pairs,
    diagonal: Float[Array, "*lanes dim"],
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
    xp = namespace(position, gradient, pairs, diagonal)
    history, dim = pairs.positions.shape[-2:]
    scale = xp.sqrt(diagonal)
    inner = xp.sum(pairs.positions * pairs.gradients, axis=-1, keepdims=True)
    # Each pair is divided by sqrt(s'y): E becomes the identity and R gets a unit diagonal, however long the steps. The
    # reciprocals are spelled out because XLA rounds chains of divisions differently with one device and with several.
    per_unit = 1.0 / xp.sqrt(xp.where(inner > 0, inner, 1.0))
    s, y = pairs.positions * per_unit, pairs.gradients * per_unit
    s *= (1.0 / scale)[..., None, :]
    y *= scale[..., None, :]
    r = add_identity(xp.triu(s @ xp.swapaxes(y, -1, -2), 1))
    # The rows of pairs that are not there are zero in s and y, and so in n: they add nothing to either term of H.
    n = solve_triangular(-r, s, lower=False)
    basis, y_rows, n_rows = None, y, n
    if 2 * history < dim:
        basis_rows = orthonormal_rows(xp.concatenate([y, n], axis=-2))
        basis = xp.swapaxes(basis_rows, -1, -2)
        if xp is np:
            # Lanes that are joined later have this layout in any case, and BLAS rounds differently with another one.
            basis = np.ascontiguousarray(basis)
        y_rows, n_rows = y @ basis, n @ basis
    n_columns = xp.swapaxes(n_rows, -1, -2)
    root = add_identity(xp.swapaxes(y_rows, -1, -2) @ n_rows)
    core = cholesky(xp.swapaxes(root, -1, -2) @ root + n_columns @ n_rows)
    at_position = LowRankNormal(position, scale, basis, core)
    return LowRankNormal(position - at_position.covariance_product(gradient), scale, basis, core)
