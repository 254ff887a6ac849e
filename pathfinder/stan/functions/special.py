"""Functions that need an iteration or an integral: normal quantiles and tails, Lambert's W, Owen's T.

Source: Stan functions reference, "Real-valued basic functions". Derivatives are given in closed form, so that they do
not run through the iterations.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from pathfinder.stan.functions._function import Function, elementwise, real, real_numpy


_LOG_TWO = float(np.log(2.0))
_HALF_LOG_TWO_PI = 0.5 * float(np.log(2.0 * np.pi))
_SERIES_BELOW = -20.0  # where nine terms of the series reach double precision


@lru_cache
def gauss_legendre(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the Gauss-Legendre rule on [0, 1]."""
    x, weights = np.polynomial.legendre.leggauss(nodes)
    return (x + 1) / 2, weights / 2


@jax.custom_jvp
def log_phi(x: Any) -> jax.Array:
    """Logarithm of the standard normal distribution function, to full relative precision in the lower tail."""
    x = real(x)
    far = x < _SERIES_BELOW
    series_x = jnp.where(far, x, _SERIES_BELOW)
    square = 1 / (series_x * series_x)
    series = 1.0
    for k in range(9, 0, -1):  # Abramowitz and Stegun 26.2.12
        series = 1 - (2 * k - 1) * square * series
    tail = -0.5 * series_x * series_x - _HALF_LOG_TWO_PI - jnp.log(-series_x) + jnp.log(series)
    near_x = jnp.where(far, 0.0, x)
    middle = jnp.log(jax.scipy.special.ndtr(jnp.minimum(near_x, 0.0)))
    upper = jnp.log1p(-jax.scipy.special.ndtr(-jnp.maximum(near_x, 0.0)))
    return jnp.where(far, tail, jnp.where(near_x > 0, upper, middle))


@log_phi.defjvp
def _log_phi_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    value = log_phi(x)
    return value, dx * jnp.exp(-0.5 * x * x - _HALF_LOG_TWO_PI - value)


@jax.custom_jvp
def std_normal_log_qf(log_p: Any) -> jax.Array:
    """Standard normal quantile of the probability `exp(log_p)`, by Newton's method on `log_phi` in the lower tail."""
    log_p = real(log_p)
    tail = log_p < -5.0
    y = jnp.where(tail, log_p, -5.0)
    start = -2 * y - 2 * _HALF_LOG_TWO_PI
    x = -jnp.sqrt(start - jnp.log(jnp.maximum(start, 1.0)))
    for _ in range(4):  # quadratic convergence from two digits
        x = x - (log_phi(x) - y) * jnp.exp(log_phi(x) + 0.5 * x * x + _HALF_LOG_TWO_PI)
    near = jnp.where(tail, -_LOG_TWO, log_p)
    central = jnp.where(
        near > -_LOG_TWO, -jax.scipy.special.ndtri(-jnp.expm1(near)), jax.scipy.special.ndtri(jnp.exp(near))
    )
    value = jnp.where(tail, x, central)
    return jnp.where(log_p == -jnp.inf, -jnp.inf, jnp.where(log_p <= 0, value, jnp.nan))


@std_normal_log_qf.defjvp
def _std_normal_log_qf_jvp(primals, tangents):
    (log_p,), (dlog_p,) = primals, tangents
    x = std_normal_log_qf(log_p)
    return x, dlog_p * jnp.exp(log_p + 0.5 * x * x + _HALF_LOG_TWO_PI)


def _lambert(branch_start: Any) -> Any:
    """A branch of Lambert's W by Halley's iteration from a first guess.

    Corless et al. (1996), "On the Lambert W function", equations 5.9 (iteration) and 4.22 (branch point).
    """

    @jax.custom_jvp
    def lambert(x):
        x = real(x)
        w = branch_start(x)
        for _ in range(8):
            exp_w = jnp.exp(w)
            residual = w * exp_w - x
            slope = exp_w * (w + 1) - (w + 2) * residual / (2 * w + 2)
            step = residual / slope
            w = w - jnp.where(jnp.isfinite(step), step, 0.0)  # at the branch point and at zero the guess is exact
        return w

    @lambert.defjvp
    def _lambert_jvp(primals, tangents):
        (x,), (dx,) = primals, tangents
        w = lambert(x)
        return w, dx * jnp.exp(-w) / (1 + w)

    return lambert


