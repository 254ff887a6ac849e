"""First passage times of a Wiener process through the upper of two boundaries."""

import math

import jax.numpy as jnp

from pathfinder.stan._library.densities.distribution import Distribution, on_reals
from pathfinder.stan._library.densities.validity import checked, positive_finite
from pathfinder.stan._library.numerics.logarithms import LOG_2_PI, LOG_PI
from pathfinder.stan._library.numerics.quadrature import log_mean


# The scaled time at which both series need no more terms than these for double precision.
_SWITCH = 0.4
_SMALL_TIME_TERMS = (1, -1, 2, -2, 3, -3)
_LARGE_TIME_TERMS = (2, 3, 4, 5)


def _log_driftless(x, w):
    """Log density at scaled time `x` from start `w` to 0, boundaries 0 and 1 (Navarro and Fuss, 2009, eq. 5, 6)."""
    early = x < _SWITCH
    t = jnp.where(early, x, 0.1)
    total = jnp.ones_like(t)
    for k in _SMALL_TIME_TERMS:
        total = total + (w + 2 * k) / w * jnp.exp(-2 * k * (k + w) / t)
    small = jnp.log(w) + jnp.log(total) - 0.5 * w * w / t - 0.5 * LOG_2_PI - 1.5 * jnp.log(t)

    t = jnp.where(early, 1.0, x)
    decay = 0.5 * math.pi**2 * t
    first = jnp.sin(math.pi * w)
    total = jnp.ones_like(t)
    for k in _LARGE_TIME_TERMS:
        total = total + k * jnp.sin(k * math.pi * w) / first * jnp.exp(-(k * k - 1) * decay)
    large = LOG_PI + jnp.log(first) + jnp.log(total) - decay
    return jnp.where(early, small, large)


def _log_density(t, alpha, w, v, sv):
    """At decision time `t` to boundary 0 from relative start `w`, drift normal with mean `v` and deviation `sv`."""
    spread = 1 + sv * sv * t
    exponent = (sv * sv * alpha * alpha * w * w - 2 * v * alpha * w - v * v * t) / (2 * spread)
    return exponent - 0.5 * jnp.log(spread) - 2 * jnp.log(alpha) + _log_driftless(t / (alpha * alpha), w)


@on_reals
def wiener_lpdf(y, alpha, tau, beta, delta, *variability):
    """Log density of a passage at time `y` through the upper boundary.

    Args:
        y: Time, more than `tau`.
        alpha: Separation of the boundaries.
        tau: Non-decision time.
        beta: Start as a share of the separation, from below.
        delta: Drift towards the upper boundary.
        variability: The standard deviation of the drift between trials; or that, the width of the uniform distribution
            of the start around `beta`, and the width of the uniform distribution of the non-decision time from `tau`
            on. Stan's tolerance may follow, of no use here.
    """
    sv = variability[0] if variability else 0.0
    sw, st0 = variability[1:3] if len(variability) > 2 else (None, None)
    valid = positive_finite(alpha) & (tau >= 0) & (beta > 0) & (beta < 1) & jnp.isfinite(delta) & (sv >= 0)
    outside = y <= tau
    time = jnp.where(outside, 1.0, y - tau)
    # Towards the upper boundary is towards 0 from the other side.
    w, v = jnp.where(valid, 1 - beta, 0.5), -delta
    alpha = jnp.where(valid, alpha, 1.0)

    def given_start(w):
        if st0 is None:
            return _log_density(time, alpha, w, v, sv)
        latest = jnp.minimum(st0, time)
        # Times at which the process could not have ended count as no density.
        used = jnp.log(jnp.where(st0 > 0, latest, 1.0)) - jnp.log(jnp.where(st0 > 0, st0, 1.0))
        return used + log_mean(lambda late: _log_density(time - late, alpha, w, v, sv), 0.0, latest)

    if sw is None:
        return checked(given_start(w), valid, outside)
    valid = valid & (sw >= 0) & (beta - 0.5 * sw >= 0) & (beta + 0.5 * sw <= 1)
    half = jnp.where(valid, 0.5 * sw, 0.0)
    return checked(log_mean(given_start, w - half, w + half), valid & ((st0 is None) or (st0 >= 0)), outside)


DISTRIBUTIONS = {
    "wiener": Distribution(("real", "real", "real", "real", "real"), wiener_lpdf),
}
