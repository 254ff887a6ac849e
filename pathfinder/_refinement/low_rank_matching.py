"""Match scores with a normal whose covariance is diagonal plus low rank: batch and match for many dimensions.

For a normal target of precision P all pairs (x, g) of a position and its score satisfy `g = -P (x - mean)`, wherever x
was drawn. With D = diag(scale^2) the standardized differences y = (x - average) / scale and h = scale (g - average)
then have the residual

    y + h = (I - scale P scale) y,

whose rank is that of the low-rank part if the diagonal is right, and which has one column per dimension. So a few
dozen pairs determine both parts: the shared factors Z of the residual (a subspace of the space of *pairs*) come from
all dimensions at once, the scale of each dimension from what Z leaves of its column, and these two steps alternate, as
in factor analysis. The scale is the one of least Fisher divergence, `scale^2 = |y| / |h|` in the units of the
dimension (Seyboldt, Carlson and Carpenter 2026, arXiv 2603.18845). On the span of the residuals, the covariance solves
the equation of batch and match, `S U S + S = V` (Cai et al. 2024, arXiv 2402.14758, equation 7).

The pairs are those of the newest rounds and nothing else is carried over: updates relative to the present normal
diverged on targets that are not diagonal plus low rank, because a batch says nothing about most directions of an
earlier fit, whose errors then accumulate. For the same reason at most half as many directions as pairs are fitted.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from pathfinder._normals.low_rank import LowRankNormal


# Batch and match's inverse regularization, per pair. It bounds S where the pairs say nothing: no variance grows by more
# than this times the pairs. From 10 to 1000 targets are approached about equally fast, but a small variance s is
# overestimated by the factor 1 + 1 / (2 weight pairs s).
PAIR_WEIGHT = 100.0
# Alternations of factors and scales. One is not enough (the fit does not settle), ten are hardly better than four.
SWEEPS = 4
# Largest change of a scale in one round, for dimensions in which the density looks flat.
MAX_SCALE_CHANGE = 1e3


class Window(NamedTuple):
    """The newest pairs of positions and gradients, oldest first: all that a round hands on to the next.

    Args:
        positions: Where the target was evaluated.
        gradients: Gradients of its log density there.
        usable: Which rows count.
    """

    positions: Float[Array, "pair dim"]
    gradients: Float[Array, "pair dim"]
    usable: Bool[Array, " pair"]


class LowRankMatch(NamedTuple):
    """What a round found.

    Args:
        normal: The matching normal, of the same rank as the one before.
        window: The pairs with those of this round.
        log_change: Largest absolute change of the log variance of a dimension.
        divergence: Mean of |v + u|^2 per dimension over the draws of this round, *before* the match, as in
            `score_matching.Match`.
    """

    normal: LowRankNormal
    window: Window
    log_change: Float[Array, ""]
    divergence: Float[Array, ""]


def empty_window(pairs: int, dim: int, dtype) -> Window:
    """A window for the newest `pairs` pairs, of which there are none yet."""
    return Window(jnp.zeros((pairs, dim), dtype), jnp.zeros((pairs, dim), dtype), jnp.zeros(pairs, bool))


def with_rank(normal: LowRankNormal, rank: int) -> LowRankNormal:
    """The same distribution with zero columns in the basis, up to a rank that the rounds can keep.

    Raises:
        ValueError: If the normal has no basis or a larger rank.
    """
    if normal.basis is None or normal.basis.shape[1] > rank:
        raise ValueError(f"The normal must have a basis of at most {rank} columns.")
    present = normal.basis.shape[1]
    basis = jnp.pad(normal.basis, ((0, 0), (0, rank - present)))
    core = jnp.eye(rank, dtype=normal.core.dtype).at[:present, :present].set(normal.core)
    return LowRankNormal(normal.mean, normal.scale, basis, core)


def match_low_rank(
    normal: LowRankNormal,
    window: Window,
    noise: Float[Array, "draw dim"],
    gradients: Float[Array, "draw dim"],
    usable: Bool[Array, " draw"],
) -> LowRankMatch:
    """One round: take in the draws of the present normal and fit a normal to the pairs in the window.

    With fewer than two usable draws the present normal is too wide for the support: its scales are halved. Draws that
    are not usable may hold anything. Cost: O(dim pair^2); memory: O(dim (pair + rank)).

    Args:
        normal: The present normal, with a basis of the rank wanted (`with_rank`).
        window: The pairs of earlier rounds.
        noise: Draws u of the standard normal; the target was evaluated at their `normal.transform`.
        gradients: Gradients of its log density there.
        usable: Which of the draws have a finite density and gradient (`usable_draws`).
    """
    positions = jax.vmap(normal.transform)(noise)
    window = _append(window, Window(positions, gradients, usable))
    safe = jnp.where(usable[:, None], gradients, 0.0)
    residual = jnp.where(usable[:, None], noise + jax.vmap(normal.noise_gradient)(safe), 0.0)
    count = jnp.sum(usable)
    divergence = jnp.sum(residual**2) / (jnp.maximum(count, 1).astype(residual.dtype) * normal.dim)
    matched = fit_pairs(window, normal)
    finite = jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(matched)]).all()
    enough = (count >= 2) & (jnp.sum(window.usable) >= 4) & finite
    narrower = LowRankNormal(normal.mean, 0.5 * normal.scale, normal.basis, normal.core)
    chosen = jax.tree.map(lambda new, old: jnp.where(enough, new, old), matched, narrower)
    change = jnp.max(jnp.abs(jnp.log(chosen.variance) - jnp.log(normal.variance)))
    return LowRankMatch(chosen, window, change, jnp.where(count >= 1, divergence, jnp.inf))


def fit_pairs(window: Window, present: LowRankNormal) -> LowRankNormal:
    """The diagonal plus low-rank normal that the pairs imply. May have NaN if there are fewer than four.

    Args:
        window: The pairs.
        present: Gives the rank, and bounds for the change of the scales.
    """
    rank = present.core.shape[0]
    dtype = present.scale.dtype
    count = jnp.sum(window.usable)
    share = jnp.where(window.usable, 1.0, 0.0).astype(dtype) / jnp.maximum(count, 1).astype(dtype)
    average_x, average_g = share @ window.positions, share @ window.gradients
    x = jnp.where(window.usable[:, None], window.positions - average_x[None, :], 0.0)
    g = jnp.where(window.usable[:, None], window.gradients - average_g[None, :], 0.0)

    def sweep(_, factors):
        scale = _matched_scale(x - factors @ (factors.T @ x), g - factors @ (factors.T @ g), present.scale)
        return _shared_factors(x / scale[None, :] + g * scale[None, :], count, rank)[0]

    factors = jnp.zeros((x.shape[0], min(rank, x.shape[0])), dtype)
    factors = jax.lax.fori_loop(0, SWEEPS, sweep, factors)
    # The last scale goes with factors of its own, so that the subspace belongs to the residuals that define it.
    scale = _matched_scale(x - factors @ (factors.T @ x), g - factors @ (factors.T @ g), present.scale)
    y, h = x / scale[None, :], g * scale[None, :]
    factors, kept = _shared_factors(y + h, count, rank)
    span = _orthonormal(factors.T @ (y + h), kept)
    rotation, deviations = _matched_covariance(y @ span.T, h @ span.T, count)
    missing = rank - span.shape[0]
    basis = jnp.pad(span.T @ rotation, ((0, 0), (0, missing)))
    core = jnp.diag(jnp.pad(deviations, (0, missing), constant_values=1.0))
    fitted = LowRankNormal(average_x, scale, basis, core)
    # Where the linear relation of x and g has its zero.
    return LowRankNormal(average_x + fitted.covariance_product(average_g), scale, basis, core)


def _append(window: Window, newest: Window) -> Window:
    """The newest rows of both. Rows that are not usable are zero, so that no NaN survives a product with zero."""
    size = window.usable.shape[0]
    positions, gradients = (
        jnp.where(newest.usable[:, None], part, 0.0) for part in (newest.positions, newest.gradients)
    )
    newest = Window(positions, gradients, newest.usable)
    return jax.tree.map(lambda old, new: jnp.concatenate([old, new])[-size:], window, newest)


def _matched_scale(
    x: Float[Array, "pair dim"], g: Float[Array, "pair dim"], present: Float[Array, " dim"]
) -> Float[Array, " dim"]:
    """Scale that makes scaled positions and scaled gradients equally long; the present one if one of them is zero."""
    ratio = jnp.sqrt(jnp.linalg.norm(x, axis=0) / jnp.linalg.norm(g, axis=0)) / present
    known = jnp.isfinite(ratio) & (ratio > 0)
    return present * jnp.clip(jnp.where(known, ratio, 1.0), 1.0 / MAX_SCALE_CHANGE, MAX_SCALE_CHANGE)


def _shared_factors(
    residual: Float[Array, "pair dim"], count, rank: int
) -> tuple[Float[Array, "pair factor"], Bool[Array, " factor"]]:
    """Leading left singular vectors of the residual, zero beyond the significant ones, and which these are.

    Significant is what exceeds the largest singular value that noise has: independent noise of variance t in every
    entry has about t dim as its median eigenvalue of the Gram matrix and t (sqrt(dim) + sqrt(pair))^2 as its largest
    (Marchenko and Pastur 1967). At most half of the pairs go into factors; the rest is for the scales.
    """
    pairs, dim = residual.shape
    values, vectors = jnp.linalg.eigh(residual @ residual.T)
    values, vectors = values[::-1], vectors[:, ::-1]
    # Of the values, one is zero for the average and one for every row that is not usable.
    median = values[jnp.maximum(count - 1, 0) // 2]
    edge = median * (1.0 + jnp.sqrt(count.astype(residual.dtype) / dim)) ** 2
    rounding = 100.0 * jnp.finfo(residual.dtype).eps * values[0]
    factors = min(rank, pairs)
    kept = values[:factors] > jnp.maximum(edge, rounding)
    kept &= jnp.arange(factors) < count // 2
    return jnp.where(kept[None, :], vectors[:, :factors], 0.0), kept


def _orthonormal(rows: Float[Array, "factor dim"], kept: Bool[Array, " factor"]) -> Float[Array, "factor dim"]:
    """Orthonormal rows of the same span, zero where not kept, for rows that are orthogonal up to rounding.

    Symmetric orthogonalization of the unit rows: two matrix products, while Gram-Schmidt would read all rows for each.
    """
    length = jnp.linalg.norm(rows, axis=1)
    rows = jnp.where(kept[:, None], rows / jnp.where(kept, length, 1.0)[:, None], 0.0)
    for _ in range(2):
        values, vectors = jnp.linalg.eigh(rows @ rows.T + jnp.diag(jnp.where(kept, 0.0, 1.0)))
        rows = (vectors / jnp.sqrt(values)[None, :]) @ (vectors.T @ rows)
    return rows


def _matched_covariance(
    y: Float[Array, "pair factor"], h: Float[Array, "pair factor"], count
) -> tuple[Float[Array, "factor factor"], Float[Array, " factor"]]:
    """Eigenvectors of the solution of `S U S + S = V` and the square roots of its eigenvalues.

    V = I + w Y'Y and U = w H'H enter by their square roots (QR, singular values) instead of as in `match_scores`: the
    span holds variances of all sizes, which single precision cannot square. Directions with zero columns keep 1.
    """
    size = y.shape[1]
    weight = jnp.where(count > 0, PAIR_WEIGHT, 0.0).astype(y.dtype) ** 0.5
    root = jnp.linalg.qr(jnp.concatenate([jnp.eye(size, dtype=y.dtype), weight * y]), mode="r").T
    _, values, vectors = jnp.linalg.svd(weight * (h @ root), full_matrices=False)
    # The square root of 1 + 4 w for the eigenvalues w = values^2 of K'UK, without squaring them.
    shrink = jnp.sqrt(2.0 / (1.0 + jnp.hypot(jnp.ones_like(values), 2.0 * values)))
    rotation, deviations, _ = jnp.linalg.svd((root @ vectors.T) * shrink[None, :])
    return rotation, deviations
