"""Owen's T function."""

import math

import jax
import jax.numpy as jnp

from pathfinder.stan._library.numerics.normal_integral import log_ndtr
from pathfinder.stan._library.numerics.quadrature import integrate


@jax.custom_jvp
def owens_t(h, a):
    """Owen's T(h, a), by quadrature of its integral over [0, 1] (Owen, 1956, equations 2.1 and 2.7)."""
    h, size = jnp.broadcast_arrays(jnp.abs(h), jnp.abs(a))
    steep = size > 1
    k = jnp.where(steep & (h > 0), size * h, h)  # 0 also at h = 0 and a = inf
    slope = jnp.where(steep, 1 / jnp.where(steep, size, 1.0), size)

    def density(x):
        return jnp.exp(-0.5 * k * k * (1 + x * x)) / (1 + x * x) / (2 * math.pi)

    # Beyond 9 / k the integrand is less than rounding of the rest.
    end = jnp.minimum(slope, 9 / jnp.maximum(k, 1e-3))
    t = integrate(density, jnp.zeros_like(end), end)
    tail_h, tail_k = jnp.exp(log_ndtr(-h)), jnp.exp(log_ndtr(-k))
    # T(h, a) + T(ah, 1/a) = (Q(h) + Q(ah)) / 2 - Q(h) Q(ah), with upper tails Q
    return jnp.sign(a) * jnp.where(steep, 0.5 * (tail_h + tail_k) - tail_h * tail_k - t, t)


@owens_t.defjvp
def _owens_t_jvp(primals, tangents):
    (h, a), (dh, da) = primals, tangents
    in_h = -jnp.exp(-0.5 * h * h) * jax.lax.erf(a * h / math.sqrt(2)) / math.sqrt(8 * math.pi)
    in_a = jnp.exp(-0.5 * h * h * (1 + a * a)) / (2 * math.pi * (1 + a * a))
    return owens_t(h, a), in_h * dh + in_a * da
