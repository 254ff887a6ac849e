"""The L-BFGS direction from the newest pairs of a path."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from pathfinder._normals.inverse_hessian import Pairs


def newest_pairs(pairs: Pairs, end: Int[Array, ""], history_size: int) -> Pairs:
    """The `history_size` pairs before row `end`."""
    return Pairs(*[jax.lax.dynamic_slice_in_dim(part, end - history_size, history_size) for part in pairs])


def two_loop(
    pairs: Pairs, num_pairs: Int[Array, ""], initial: Float[Array, " dim"], gradient: Float[Array, " dim"]
) -> Float[Array, " dim"]:
    """The L-BFGS direction from the newest `num_pairs` pairs (Nocedal and Wright 2006, algorithm 7.4).

    The initial inverse Hessian is the diagonal `initial`, scaled to fit the newest pair (their equation 7.20 where it
    is the identity; without pairs the direction is steepest descent).
    """
    history_size = pairs.positions.shape[0]
    inner = jnp.sum(pairs.positions * pairs.gradients, axis=1)
    used = jnp.arange(history_size, dtype=jnp.int32) >= history_size - num_pairs
    rho = jnp.where(used, 1.0 / jnp.where(used, inner, 1.0), 0.0)
    newest_curvature = jnp.sum(initial * pairs.gradients[-1] ** 2) * rho[-1]
    scale = jnp.where(num_pairs > 0, initial / jnp.where(num_pairs > 0, newest_curvature, 1.0), 1.0)

    def backward(q, pair):
        s, y, rho_i = pair
        a = rho_i * (s @ q)
        return q - a * y, a

    def forward(q, pair):
        s, y, rho_i, a = pair
        return q + (a - rho_i * (y @ q)) * s, None

    unroll = history_size if history_size <= 10 else 1
    q, a = jax.lax.scan(backward, -gradient, (*pairs, rho), reverse=True, unroll=unroll)
    direction, _ = jax.lax.scan(forward, scale * q, (*pairs, rho, a), unroll=unroll)
    return direction
