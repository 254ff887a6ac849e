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

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from pathfinder._arrays.matrices import diagonal_matrix, factorize, transposed
from pathfinder._arrays.namespace import Array, fori_loop, namespace, select
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

    positions: Float[Array, "*batch pair dim"]
    gradients: Float[Array, "*batch pair dim"]
    usable: Bool[Array, "*batch pair"]


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
    log_change: Float[Array, "*batch"]
    divergence: Float[Array, "*batch"]


def empty_window(pairs: int, dim: int, dtype) -> Window:
    """A window for the newest `pairs` pairs, of which there are none yet."""
    return Window(np.zeros((pairs, dim), dtype), np.zeros((pairs, dim), dtype), np.zeros(pairs, bool))


def with_rank(normal: LowRankNormal, rank: int) -> LowRankNormal:
    """The same distribution with zero columns in the basis, up to a rank that the rounds can keep.

    Raises:
        ValueError: If the normal has no basis or a larger rank.
    """
    if normal.basis is None or normal.basis.shape[-1] > rank:
        raise ValueError(f"The normal must have a basis of at most {rank} columns.")
    xp = namespace(normal)
    missing = rank - normal.basis.shape[-1]
    lower = xp.pad(normal.core, [*[(0, 0)] * (normal.core.ndim - 2), (0, missing), (0, missing)])
    ones = diagonal_matrix((xp.arange(rank) >= rank - missing).astype(lower.dtype))
    return LowRankNormal(
        normal.mean, normal.scale, _widened(normal.basis, rank), lower + xp.broadcast_to(ones, lower.shape)
    )