def _branch_point(x: Any, sign: float) -> Any:
    p = sign * jnp.sqrt(jnp.maximum(2 * (np.e * x + 1), 0.0))
    return -1 + p - p * p / 3 + 11 / 72 * p**3


def _principal_start(x: Any) -> Any:
    log_x = jnp.log(jnp.where(x > 2.0, x, np.e))
    guess = jnp.where(x > 2.0, log_x - jnp.log(log_x), jnp.where(x < 0.0, _branch_point(x, 1.0), jnp.log1p(x)))
    return jnp.where((x >= -1 / np.e) & (x < jnp.inf), guess, jnp.where(x == jnp.inf, jnp.inf, jnp.nan))


def _lower_start(x: Any) -> Any:
    log_x = jnp.log(jnp.where(x < 0, -x, 1.0))
    asymptote = log_x - jnp.log(jnp.where(log_x < -1, -log_x, 1.0))
    guess = jnp.where(x < -0.25, _branch_point(x, -1.0), asymptote)
    return jnp.where((x >= -1 / np.e) & (x < 0), guess, jnp.where(x == 0, -jnp.inf, jnp.nan))


lambert_w0 = _lambert(_principal_start)
lambert_wm1 = _lambert(_lower_start)


@jax.custom_jvp
def owens_t(h: Any, a: Any) -> jax.Array:
    """Owen's T function by quadrature of its definition.

    For |a| > 1 it is reduced to 1/a by Owen (1956), equation 2.3, written with the upper tails.
    """
    h, a = jnp.broadcast_arrays(jnp.abs(real(h)), real(a))
    size = jnp.abs(a)
    reduced = size > 1
    scaled = jnp.where(reduced, h * jnp.where(reduced, size, 1.0), h)
    slope = jnp.where(reduced, 1 / jnp.where(reduced, size, 1.0), size)
    scaled = jnp.where(jnp.isfinite(scaled), scaled, 1e10)
    nodes, weights = gauss_legendre(64)
    x = slope[..., None] * jnp.asarray(nodes, slope.dtype)
    integrand = jnp.exp(-0.5 * scaled[..., None] ** 2 * (1 + x * x)) / (1 + x * x)
    integral = slope * (integrand @ jnp.asarray(weights, slope.dtype)) / (2 * np.pi)
    upper, upper_scaled = jax.scipy.special.ndtr(-h), jax.scipy.special.ndtr(-scaled)
    value = jnp.where(reduced, 0.5 * (upper + upper_scaled) - upper * upper_scaled - integral, integral)
    return jnp.sign(a) * value


@owens_t.defjvp
def _owens_t_jvp(primals, tangents):
    (h, a), (dh, da) = primals, tangents
    in_h = -jnp.exp(-0.5 * h * h) * jax.lax.erf(real(a * h / np.sqrt(2.0))) / np.sqrt(8 * np.pi)
    in_a = jnp.exp(-0.5 * h * h * (1 + a * a)) / (2 * np.pi * (1 + a * a))
    return owens_t(h, a), in_h * dh + in_a * da


def inv_erfc(x: Any) -> jax.Array:
    """Inverse of the complementary error function."""
    return -jax.scipy.special.ndtri(0.5 * real(x)) / float(np.sqrt(2.0))


SPECIAL: dict[str, Function] = {
    "std_normal_log_qf": elementwise(lambda x: std_normal_log_qf(real(x)), lambda x: special.ndtri_exp(real_numpy(x))),
    "lambert_w0": elementwise(lambda x: lambert_w0(real(x)), lambda x: special.lambertw(real_numpy(x)).real),
    "lambert_wm1": elementwise(lambda x: lambert_wm1(real(x)), lambda x: special.lambertw(real_numpy(x), -1).real),
    "owens_t": elementwise(lambda h, a: owens_t(real(h), real(a)), special.owens_t),
    "inv_erfc": elementwise(inv_erfc, lambda x: special.erfcinv(real_numpy(x))),
}
