"""The normal distribution and its relatives: lognormal, skew normal, normal plus exponential."""

import jax
import jax.numpy as jnp

from pathfinder.stan._library.densities.distribution import univariate
from pathfinder.stan._library.densities.validity import checked, positive_finite
from pathfinder.stan._library.numerics.logarithms import LOG_2, LOG_2_PI, log1m_exp, log_add_exp, log_diff_exp
from pathfinder.stan._library.numerics.normal_integral import log_mills, log_ndtr
from pathfinder.stan._library.numerics.owens_t import owens_t
from pathfinder.stan._library.numerics.quadrature import integrate


def std_normal_lpdf(y):
    return -0.5 * (y * y + LOG_2_PI)


def std_normal_rng(key):
    return jax.random.normal(key)


def _valid(mu, sigma):
    return jnp.isfinite(mu) & positive_finite(sigma)


def normal_lpdf(y, mu, sigma):
    z = (y - mu) / sigma
    # The derivative of square is one product; that of z * z, a sum of two, takes XLA four times as long.
    return checked(-0.5 * jnp.square(z) - (jnp.log(sigma) + 0.5 * LOG_2_PI), _valid(mu, sigma))


def normal_lcdf(y, mu, sigma):
    return checked(log_ndtr((y - mu) / sigma), _valid(mu, sigma))


def normal_lccdf(y, mu, sigma):
    return checked(log_ndtr((mu - y) / sigma), _valid(mu, sigma))


def normal_rng(key, mu, sigma):
    return mu + sigma * jax.random.normal(key, mu.shape, mu.dtype)


def _log_outcome(y):
    outside = y <= 0
    return jnp.log(jnp.where(outside, 1.0, y)), outside


def lognormal_lpdf(y, mu, sigma):
    log_y, outside = _log_outcome(y)
    return checked(normal_lpdf(log_y, mu, sigma) - log_y, _valid(mu, sigma), outside)


def lognormal_lcdf(y, mu, sigma):
    log_y, outside = _log_outcome(y)
    return checked(normal_lcdf(log_y, mu, sigma), _valid(mu, sigma), outside)


def lognormal_lccdf(y, mu, sigma):
    log_y, outside = _log_outcome(y)
    return jnp.where(_valid(mu, sigma) & outside, 0.0, normal_lccdf(log_y, mu, sigma))


def lognormal_rng(key, mu, sigma):
    return jnp.exp(normal_rng(key, mu, sigma))


def skew_normal_lpdf(y, xi, omega, alpha):
    z = (y - xi) / omega
    value = -0.5 * jnp.square(z) - (jnp.log(omega) + (0.5 * LOG_2_PI - LOG_2)) + log_ndtr(alpha * z)
    return checked(value, _valid(xi, omega) & jnp.isfinite(alpha))


def _skew_normal_tails(z, alpha):
    """Log lower and upper tail of the standard skew normal."""
    # alpha >= 0 without loss; then only the lower tail below 0 is a difference of larger numbers.
    sign = jnp.where(alpha < 0, -1.0, 1.0)
    z, alpha = jnp.broadcast_arrays(sign * z, jnp.abs(alpha))
    below = z < 0
    positive = jnp.where(below, 1.0, z)
    upper = jnp.log(jnp.exp(log_ndtr(-positive)) + 2 * owens_t(positive, alpha))

    # There the density itself is integrated. It is log-concave, and its curvature grows downwards, so that a
    # parabola bounds where it has fallen by exp(-40).
    negative = jnp.where(below, z, -1.0)
    log_ratio = log_mills(-alpha * negative)
    slope = jnp.exp(-log_ratio)
    gradient = -negative + alpha * slope
    curvature = 1 + alpha * alpha * slope * (slope + alpha * negative)
    length = 80 / (gradient + jnp.sqrt(gradient * gradient + 80 * jnp.maximum(curvature, 1.0)))

    def density(s):
        t = negative - s
        change = log_ndtr(alpha * t) - log_ndtr(alpha * negative) + s * (negative - 0.5 * s)
        return jnp.exp(change)

    total = integrate(density, jnp.zeros_like(length), length)
    lower = jnp.log(total) + std_normal_lpdf(negative) + log_ndtr(alpha * negative) + LOG_2
    lower, upper = jnp.where(below, lower, log1m_exp(upper)), jnp.where(below, log1m_exp(lower), upper)
    return jnp.where(sign > 0, lower, upper), jnp.where(sign > 0, upper, lower)


def skew_normal_lcdf(y, xi, omega, alpha):
    return checked(_skew_normal_tails((y - xi) / omega, alpha)[0], _valid(xi, omega) & jnp.isfinite(alpha))


def skew_normal_lccdf(y, xi, omega, alpha):
    return checked(_skew_normal_tails((y - xi) / omega, alpha)[1], _valid(xi, omega) & jnp.isfinite(alpha))


def skew_normal_rng(key, xi, omega, alpha):
    first, second = jax.random.split(key)
    u = jax.random.normal(first, xi.shape, xi.dtype)
    v = jax.random.normal(second, xi.shape, xi.dtype)
    # Azzalini (1985): u keeps its sign where the skewing variable lies below alpha u.
    return xi + omega * jnp.where(v < alpha * u, u, -u)


def _log_scaled_tail(z, v):
    """Log of exp(v^2 / 2 - v z) Phi(z - v), without its overflow for z below v."""
    below = z < v
    lower = -0.5 * jnp.square(z) - 0.5 * LOG_2_PI + log_mills(jnp.where(below, v - z, 0.0))
    upper = v * (0.5 * v - z) + log_ndtr(jnp.where(below, 0.0, z - v))
    return jnp.where(below, lower, upper)


def exp_mod_normal_lpdf(y, mu, sigma, rate):
    value = jnp.log(rate) + _log_scaled_tail((y - mu) / sigma, rate * sigma)
    return checked(value, _valid(mu, sigma) & positive_finite(rate))


def exp_mod_normal_lcdf(y, mu, sigma, rate):
    z = (y - mu) / sigma
    value = log_diff_exp(log_ndtr(z), _log_scaled_tail(z, rate * sigma))
    return checked(value, _valid(mu, sigma) & positive_finite(rate))


def exp_mod_normal_lccdf(y, mu, sigma, rate):
    z = (y - mu) / sigma
    value = log_add_exp(log_ndtr(-z), _log_scaled_tail(z, rate * sigma))
    return checked(value, _valid(mu, sigma) & positive_finite(rate))


def exp_mod_normal_rng(key, mu, sigma, rate):
    first, second = jax.random.split(key)
    return normal_rng(first, mu, sigma) + jax.random.exponential(second, mu.shape, mu.dtype) / rate


DISTRIBUTIONS = {
    "std_normal": univariate("real", std_normal_lpdf, lcdf=log_ndtr, lccdf=lambda y: log_ndtr(-y), rng=std_normal_rng),
    "normal": univariate("real real real", normal_lpdf, lcdf=normal_lcdf, lccdf=normal_lccdf, rng=normal_rng),
    "lognormal": univariate(
        "real real real", lognormal_lpdf, lcdf=lognormal_lcdf, lccdf=lognormal_lccdf, rng=lognormal_rng
    ),
    "skew_normal": univariate(
        "real real real real", skew_normal_lpdf, lcdf=skew_normal_lcdf, lccdf=skew_normal_lccdf, rng=skew_normal_rng
    ),
    "exp_mod_normal": univariate(
        "real real real real",
        exp_mod_normal_lpdf,
        lcdf=exp_mod_normal_lcdf,
        lccdf=exp_mod_normal_lccdf,
        rng=exp_mod_normal_rng,
    ),
}
