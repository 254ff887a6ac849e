"""Draw from approximations and score the draws: ELBO estimates and final draws are this one operation.

Work comes in lanes: one approximation with the keys of `num_elbo_draws` draws from it. Lanes of all paths and
iterations are packed into batches of a fixed size, so the density is compiled once for all scoring.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int, UInt32

from pathfinder._arrays.streams import normal
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._normals.low_rank import LowRankNormal


class ScoredDraws(NamedTuple):
    """Draws of one approximation on the unconstrained scale."""

    draws: Float[Array, "draw dim"]
    log_p: Float[Array, " draw"]  # log density of the model
    log_q: Float[Array, " draw"]  # log density of the approximation


class ElboEstimate(NamedTuple):
    """Estimates of evidence lower bounds.

    Args:
        mean: The estimate; -inf where no draw has a finite density.
        standard_error: Its Monte Carlo standard error; NaN with fewer than two finite draws.
        num_finite: Draws with a finite density.
    """

    mean: Float[np.ndarray, "*lanes"]
    standard_error: Float[np.ndarray, "*lanes"]
    num_finite: Int[np.ndarray, "*lanes"]


def score_lanes(
    approximations: LowRankNormal,
    keys: UInt32[Array, "lane draw 2"],
    fits: Int[Array | np.ndarray, " lane"],
    data: Any,
    *,
    density: Callable[[Array, Any], Array],
    batched: bool,
) -> ScoredDraws:
    """One draw per key from the approximation of each lane, with both log densities.

    The density of the model is a program of its own, which is thus compiled once for all forms of approximations.

    Args:
        approximations: One per lane, on the leading axis of every field.
        keys: Keys of the draws of each lane.
        fits: Which entry of the leading axis of `data` each lane is about, if `batched`.
        data: Data of the model; one for all, or with a leading axis of fits if `batched`.
        density: `density(position, data)`.
        batched: Whether `data` has a leading axis.
    """
    draws, log_q = draw_lanes(approximations, keys)
    return ScoredDraws(draws, _log_densities(draws, fits, data, density=density, batched=batched), log_q)


@partial(jax.jit, static_argnames=("density", "batched"))
def _log_densities(
    draws: Float[Array, "lane draw dim"], fits: Int[Array | np.ndarray, " lane"], data: Any, *, density, batched: bool
) -> Float[Array, "lane draw"]:
    def lane(own_draws, fit):
        own = jax.tree_util.tree_map(lambda leaf: leaf[fit], data) if batched else data
        return over_lanes(lambda draw: density(draw, own))(own_draws)

    return over_lanes(lane)(draws, fits)


@jax.jit
def draw_lanes(
    approximations: LowRankNormal, keys: UInt32[Array, "lane draw 2"]
) -> tuple[Float[Array, "lane draw dim"], Float[Array, "lane draw"]]:
    """The draws of `score_lanes` and their `log_q`, without evaluating the model."""

    def lane(approximation, lane_keys):
        z = jax.vmap(lambda key: normal(key, approximation.dim, approximation.mean.dtype))(lane_keys)
        return jax.vmap(approximation.transform)(z), jax.vmap(approximation.log_density_of_noise)(z)

    return over_lanes(lane)(approximations, keys)


def estimate_elbo(log_p: Float[np.ndarray, "*lanes draw"], log_q: Float[np.ndarray, "*lanes draw"]) -> ElboEstimate:
    """ELBO and its Monte Carlo standard error from scored draws on the last axis.

    Draws with a non-finite density (NaN, or infinite of either sign) carry no mass. With n of K draws left, the
    estimate is the mean log ratio over those n plus log(n / K): the ELBO of the approximation truncated to where the
    density is finite, which is a valid bound. So a few bad draws lower an approximation's rank by a little and many by
    a lot, where a plain mean would be -inf for both.
    """
    log_p, log_q = np.asarray(log_p, np.float64), np.asarray(log_q, np.float64)
    num_draws = log_p.shape[-1]
    finite = np.isfinite(log_p) & np.isfinite(log_q)
    ratios = np.where(finite, log_p, 0.0) - np.where(finite, log_q, 0.0)
    count = finite.sum(axis=-1)
    some = np.maximum(count, 1)
    mean = ratios.sum(axis=-1) / some
    with np.errstate(over="ignore"):  # ratios of 1e200 have an infinite standard error
        squares = np.where(finite, (ratios - mean[..., None]) ** 2, 0.0).sum(axis=-1)
    standard_error = np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1) / some), np.nan)
    elbo = np.where(count > 0, mean + np.log(some / num_draws), -np.inf)
    return ElboEstimate(elbo, standard_error, count)
