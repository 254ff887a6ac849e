"""Batch and match: the normal whose scores fit those of the density on a batch of draws.

Cai, Modi, Pillaud-Vivien, Margossian, Gower, Blei and Saul (2024), arXiv 2402.14758, here in the coordinates in which
the present normal is standard: its draws are their own noise u, and a score is `v = A' grad log p(mean + A u)` with the
factor A of its covariance. Where the density is that very normal, `v = -u`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float


class Match(NamedTuple):
    """The matching normal, relative to the standard normal.

    Args:
        mean: Its mean.
        factor: Lower triangular Cholesky factor of its covariance.
        log_change: Largest absolute log eigenvalue of that covariance.
        divergence: Mean of |v + u|^2 per dimension before the match: the squared difference of the scores of density
            and normal in the metric of the normal. 0 where they agree, and 1 where the density is flat.
    """

    mean: Float[Array, " dim"]
    factor: Float[Array, "dim dim"]
    log_change: Float[Array, ""]
    divergence: Float[Array, ""]


def match_scores(
    noise: Float[Array | np.ndarray, "draw dim"],
    scores: Float[Array | np.ndarray, "draw dim"],
    usable: Bool[Array | np.ndarray, " draw"],
    weight: Float[Array | np.ndarray, ""] | float,
) -> Match:
    """One step of batch and match (algorithm 1 of the paper) from the standard normal.

    The new covariance S solves the quadratic matrix equation `S U S + S = V` of their equation 7. With V = K K' and the
    eigenvalues w and eigenvectors P of K' U K it is S = F F', F = K P diag(sqrt(2 / (1 + sqrt(1 + 4 w)))), which loses
    nothing to cancellation and is positive definite whatever the scores. With fewer draws than dimensions, directions
    that the batch says nothing about stay as they are.

    With fewer than two usable draws the present normal is too wide for the support: its factor is halved.

    Args:
        noise: Draws u of the present normal.
        scores: Their scores v.
        usable: Which of them have a finite density and score.
        weight: Inverse of their regularization 1 / lambda: a large one trusts the batch alone, a small one stays close
            to the present normal.
    """
    dim = noise.shape[1]
    identity = jnp.eye(dim, dtype=noise.dtype)
    count = jnp.sum(usable)
    share = jnp.where(usable, 1.0, 0.0).astype(noise.dtype) / jnp.maximum(count, 1).astype(noise.dtype)
    u = jnp.where(usable[:, None], noise, 0.0)
    v = jnp.where(usable[:, None], scores, 0.0)
    mean_u, mean_v = share @ u, share @ v
    centered_u, centered_v = u - mean_u[None, :], v - mean_v[None, :]
    shrunk = weight / (1 + weight)
    target = identity + weight * (centered_u.T * share[None, :]) @ centered_u + shrunk * jnp.outer(mean_u, mean_u)
    scatter = weight * (centered_v.T * share[None, :]) @ centered_v + shrunk * jnp.outer(mean_v, mean_v)
    root = jnp.linalg.cholesky(target)
    values, vectors = jnp.linalg.eigh(root.T @ scatter @ root)
    values = jnp.maximum(values, 0.0)  # of a positive semi-definite matrix, up to rounding
    factor = (root @ vectors) * jnp.sqrt(2.0 / (1.0 + jnp.sqrt(1.0 + 4.0 * values)))[None, :]
    covariance = factor @ factor.T
    eigenvalues = jnp.linalg.eigvalsh(covariance)
    enough = count >= 2
    return Match(
        mean=jnp.where(enough, shrunk * (covariance @ mean_v + mean_u), 0.0),
        factor=jnp.where(enough, jnp.linalg.cholesky(covariance), 0.5 * identity),
        log_change=jnp.where(enough, jnp.max(jnp.abs(jnp.log(eigenvalues))), jnp.inf),
        divergence=jnp.where(enough, share @ jnp.sum((u + v) ** 2, axis=1) / dim, jnp.inf),
    )


def usable_draws(
    log_p: Float[Array | np.ndarray, " draw"], gradients: Float[Array | np.ndarray, "draw dim"]
) -> Bool[Array, " draw"]:
    """Which draws have a finite log density and a gradient whose squared norm is finite."""
    return jnp.isfinite(log_p) & jnp.isfinite(jax.vmap(lambda gradient: gradient @ gradient)(gradients))
