"""The normal integral in log space, accurate to its last digits in both tails.

`jax.scipy.special.log_ndtr` ends its tail series after three terms, an error of 4e-9 at -20; hence these.
"""

import math

import jax
import jax.numpy as jnp
from jax.scipy.special import erfc

from pathfinder.stan._library.numerics.logarithms import LOG_2, LOG_2_PI, log_diff_exp


_FAR = 12.0  # from here on the terms of the asymptotic series fall below rounding before they grow
_NUM_TERMS = 14
_SQRT_HALF = math.sqrt(0.5)


@jax.custom_jvp
def log_mills(t):
    """Log of Mills' ratio (1 - Phi(t)) / phi(t), for every t (Abramowitz and Stegun 26.2.12 in the far tail)."""
    far = t > _FAR
    x = jnp.where(far, t, _FAR)
    term = jnp.ones_like(x)
    total = jnp.ones_like(x)
    for k in range(1, _NUM_TERMS + 1):
        term = term * (1 - 2 * k) / (x * x)
        total = total + term
    near = jnp.where(far, 0.0, t)
    below = near < -_FAR  # Phi(-t) is 1 to rounding
    from_erfc = jnp.log(erfc(jnp.where(below, 0.0, near) * _SQRT_HALF)) - LOG_2
    by_erfc = jnp.where(below, 0.0, from_erfc) + 0.5 * near * near + 0.5 * LOG_2_PI
    return jnp.where(far, jnp.log(total) - jnp.log(x), by_erfc)


@log_mills.defjvp
def _log_mills_jvp(primals, tangents):
    (t,), (dt,) = primals, tangents
    value = log_mills(t)
    # Beyond 1e4 the difference t - 1/m, about -1/t, would cancel.
    far = t > 1e4
    x = jnp.where(far, 1.0, t)
    slope = jnp.where(far, -1 / jnp.where(far, t, 1.0), x - jnp.exp(-jnp.where(far, 0.0, value)))
    return value, slope * dt


@jax.custom_jvp
def log_ndtr(x):
    """Log Phi(x)."""
    lower = x < 0
    t = jnp.where(lower, -x, 0.0)
    upper = jnp.where(lower, 1.0, x)
    # The square before the Mills ratio would lose digits that log(erfc) keeps, but erfc underflows at -37.
    near = jnp.maximum(x, -20.0)
    by_erfc = jnp.log(0.5 * erfc(-near * _SQRT_HALF))
    in_lower = jnp.where(x < -20.0, -0.5 * t * t + log_mills(t) - 0.5 * LOG_2_PI, by_erfc)
    return jnp.where(lower, in_lower, jnp.log1p(-0.5 * erfc(upper * _SQRT_HALF)))


@log_ndtr.defjvp
def _log_ndtr_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    lower = x < 0
    t = jnp.where(lower, -x, 0.0)
    upper = jnp.where(lower, 0.0, x)
    in_upper = jnp.exp(-0.5 * upper * upper - 0.5 * LOG_2_PI - jnp.log1p(-0.5 * erfc(upper * _SQRT_HALF)))
    return log_ndtr(x), jnp.where(lower, jnp.exp(-log_mills(t)), in_upper) * dx


def log_ndtr_difference(lower, upper):
    """log(Phi(upper) - Phi(lower)) for lower < upper, taken in the tail where it does not cancel."""
    flip = lower > 0
    low = jnp.where(flip, -upper, lower)
    high = jnp.where(flip, -lower, upper)
    return log_diff_exp(log_ndtr(high), log_ndtr(low))
