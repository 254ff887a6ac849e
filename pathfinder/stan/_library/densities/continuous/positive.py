"""Families on the positive half line with elementary cdfs: exponential, Weibull, Frechet, Rayleigh, log-logistic."""

import jax
import jax.numpy as jnp

from pathfinder.stan._library.densities.distribution import univariate
from pathfinder.stan._library.densities.validity import checked, positive_finite
from pathfinder.stan._library.numerics.logarithms import log1m_exp, softplus


def _both(alpha, sigma):
    return positive_finite(alpha) & positive_finite(sigma)


def _positive_part(y):
    """The outcome, replaced by 1 where it is not positive, and where that is."""
    none = y <= 0
    return jnp.where(none, 1.0, y), none


def _power_at_zero(exponent):
    """Log of 0 to a power: 1, 0 or a pole."""
    return jnp.where(exponent == 0, 0.0, jnp.where(exponent > 0, -jnp.inf, jnp.inf))


def exponential_lpdf(y, beta):
    return checked(jnp.log(beta) - beta * y, positive_finite(beta), y < 0)


def exponential_lcdf(y, beta):
    x, none = _positive_part(y)
    return checked(log1m_exp(-beta * x), positive_finite(beta), none)


def exponential_lccdf(y, beta):
    return checked(-beta * jnp.maximum(y, 0.0), positive_finite(beta))


def exponential_rng(key, beta):
    return jax.random.exponential(key, beta.shape, beta.dtype) / beta


def weibull_lpdf(y, alpha, sigma):
    x, none = _positive_part(y)
    log_ratio = jnp.log(x) - jnp.log(sigma)
    inside = (alpha - 1) * log_ratio - jnp.exp(alpha * log_ratio)
    at_zero = _power_at_zero(alpha - 1)
    return checked(jnp.log(alpha) - jnp.log(sigma) + jnp.where(none, at_zero, inside), _both(alpha, sigma), y < 0)


def _weibull_hazard(y, alpha, sigma):
    x, none = _positive_part(y)
    return jnp.exp(alpha * (jnp.log(x) - jnp.log(sigma))), none


def weibull_lcdf(y, alpha, sigma):
    hazard, none = _weibull_hazard(y, alpha, sigma)
    return checked(log1m_exp(-hazard), _both(alpha, sigma), none)


def weibull_lccdf(y, alpha, sigma):
    hazard, none = _weibull_hazard(y, alpha, sigma)
    return checked(jnp.where(none, 0.0, -hazard), _both(alpha, sigma))


def weibull_rng(key, alpha, sigma):
    return sigma * jax.random.exponential(key, alpha.shape, alpha.dtype) ** (1 / alpha)


def frechet_lpdf(y, alpha, sigma):
    x, none = _positive_part(y)
    log_ratio = jnp.log(x) - jnp.log(sigma)
    value = jnp.log(alpha) - jnp.log(sigma) - (1 + alpha) * log_ratio - jnp.exp(-alpha * log_ratio)
    return checked(value, _both(alpha, sigma), none)


def frechet_lcdf(y, alpha, sigma):
    hazard, none = _weibull_hazard(y, -alpha, sigma)
    return checked(-hazard, _both(alpha, sigma), none)


def frechet_lccdf(y, alpha, sigma):
    hazard, none = _weibull_hazard(y, -alpha, sigma)
    return checked(jnp.where(none, 0.0, log1m_exp(-hazard)), _both(alpha, sigma))


def frechet_rng(key, alpha, sigma):
    return weibull_rng(key, -alpha, sigma)


def rayleigh_lpdf(y, sigma):
    x, none = _positive_part(y)
    z = y / sigma
    return checked(jnp.log(x) - 2 * jnp.log(sigma) - 0.5 * jnp.square(z), positive_finite(sigma), none)


def rayleigh_lcdf(y, sigma):
    x, none = _positive_part(y)
    z = x / sigma
    return checked(log1m_exp(-0.5 * jnp.square(z)), positive_finite(sigma), none)


def rayleigh_lccdf(y, sigma):
    z = jnp.maximum(y, 0.0) / sigma
    return checked(-0.5 * jnp.square(z), positive_finite(sigma))


def rayleigh_rng(key, sigma):
    return sigma * jnp.sqrt(2 * jax.random.exponential(key, sigma.shape, sigma.dtype))


def loglogistic_lpdf(y, alpha, beta):
    x, none = _positive_part(y)
    log_ratio = jnp.log(x) - jnp.log(alpha)
    inside = (beta - 1) * log_ratio - 2 * softplus(beta * log_ratio)
    at_zero = _power_at_zero(beta - 1)
    return checked(jnp.log(beta) - jnp.log(alpha) + jnp.where(none, at_zero, inside), _both(alpha, beta), y < 0)


def loglogistic_lcdf(y, alpha, beta):
    x, none = _positive_part(y)
    return checked(-softplus(beta * (jnp.log(alpha) - jnp.log(x))), _both(alpha, beta), none)


def loglogistic_lccdf(y, alpha, beta):
    x, none = _positive_part(y)
    return checked(jnp.where(none, 0.0, -softplus(beta * (jnp.log(x) - jnp.log(alpha)))), _both(alpha, beta))


def loglogistic_rng(key, alpha, beta):
    return alpha * jnp.exp(jax.random.logistic(key, alpha.shape, alpha.dtype) / beta)


DISTRIBUTIONS = {
    "exponential": univariate(
        "real real", exponential_lpdf, lcdf=exponential_lcdf, lccdf=exponential_lccdf, rng=exponential_rng
    ),
    "weibull": univariate("real real real", weibull_lpdf, lcdf=weibull_lcdf, lccdf=weibull_lccdf, rng=weibull_rng),
    "frechet": univariate("real real real", frechet_lpdf, lcdf=frechet_lcdf, lccdf=frechet_lccdf, rng=frechet_rng),
    "rayleigh": univariate("real real", rayleigh_lpdf, lcdf=rayleigh_lcdf, lccdf=rayleigh_lccdf, rng=rayleigh_rng),
    "loglogistic": univariate(
        "real real real", loglogistic_lpdf, lcdf=loglogistic_lcdf, lccdf=loglogistic_lccdf, rng=loglogistic_rng
    ),
}
