"""The covariance that a fit found, as the inverse mass matrix for a sampler that goes on from it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Bool, Float

import psis
from pathfinder._arrays.blas_threads import one_blas_thread
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._importance.path_draws import DrawSource
from pathfinder._importance.pool import Pool
from pathfinder._normals.bordered import BorderedNormal
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.normal import Normal


MatrixKind = Literal["auto", "dense", "diagonal", "low_rank"]
DENSE_UP_TO = 200  # dimensions: a product with a matrix is then cheap beside a gradient
MOST_DIRECTIONS = 64  # of a normal with a banded precision
SMALL_SHARE = 0.01  # of weight that may be in other modes without a word


@dataclass(frozen=True)
class LowRankMatrix:
    """The matrix `S (I + U (diag(eigenvalues) - I) U') S` with a diagonal S: a diagonal one but for some directions.

    Args:
        scale: The diagonal of S.
        basis: U, with orthonormal columns.
        eigenvalues: Positive.
    """

    scale: Float[np.ndarray, " dim"]
    basis: Float[np.ndarray, "dim rank"]
    eigenvalues: Float[np.ndarray, " rank"]

    def to_dense(self) -> Float[np.ndarray, "dim dim"]:
        """The matrix. Memory: O(dim^2)."""
        inner = np.eye(len(self.scale)) + (self.basis * (self.eigenvalues - 1.0)) @ self.basis.T
        return (self.scale[:, None] * inner * self.scale).astype(self.scale.dtype)


InverseMassMatrix = np.ndarray | LowRankMatrix


class FittedMode(NamedTuple):
    """A mode, or where nothing was refined a path.

    Args:
        path: The path that found it.
        approximation: Its normal.
        elbo: The ELBO of that.
    """

    path: int
    approximation: Normal
    elbo: float


class _Moments(NamedTuple):
    """Of draws with weights.

    Args:
        second: Their covariance, or only the variances.
        size: How many draws they are worth.
    """

    second: Float[np.ndarray, "*rows dim"]
    size: float

    def shrunk(self, fitted: Float[np.ndarray, "*rows dim"]) -> Float[np.ndarray, "*rows dim"]:
        """Shrunk towards that of the fitted normal, which counts as many draws as there are dimensions."""
        dim = fitted.shape[-1]
        share = dim / (self.size + dim)
        return ((1.0 - share) * self.second + share * fitted).astype(fitted.dtype)


def inverse_mass_matrix(
    modes: Sequence[FittedMode],
    pool: Pool,
    source: DrawSource,
    chains: ChainDraws | None,
    kind: MatrixKind,
    *,
    is_refined: bool,
) -> InverseMassMatrix:
    """The covariance of a fit on the unconstrained scale.

    It is that of the weighted draws, or of the states of chains, shrunk towards the fitted normal, which counts as many
    draws as there are dimensions. Where weights are unreliable, or nothing was refined, it is that of the normal.

    Args:
        modes: What was found.
        pool: All draws with their weights.
        source: Where these come from.
        chains: Chains that the returned draws are states of, if they are.
        kind: The form of the matrix; "auto" is dense up to 200 dimensions and of low rank from there on.
        is_refined: Whether modes have been told apart.

    Raises:
        ValueError: If there is no such kind.

    Warns:
        UserWarning: If there are several modes, of which the matrix is that of one.
    """
    if kind not in get_args(MatrixKind):
        names = ", ".join(f'"{name}"' for name in get_args(MatrixKind))
        raise ValueError(f"`kind` must be one of {names}, but {kind!r} was given.")
    dim = modes[0].approximation.dim
    if kind == "auto":
        kind = "dense" if dim <= DENSE_UP_TO else "low_rank"
    mode, draws = _chosen(modes, pool, source, chains, is_refined)
    normal = mode.approximation
    needs_matrix = kind == "dense" or kind == "low_rank" and dim <= DENSE_UP_TO
    moments = None if draws is None else _moments(normal, draws, needs_matrix)
    if kind == "low_rank":
        return _low_rank(normal, moments)
    fitted = np.asarray(normal.to_dense() if kind == "dense" else normal.variance)
    return fitted if moments is None else moments.shrunk(fitted)


def heaviest_mode(
    modes: Sequence[FittedMode], pool: Pool, chains: ChainDraws | None
) -> tuple[FittedMode, Float[np.ndarray, " mode"]]:
    """The mode with most of the weight, or of the states of chains, and the share of each.

    Where weights are unreliable it is the one with the best ELBO.
    """
    paths = pool.paths if chains is None else pool.paths[chains.start_rows]
    weights = np.exp(pool.log_weights) if chains is None else np.ones(len(paths))
    shares = np.array([weights[paths == mode.path].sum() for mode in modes]) / weights.sum()
    by_share = chains is not None or are_reliable(pool)
    place = int(np.argmax(shares if by_share else [mode.elbo for mode in modes]))
    return modes[place], shares


def are_reliable(pool: Pool) -> bool:
    """Whether the weights of a pool are, by k-hat."""
    return bool(pool.pareto_k <= psis.pareto_k_threshold(len(pool)))


class _Draws(NamedTuple):
    """Draws of a mode, in parts.

    Args:
        parts: Weights, which sum to one over all parts, and positions.
        size: How many draws they are worth.
    """

    parts: Iterable[tuple[np.ndarray, np.ndarray]]
    size: float


def _chosen(
    modes: Sequence[FittedMode], pool: Pool, source: DrawSource, chains: ChainDraws | None, is_refined: bool
) -> tuple[FittedMode, _Draws | None]:
    """The mode, and draws of it if they can be trusted."""
    if not is_refined:
        mode = max(modes, key=lambda own: own.elbo)
        return mode, None if chains is None else _states(chains, np.ones(chains.num_chains, bool))
    mode, shares = heaviest_mode(modes, pool, chains)
    if chains is not None and chains.ended == "mixed":  # they went between the modes, if that is what these are
        return mode, _states(chains, np.ones(chains.num_chains, bool))
    own = float(shares[[each.path == mode.path for each in modes]].sum())
    if 1.0 - own > SMALL_SHARE:
        warnings.warn(
            f"The fit found {len(modes)} modes. The inverse mass matrix is that of one of them, with {own:.0%} of the "
            "weight: the distance between modes is no scale for steps.",
            stacklevel=5,
        )
    if chains is not None:
        return mode, _states(chains, pool.paths[chains.start_rows] == mode.path)
    return mode, _weighted(mode, pool, source) if are_reliable(pool) else None


def _weighted(mode: FittedMode, pool: Pool, source: DrawSource) -> _Draws:
    rows = np.flatnonzero((pool.paths == mode.path) & (pool.log_weights > -np.inf))
    weights = np.exp(pool.log_weights[rows] - pool.log_weights[rows].max())
    weights /= weights.sum()
    batches = source.positions(pool.lanes[rows], pool.indices[rows])
    return _Draws(((weights[numbers], points) for numbers, points in batches), 1.0 / float(weights @ weights))


def _states(chains: ChainDraws, used: Bool[np.ndarray, " chain"]) -> _Draws:
    states = chains.states[:, used].reshape(-1, chains.states.shape[-1])
    return _Draws([(np.full(len(states), 1.0 / len(states)), states)], chains.effective_sample_size * used.mean())


@one_blas_thread()
def _moments(normal: Normal, draws: _Draws, needs_matrix: bool) -> _Moments | None:
    """The covariance of draws, or their variances; None where these are no numbers."""
    mean, scale = (np.asarray(part, np.float64) for part in (normal.mean, normal.scale))
    dim = len(mean)
    first, second = np.zeros(dim), np.zeros((dim, dim) if needs_matrix else dim)
    with np.errstate(all="ignore"):
        for weights, points in draws.parts:
            standardized = (points - mean) / scale
            first += weights @ standardized
            second += (standardized * weights[:, None]).T @ standardized if needs_matrix else weights @ standardized**2
        if needs_matrix:
            second = scale[:, None] * (second - np.outer(first, first)) * scale
        else:
            second = scale**2 * (second - first**2)
    return _Moments(second, draws.size) if np.isfinite(second).all() and np.isfinite(draws.size) else None


def _low_rank(normal: Normal, moments: _Moments | None) -> LowRankMatrix:
    """The covariance in the form of low rank.

    In many dimensions the correlations are those of the normal, since draws are worth fewer than there are dimensions,
    and the variances those of the draws.
    """
    if moments is not None and normal.dim <= DENSE_UP_TO:
        dense = moments.shrunk(np.asarray(normal.to_dense()))
        scale = np.sqrt(np.diagonal(dense))
        values, basis = np.linalg.eigh(dense / scale[:, None] / scale)
        return LowRankMatrix(scale, basis, values)
    if isinstance(normal, BorderedNormal):
        scale, basis, values = _widest_directions(normal)
        return _with_variances(normal, LowRankMatrix(scale, basis, values), moments)
    assert isinstance(normal, LowRankNormal)
    core, scale = np.asarray(normal.core), np.asarray(normal.scale)
    inner = core @ core.T
    if normal.basis is None:
        values, basis = np.linalg.eigh(inner)
    else:
        used = np.linalg.norm(normal.basis, axis=0) > 0.5  # others are columns of zeros, which are no directions
        values, vectors = np.linalg.eigh(inner[np.ix_(used, used)])
        basis = np.asarray(normal.basis)[:, used] @ vectors
    return _with_variances(normal, LowRankMatrix(scale, basis, values), moments)


def _with_variances(normal: Normal, matrix: LowRankMatrix, moments: _Moments | None) -> LowRankMatrix:
    """A matrix with the correlations of the normal, and the variances of draws if there are any."""
    if moments is None:
        return matrix
    own = np.asarray(normal.variance)
    scale = (matrix.scale * np.sqrt(moments.shrunk(own) / own)).astype(matrix.scale.dtype)
    return LowRankMatrix(scale, matrix.basis, matrix.eigenvalues)


def _widest_directions(normal: BorderedNormal) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standard deviations, and the directions in which correlated parameters are widest relative to them."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    scale = np.asarray(normal.scale, np.float64)
    operator: Any = LinearOperator
    correlation = operator(
        (normal.dim, normal.dim),
        matvec=lambda vector: normal.covariance_product(vector.ravel() / scale) / scale,
        dtype=np.float64,
    )
    values, basis = eigsh(correlation, min(MOST_DIRECTIONS, normal.dim - 1), which="LA", v0=np.ones(normal.dim))
    dtype = np.asarray(normal.mean).dtype
    return scale.astype(dtype), basis.astype(dtype), values.astype(dtype)
