"""The mixture of the approximations of all paths, as a proposal density."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from pathfinder._arrays.vectorized import over_lanes
from pathfinder._normals.low_rank import LowRankNormal


@jax.jit
def log_mixture_density(
    approximations: LowRankNormal,
    log_weights: Float[Array, "fit path"],
    fits: Int[Array, " lane"],
    draws: Float[Array, "lane draw dim"],
) -> Float[Array, "lane draw"]:
    """Log density of a mixture at draws, logsumexp_p(log w_p + log q_p(x)).

    The balance heuristic (Veach and Guibas 1995; Owen and Zhou 2000): with draws from every component in proportion to
    its weight, importance weights p(x) / sum_p w_p q_p(x) are bounded by those of the best component at x, so one poor
    component cannot spoil them, and a mode that several paths found is not counted several times.

    Args:
        approximations: Components, with leading axes fit and path.
        log_weights: Log weights of the components; -inf leaves one out.
        fits: Which fit each lane belongs to.
        draws: Points.
    """

    def add(total, path):
        component = jax.tree_util.tree_map(lambda leaf: leaf[fits, path], approximations)
        log_q = over_lanes(lambda normal, points: jax.vmap(normal.log_density)(points))(component, draws)
        log_weight = log_weights[fits, path][:, None]
        # A failed component may hold NaN; a density that overflows to NaN is one of zero.
        term = jnp.where(jnp.isfinite(log_weight) & ~jnp.isnan(log_q), log_weight + log_q, -jnp.inf)
        return jnp.logaddexp(total, term), None

    # One component after another: all at once would take memory for every draw under every component.
    start = jnp.full(draws.shape[:2], -jnp.inf, draws.dtype)
    total, _ = jax.lax.scan(add, start, jnp.arange(log_weights.shape[1]))
    return total
