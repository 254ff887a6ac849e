"""Cdfs as sums of masses, for counts whose cdf has no better form than a hypergeometric function."""

import jax
import jax.numpy as jnp

from pathfinder.stan._library.numerics.iteration import differentiable_by_forward_mode


def log_sum_below(ratio, top, parameters):
    """Log of the sum of the masses at 0..top over the mass at top.

    Every mass is visited: a mass function with a pole at either end falls and rises again, and cannot be cut off.

    Args:
        ratio: `ratio(j, *parameters)`: the mass at j over that at j + 1.
        top: Whole numbers >= 0.
        parameters: Arrays of the shape of `top`; derivatives are in these.
    """

    @differentiable_by_forward_mode
    def log_total(top, *parameters):
        top = jax.lax.stop_gradient(top)
        most = jnp.max(top, initial=0)

        def add(carry):
            i, log_term, largest, scaled = carry
            inside = i <= top
            new_term = log_term + jnp.log(ratio(jnp.maximum(top - i, 0.0), *parameters))
            log_term = jnp.where(inside, new_term, log_term)
            new_largest = jax.lax.stop_gradient(jnp.maximum(largest, log_term))
            scaled = scaled * jnp.exp(largest - new_largest) + jnp.where(inside, jnp.exp(log_term - new_largest), 0.0)
            return i + 1, log_term, new_largest, scaled

        start = (jnp.ones((), top.dtype), jnp.zeros_like(top), jnp.zeros_like(top), jnp.ones_like(top))
        _, _, largest, scaled = jax.lax.while_loop(lambda carry: carry[0] <= most, add, start)
        return largest + jnp.log(scaled)

    return log_total(top, *parameters)
