"""Functions that need an iteration or an integral: normal quantiles, Lambert's W, Owen's T.

Source: Stan functions reference, "Real-valued basic functions". Derivatives are given in closed form, so that they do
not run through the iterations.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from pathfinder.stan._library.functions.function import Function, elementwise, real, real_numpy
from pathfinder.stan._library.functions.special.gamma import inv_inc_beta_log_odds
from pathfinder.stan._library.numerics.gamma_ratios import log_beta
from pathfinder.stan._library.numerics.incomplete_beta import log_beta_tails
from pathfinder.stan._library.numerics.logarithms import LOG_2, LOG_2_PI
from pathfinder.stan._library.numerics.normal_integral import log_mills, log_ndtr
from pathfinder.stan._library.numerics.owens_t import owens_t


@jax.custom_jvp
def std_normal_log_qf(log_p: Any) -> jax.Array:
    """Standard normal quantile of the probability `exp(log_p)`, in the lower tail by Newton's method on logarithms."""
    log_p = real(log_p)
    tail = log_p < -5.0
    y = jnp.where(tail, log_p, -5.0)
    start = -2 * y - LOG_2_PI
    x = -jnp.sqrt(start - jnp.log(jnp.maximum(start, 1.0)))
    for _ in range(4):  # quadratic convergence from two digits
        x = x - (log_ndtr(x) - y) * jnp.exp(log_mills(-x))
    near = jnp.where(tail, -LOG_2, log_p)
    central = jnp.where(
        near > -LOG_2, -jax.scipy.special.ndtri(-jnp.expm1(near)), jax.scipy.special.ndtri(jnp.exp(near))
    )
    value = jnp.where(tail, x, central)
    return jnp.where(log_p == -jnp.inf, -jnp.inf, jnp.where(log_p <= 0, value, jnp.nan))


@std_normal_log_qf.defjvp
def _std_normal_log_qf_jvp(primals, tangents):
    (log_p,), (dlog_p,) = primals, tangents
    x = std_normal_log_qf(log_p)
    return x, dlog_p * jnp.exp(log_mills(-x))


@jax.custom_jvp
def standard_t_quantile(p: Any, nu: Any) -> jax.Array:
    """Quantile of Student's t distribution (DLMF 8.17.2: its tail is a beta integral, whose odds are nu / t^2)."""
    p, nu = jnp.broadcast_arrays(p, nu)
    lower = jnp.minimum(p, 1 - p)
    size = jnp.sqrt(nu) * jnp.exp(-0.5 * inv_inc_beta_log_odds(0.5 * nu, jnp.full_like(nu, 0.5), 2 * lower))
    return jnp.where((nu > 0) & (nu < jnp.inf), jnp.sign(p - 0.5) * size, jnp.nan)


@standard_t_quantile.defjvp
def _standard_t_quantile_jvp(primals, tangents):
    (p, nu), (dp, dnu) = primals, tangents
    t = standard_t_quantile(p, nu)
    square = t * t
    log_density = -0.5 * (nu + 1) * jnp.log1p(square / nu) - log_beta(0.5 * nu, jnp.full_like(nu, 0.5))
    density = jnp.exp(log_density - 0.5 * jnp.log(nu))

    def tail(nu):
        """Of both sides of t, times the sign with which it counts."""
        both = jnp.exp(log_beta_tails(0.5 * nu, jnp.full_like(nu, 0.5), nu / (nu + square), square / (nu + square))[0])
        return -0.5 * jnp.sign(t) * both

    _, in_nu = jax.jvp(tail, (nu,), (dnu,))
    return t, (dp - in_nu) / density


def student_t_qf(p: Any, nu: Any, mu: Any, sigma: Any) -> jax.Array:
    """Quantile of Student's t distribution with location and scale."""
    return jnp.where(sigma > 0, mu + sigma * standard_t_quantile(p, nu), jnp.nan)


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


def inv_erfc(x: Any) -> jax.Array:
    """Inverse of the complementary error function."""
    return -jax.scipy.special.ndtri(0.5 * real(x)) / float(np.sqrt(2.0))


SPECIAL: dict[str, Function] = {
    "std_normal_log_qf": elementwise(lambda x: std_normal_log_qf(real(x)), lambda x: special.ndtri_exp(real_numpy(x))),
    "student_t_qf": elementwise(lambda *x: student_t_qf(*map(real, x))),
    "lambert_w0": elementwise(lambda x: lambert_w0(real(x)), lambda x: special.lambertw(real_numpy(x)).real),
    "lambert_wm1": elementwise(lambda x: lambert_wm1(real(x)), lambda x: special.lambertw(real_numpy(x), -1).real),
    "owens_t": elementwise(lambda h, a: owens_t(real(h), real(a)), special.owens_t),
    "inv_erfc": elementwise(inv_erfc, lambda x: special.erfcinv(real_numpy(x))),
}
