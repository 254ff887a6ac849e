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
