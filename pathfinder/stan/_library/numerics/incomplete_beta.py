"""Regularised incomplete beta function in log space, both tails, differentiable in the shapes.

`jax.scipy.special.betainc` raises on derivatives in the shapes, and underflows in the tails.
"""

import jax.numpy as jnp

from pathfinder.stan._library.numerics.gamma_ratios import log_beta
from pathfinder.stan._library.numerics.iteration import differentiable_by_forward_mode, iterate
from pathfinder.stan._library.numerics.logarithms import log1m_exp


def _fraction(a, b, x):
    """The continued fraction of I_x(a, b) of DLMF 8.17.22, for x below (a + 1) / (a + b + 2), by Lentz's method."""

    def lentz(numerator, state):
        c, d, value = state
        d = 1 / (1 + numerator * d)
        c = 1 + numerator / c
        return c, d, value * c * d

    def step(n, state):
        even = n * (b - n) * x / ((a + 2 * n - 1) * (a + 2 * n))
        odd = -(a + n) * (a + b + n) * x / ((a + 2 * n) * (a + 2 * n + 1))
        return lentz(odd, lentz(even, state))

    d = 1 / (1 - (a + b) * x / (a + 1))
    # About 2 sqrt(max(a, b)) iterations converge
    most = 64 + 6 * jnp.sqrt(jnp.maximum(a, b))
    return iterate(step, (jnp.ones_like(x), d, d), lambda state: state[2], most)[2]


@differentiable_by_forward_mode
def _log_tails(a, b, x, y):
    swap = x > (a + 1) / (a + b + 2)
    # The tail that the fraction serves; x and y come apart from each other so that neither is 1 minus a rounded one.
    p, q, z, w = (jnp.where(swap, *pair) for pair in ((b, a), (a, b), (y, x), (x, y)))
    log_z = jnp.where(z > 0.5, jnp.log1p(-jnp.where(z > 0.5, w, 0.5)), jnp.log(z))
    log_w = jnp.where(w > 0.5, jnp.log1p(-jnp.where(w > 0.5, z, 0.5)), jnp.log(w))
    known = p * log_z + q * log_w - jnp.log(p) - log_beta(p, q) + jnp.log(_fraction(p, q, z))
    known = jnp.minimum(known, 0.0)
    other = log1m_exp(known)
    return jnp.where(swap, other, known), jnp.where(swap, known, other)


def log_beta_tails(a, b, x, y):
    """Log I_x(a, b) and log(1 - I_x(a, b)), for a, b > 0 and y = 1 - x, given apart for its accuracy."""
    a, b, x, y = jnp.broadcast_arrays(a, b, x, y)
    zero, one = x <= 0, y <= 0
    regular = ~(zero | one)
    lower, upper = _log_tails(
        jnp.where(a > 0, a, 1.0), jnp.where(b > 0, b, 1.0), jnp.where(regular, x, 0.5), jnp.where(regular, y, 0.5)
    )
    return (
        jnp.where(zero, -jnp.inf, jnp.where(one, 0.0, lower)),
        jnp.where(zero, 0.0, jnp.where(one, -jnp.inf, upper)),
    )
