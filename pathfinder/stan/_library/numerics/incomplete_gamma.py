"""Regularised incomplete gamma functions in log space, both tails, differentiable in the shape.

`jax.scipy.special.gammainc` underflows where its logarithm is still of use, and its complement cancels.
"""

import jax.numpy as jnp
from jax.scipy.special import gammaln

from pathfinder.stan._library.numerics.iteration import differentiable_by_forward_mode, iterate
from pathfinder.stan._library.numerics.logarithms import log1m_exp


def _log_lower_series(a, x):
    """Log of sum_n x^n / ((a + 1) ... (a + n)), DLMF 8.11.4, for x below a + 1."""

    def step(n, state):
        term, total = state
        term = term * x / (a + n)
        return term, total + term

    one = jnp.ones_like(x)
    return jnp.log(iterate(step, (one, one), lambda state: state[1])[1])


def _log_upper_fraction(a, x):
    """Log of Legendre's continued fraction for Gamma(a, x) e^x x^-a, DLMF 8.9.2, by Lentz's method; x above a + 1."""

    def step(n, state):
        c, d, value = state
        b = x + (2 * n + 1) - a
        numerator = -n * (n - a)
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        return c, d, value * c * d

    d = 1 / (x + 1 - a)
    # Lentz's c starts at infinity; its reciprocal is 0, and one large number serves.
    start = (jnp.full_like(x, 1 / jnp.finfo(x.dtype).tiny ** 0.5), d, d)
    return jnp.log(iterate(step, start, lambda state: state[2])[2])


@differentiable_by_forward_mode
def _log_tails(a, x):
    below = x < a + 1
    prefactor = a * jnp.log(x) - x
    small = jnp.where(below, x, 0.5 * a)
    lower = prefactor - gammaln(a + 1) + _log_lower_series(a, small)
    large = jnp.where(below, a + 2, x)
    upper = prefactor - gammaln(a) + _log_upper_fraction(a, large)
    # Rounding must not carry a probability past one.
    known = jnp.where(below, jnp.minimum(lower, 0.0), jnp.minimum(upper, 0.0))
    other = log1m_exp(known)
    return jnp.where(below, known, other), jnp.where(below, other, known)


def log_gamma_tails(a, x):
    """Log P(a, x) and log Q(a, x), for a > 0 and x >= 0 (DLMF 8.2.4)."""
    a, x = jnp.broadcast_arrays(a, x)
    zero, infinite = x <= 0, x == jnp.inf
    regular = ~(zero | infinite) & (a > 0)
    lower, upper = _log_tails(jnp.where(a > 0, a, 1.0), jnp.where(regular, x, 1.0))
    return (
        jnp.where(zero, -jnp.inf, jnp.where(infinite, 0.0, lower)),
        jnp.where(zero, 0.0, jnp.where(infinite, -jnp.inf, upper)),
    )
