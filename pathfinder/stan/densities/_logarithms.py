"""Logarithms of sums and differences whose naive forms cancel, overflow or have NaN gradients."""

import math

import jax
import jax.numpy as jnp


LOG_2 = math.log(2.0)
LOG_PI = math.log(math.pi)
LOG_2_PI = math.log(2.0 * math.pi)


def log1m_exp(x):
    """log(1 - exp(x)) for x <= 0, by Maechler's (2012) split at -log 2."""
    below = x < -LOG_2
    near = jnp.where(below, -1.0, x)
    far = jnp.where(below, x, -1.0)
    return jnp.where(below, jnp.log1p(-jnp.exp(far)), jnp.log(-jnp.expm1(near)))


def log_diff_exp(x, y):
    """log(exp(x) - exp(y)) for x >= y; -inf - -inf is taken for log 0, as in Stan."""
    nothing = x == -jnp.inf
    x = jnp.where(nothing, 0.0, x)
    return jnp.where(nothing, -jnp.inf, x + log1m_exp(jnp.where(nothing, -1.0, y - x)))


def log_add_exp(x, y):
    """log(exp(x) + exp(y)), with finite gradients also where one of them is -inf."""
    nothing = (x == -jnp.inf) & (y == -jnp.inf)
    largest = jax.lax.stop_gradient(jnp.where(nothing, 0.0, jnp.maximum(x, y)))
    total = jnp.exp(x - largest) + jnp.exp(y - largest)
    return jnp.where(nothing, -jnp.inf, largest + jnp.log(jnp.where(nothing, 1.0, total)))


def xlogy(x, y):
    """X log(y), which is 0 with gradient 0 where x = 0, also at y = 0."""
    none = x == 0
    return jnp.where(none, 0.0, x * jnp.log(jnp.where(none, 1.0, y)))


def xlog1py(x, y):
    """X log(1 + y), which is 0 with gradient 0 where x = 0, also at y = -1."""
    none = x == 0
    return jnp.where(none, 0.0, x * jnp.log1p(jnp.where(none, 0.0, y)))
