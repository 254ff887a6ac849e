"""Batch and match: the normal whose scores fit those of the density on a batch of draws.

Cai, Modi, Pillaud-Vivien, Margossian, Gower, Blei and Saul (2024), arXiv 2402.14758, here in the coordinates in which
the present normal is standard: its draws are their own noise u, and a score is `v = A' grad log p(mean + A u)` with the
factor A of its covariance. Where the density is that very normal, `v = -u`.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Bool, Float

from pathfinder._arrays.matrices import add_identity, cholesky, factorize, matrix_product, transposed
from pathfinder._arrays.namespace import Array, namespace


class Match(NamedTuple):
    """The matching normal, relative to the standard normal.

    Args:
        mean: Its mean.
        factor: Lower triangular Cholesky factor of its covariance.
        log_change: Largest absolute log eigenvalue of that covariance; infinite where the mean was far off.
        divergence: Mean of |v + u|^2 per dimension before the match: the squared difference of the scores of density
            and normal in the metric of the normal. 0 where they agree, and 1 where the density is flat.
    """

    mean: Float[Array, "*batch dim"]
    factor: Float[Array, "*batch dim dim"]
    log_change: Float[Array, "*batch"]
    divergence: Float[Array, "*batch"]


def match_scores(
    noise: Float[Array, "*batch draw dim"],
    scores: Float[Array, "*batch draw dim"],
    usable: Bool[Array, "*batch draw"],
    weight: Float[Array, "*batch"] | float,
    may_move: Bool[Array, "*batch"] | bool = False,
) -> Match:
    """One step of batch and match (algorithm 1 of the paper) from the standard normal.

    The new covariance S solves the quadratic matrix equation `S U S + S = V` of their equation 7. With V = K K' and the
    eigenvalues w and eigenvectors P of K' U K it is S = F F', F = K P diag(sqrt(2 / (1 + sqrt(1 + 4 w)))), which loses
    nothing to cancellation and is positive definite whatever the scores. With fewer draws than dimensions, directions
    that the batch says nothing about stay as they are.

    Their regularization takes large scores for small variances: U has the outer product of the mean score. That creeps
    where the mean alone is far off, by more than a standard deviation per dimension and with scores that differ among
    the draws by less than that. There the outer products are left out if `may_move`: the covariance is that of the
    differences alone, and the mean is a Newton step with it.

    With fewer than two usable draws the present normal is too wide for the support: its factor is halved.

    Args:
        noise: Draws u of the present normal.
        scores: Their scores v.
        usable: Which of them have a finite density and score.
        weight: Inverse of their regularization 1 / lambda: a large one trusts the batch alone, a small one stays close
            to the present normal.
        may_move: Where a mean that is far off may be moved in one step.
    """
    xp = namespace(noise, scores, usable, weight)
    dim, dtype = noise.shape[-1], noise.dtype
    count = xp.sum(usable, axis=-1)
    share = xp.where(usable, 1.0, 0.0).astype(dtype) / xp.maximum(count, 1).astype(dtype)[..., None]
    trust = xp.asarray(weight, dtype)
    shrunk = trust / (1 + trust)

    def moments(rows):
        """The mean of the usable rows, their scatter, and the outer product of the mean."""
        mean = xp.matmul(share[..., None, :], rows)
        centered = rows - mean
        scatter = xp.matmul(transposed(centered) * share[..., None, :], centered)
        return mean[..., 0, :], scatter, transposed(mean) * mean

    u, v = xp.where(usable[..., None], noise, 0.0), xp.where(usable[..., None], scores, 0.0)
    (mean_u, scatter_u, outer_u), (mean_v, scatter_v, outer_v) = moments(u), moments(v)
    spread = xp.sum(xp.diagonal(scatter_v, axis1=-2, axis2=-1), axis=-1)
    moves = may_move & (xp.vecdot(mean_v, mean_v) > xp.maximum(spread, dim))
    of_scatter, of_outer = trust[..., None, None], xp.where(moves, 0.0, shrunk).astype(dtype)[..., None, None]
    second_u, second_v = of_scatter * scatter_u + of_outer * outer_u, of_scatter * scatter_v + of_outer * outer_v
    root = cholesky(add_identity(second_u))
    values, vectors = factorize(xp.linalg.eigh, xp.matmul(transposed(root), xp.matmul(second_v, root)))
    values = xp.maximum(values, 0.0)  # of a positive semi-definite matrix, up to rounding
    factor = xp.matmul(root, vectors) * xp.sqrt(2.0 / (1.0 + xp.sqrt(1.0 + 4.0 * values)))[..., None, :]
    covariance = xp.matmul(factor, transposed(factor))
    eigenvalues = factorize(xp.linalg.eigvalsh, covariance)
    enough = count >= 2
    half = xp.broadcast_to(0.5 * xp.eye(dim, dtype=dtype), covariance.shape)
    divergence = xp.vecdot(share, xp.sum((u + v) ** 2, axis=-1)) / dim
    mean = shrunk[..., None] * (matrix_product(covariance, mean_v) + mean_u)
    return Match(
        mean=xp.where(enough[..., None], mean, 0.0),
        factor=xp.where(enough[..., None, None], cholesky(covariance), half),
        log_change=xp.where(enough & ~moves, xp.max(xp.abs(xp.log(eigenvalues)), axis=-1), xp.inf),
        divergence=xp.where(enough, divergence, xp.inf),
    )


def usable_draws(
    log_p: Float[Array, "*batch draw"], gradients: Float[Array, "*batch draw dim"]
) -> Bool[Array, "*batch draw"]:
    """Which draws have a finite log density and a gradient whose squared norm is finite."""
    xp = namespace(log_p, gradients)
    return xp.isfinite(log_p) & xp.isfinite(xp.vecdot(gradients, gradients))