def match_low_rank(
    normal: LowRankNormal,
    window: Window,
    noise: Float[Array, "*batch draw dim"],
    gradients: Float[Array, "*batch draw dim"],
    usable: Bool[Array, "*batch draw"],
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
    xp = namespace(normal, window, noise, gradients, usable)
    window = _append(window, Window(normal.transform(noise), gradients, usable))
    safe = xp.where(usable[..., None], gradients, 0.0)
    residual = xp.where(usable[..., None], noise + normal.noise_gradient(safe), 0.0)
    count = xp.sum(usable, axis=-1)
    squares = xp.sum(xp.sum(residual**2, axis=-1), axis=-1)
    divergence = squares / (xp.maximum(count, 1).astype(residual.dtype) * normal.dim)
    matched = fit_pairs(window, normal)
    enough = (count >= 2) & (xp.sum(window.usable, axis=-1) >= 4) & matched.is_finite
    narrower = LowRankNormal(normal.mean, 0.5 * normal.scale, normal.basis, normal.core)
    chosen = select(enough, matched, narrower)
    change = xp.max(xp.abs(xp.log(chosen.variance) - xp.log(normal.variance)), axis=-1)
    return LowRankMatch(chosen, window, change, xp.where(count >= 1, divergence, xp.inf))


def fit_pairs(window: Window, present: LowRankNormal) -> LowRankNormal:
    """The diagonal plus low-rank normal that the pairs imply. May have NaN if there are fewer than four.

    Args:
        window: The pairs.
        present: Gives the rank, and bounds for the change of the scales.
    """
    xp = namespace(window, present)
    rank, dtype = present.core.shape[-1], present.scale.dtype
    num_pairs = window.usable.shape[-1]
    count = xp.sum(window.usable, axis=-1)
    share = xp.where(window.usable, 1.0, 0.0).astype(dtype) / xp.maximum(count, 1).astype(dtype)[..., None]
    average_x, average_g = share[..., None, :] @ window.positions, share[..., None, :] @ window.gradients
    x = xp.where(window.usable[..., None], window.positions - average_x, 0.0)
    g = xp.where(window.usable[..., None], window.gradients - average_g, 0.0)

    def scaled(factors):
        """The scale that the factors leave, and the pairs in its units."""
        own_x, own_g = (part - factors @ (transposed(factors) @ part) for part in (x, g))
        scale = _matched_scale(own_x, own_g, present.scale)
        return scale, x / scale[..., None, :], g * scale[..., None, :]

    def sweep(_, factors):
        _, y, h = scaled(factors)
        return _shared_factors(y + h, count, rank)[0]

    factors = xp.zeros((*share.shape, 1 if xp is np else min(rank, num_pairs)), dtype)
    factors = fori_loop(SWEEPS, sweep, factors)
    # The last scale goes with factors of its own, so that the subspace belongs to the residuals that define it.
    scale, y, h = scaled(factors)
    factors, kept = _shared_factors(y + h, count, rank)
    span = _orthonormal(transposed(factors) @ (y + h), kept)
    rotation, deviations = _matched_covariance(y @ transposed(span), h @ transposed(span), count)
    deviations = xp.concatenate([deviations, xp.ones((*count.shape, rank - deviations.shape[-1]), dtype)], axis=-1)
    basis, core = _widened(transposed(span) @ rotation, rank), diagonal_matrix(deviations)
    average_x, average_g = average_x[..., 0, :], average_g[..., 0, :]
    fitted = LowRankNormal(average_x, scale, basis, core)
    # Where the linear relation of x and g has its zero.
    return LowRankNormal(average_x + fitted.covariance_product(average_g), scale, basis, core)


def _widened(basis: Float[Array, "*batch dim factor"], rank: int) -> Float[Array, "*batch dim rank"]:
    """The same columns and as many zero ones as are missing."""
    xp = namespace(basis)
    missing = xp.zeros((*basis.shape[:-1], rank - basis.shape[-1]), basis.dtype)
    return xp.concatenate([basis, missing], axis=-1)


def _append(window: Window, newest: Window) -> Window:
    """The newest rows of both. Rows that are not usable are zero, so that no NaN survives a product with zero."""
    xp = namespace(window, newest)
    size, more = window.usable.shape[-1], newest.usable.shape[-1]

    def joined(old, new, axis):
        if axis == -2:
            return xp.concatenate([old[..., more:, :], new[..., -size:, :]], axis=axis)
        return xp.concatenate([old[..., more:], new[..., -size:]], axis=axis)

    positions, gradients = (
        joined(old, xp.where(newest.usable[..., None], new, 0.0), -2)
        for old, new in ((window.positions, newest.positions), (window.gradients, newest.gradients))
    )
    return Window(positions, gradients, joined(window.usable, newest.usable, -1))


def _matched_scale(
    x: Float[Array, "*batch pair dim"], g: Float[Array, "*batch pair dim"], present: Float[Array, "*batch dim"]
) -> Float[Array, "*batch dim"]:
    """Scale that makes scaled positions and scaled gradients equally long; the present one if one of them is zero."""
    xp = namespace(x, g, present)
    ratio = xp.sqrt(xp.sqrt(xp.sum(x * x, axis=-2)) / xp.sqrt(xp.sum(g * g, axis=-2))) / present
    known = xp.isfinite(ratio) & (ratio > 0)
    return present * xp.clip(xp.where(known, ratio, 1.0), 1.0 / MAX_SCALE_CHANGE, MAX_SCALE_CHANGE)


def _shared_factors(
    residual: Float[Array, "*batch pair dim"], count, rank: int
) -> tuple[Float[Array, "*batch pair factor"], Bool[Array, "*batch factor"]]:
    """Leading left singular vectors of the residual, zero beyond the significant ones, and which these are.

    The host leaves out the columns that are zero in all lanes, which cost time in whatever follows.

    Significant is what exceeds the largest singular value that noise has: independent noise of variance t in every
    entry has about t dim as its median eigenvalue of the Gram matrix and t (sqrt(dim) + sqrt(pair))^2 as its largest
    (Marchenko and Pastur 1967). At most half of the pairs go into factors; the rest is for the scales.
    """
    xp = namespace(residual, count)
    pairs, dim = residual.shape[-2:]
    values, vectors = factorize(xp.linalg.eigh, residual @ transposed(residual))
    values, vectors = values[..., ::-1], vectors[..., ::-1]
    count = count[..., None]
    # Of the values, one is zero for the average and one for every row that is not usable.
    median = xp.take_along_axis(values, xp.maximum(count - 1, 0) // 2, axis=-1)
    edge = median * (1.0 + xp.sqrt(count.astype(residual.dtype) / dim)) ** 2
    rounding = 100.0 * float(xp.finfo(residual.dtype).eps) * values[..., :1]
    factors = min(rank, pairs)
    kept = values[..., :factors] > xp.maximum(edge, rounding)
    kept &= xp.broadcast_to(xp.arange(factors), kept.shape) < count // 2
    if xp is np:
        factors = max(1, int(np.max(np.sum(kept, axis=-1), initial=0)))
        kept = kept[..., :factors]
    return xp.where(kept[..., None, :], vectors[..., :factors], 0.0), kept


def _orthonormal(
    rows: Float[Array, "*batch factor dim"], kept: Bool[Array, "*batch factor"]
) -> Float[Array, "*batch factor dim"]:
    """Orthonormal rows of the same span, zero where not kept, for rows that are orthogonal up to rounding.

    Symmetric orthogonalization of the unit rows: two matrix products, while Gram-Schmidt would read all rows for each.
    """
    xp = namespace(rows, kept)
    length = xp.where(kept, xp.sqrt(xp.vecdot(rows, rows)), 1.0)
    rows = xp.where(kept[..., None], rows / length[..., None], 0.0)
    missing = diagonal_matrix(xp.where(kept, 0.0, 1.0).astype(rows.dtype))
    for _ in range(2):
        values, vectors = factorize(xp.linalg.eigh, rows @ transposed(rows) + missing)
        rows = (vectors / xp.sqrt(values)[..., None, :]) @ (transposed(vectors) @ rows)
    return rows


def _matched_covariance(
    y: Float[Array, "*batch pair factor"], h: Float[Array, "*batch pair factor"], count
) -> tuple[Float[Array, "*batch factor factor"], Float[Array, "*batch factor"]]:
    """Eigenvectors of the solution of `S U S + S = V` and the square roots of its eigenvalues.

    V = I + w Y'Y and U = w H'H enter by their square roots (QR, singular values) instead of as in `match_scores`: the
    span holds variances of all sizes, which single precision cannot square. Directions with zero columns keep 1.
    """
    xp = namespace(y, h, count)
    weight = xp.where(count > 0, PAIR_WEIGHT**0.5, 0.0).astype(y.dtype)[..., None, None]
    identity = diagonal_matrix(xp.ones_like(y[..., 0, :]))
    root = transposed(xp.linalg.qr(xp.concatenate([identity, weight * y], axis=-2), mode="r"))
    thin = partial(xp.linalg.svd, full_matrices=False)
    _, values, vectors = factorize(thin, weight * (h @ root))
    # The square root of 1 + 4 w for the eigenvalues w = values^2 of K'UK, without squaring them.
    shrink = xp.sqrt(2.0 / (1.0 + xp.hypot(xp.ones_like(values), 2.0 * values)))
    rotation, deviations, _ = factorize(xp.linalg.svd, (root @ transposed(vectors)) * shrink[..., None, :])
    return rotation, deviations
