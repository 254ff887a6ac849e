"""Location-scale families on the whole line: Cauchy, Student t, Laplace, logistic, Gumbel."""

import math

import jax
import jax.numpy as jnp

from pathfinder.stan._library.densities.distribution import univariate
from pathfinder.stan._library.densities.validity import checked, positive_finite, probability
from pathfinder.stan._library.numerics.gamma_ratios import log_beta
from pathfinder.stan._library.numerics.incomplete_beta import log_beta_tails
from pathfinder.stan._library.numerics.logarithms import LOG_2, LOG_PI, log1m_exp, softplus


def _valid(mu, sigma):
    return jnp.isfinite(mu) & positive_finite(sigma)


def cauchy_lpdf(y, mu, sigma):
    z = (y - mu) / sigma
    return checked(-jnp.log1p(jnp.square(z)) - (jnp.log(sigma) + LOG_PI), _valid(mu, sigma))


def cauchy_lcdf(y, mu, sigma):
    # atan2 keeps the digits of the tail that atan(z) / pi + 1/2 loses.
    return checked(jnp.log(jnp.arctan2(sigma, mu - y) / math.pi), _valid(mu, sigma))


def cauchy_lccdf(y, mu, sigma):
    return checked(jnp.log(jnp.arctan2(sigma, y - mu) / math.pi), _valid(mu, sigma))


def cauchy_rng(key, mu, sigma):
    return mu + sigma * jax.random.cauchy(key, mu.shape, mu.dtype)


def student_t_lpdf(y, nu, mu, sigma):
    z = (y - mu) / sigma
    constant = -log_beta(0.5 * nu, jnp.full_like(nu, 0.5)) - 0.5 * jnp.log(nu) - jnp.log(sigma)
    return checked(constant - 0.5 * (nu + 1) * jnp.log1p(jnp.square(z) / nu), positive_finite(nu) & _valid(mu, sigma))


def _student_t_lower(z, nu):
    """Log of the probability below z."""
    square = jnp.square(z)
    infinite = jnp.isinf(square)
    square = jnp.where(infinite, 1.0, square)
    total = nu + square
    half = jnp.full_like(total, 0.5)
    outer, _ = log_beta_tails(0.5 * nu, half, nu / total, square / total)
    outer = jnp.where(infinite, -jnp.inf, outer) - LOG_2
    # At most one half, whatever the rounding, so that the complement keeps its digits
    return jnp.where(z <= 0, outer, log1m_exp(jnp.minimum(outer, -LOG_2)))


def student_t_lcdf(y, nu, mu, sigma):
    return checked(_student_t_lower((y - mu) / sigma, nu), positive_finite(nu) & _valid(mu, sigma))


def student_t_lccdf(y, nu, mu, sigma):
    return checked(_student_t_lower((mu - y) / sigma, nu), positive_finite(nu) & _valid(mu, sigma))


def student_t_rng(key, nu, mu, sigma):
    return mu + sigma * jax.random.t(key, nu, mu.shape, mu.dtype)


def double_exponential_lpdf(y, mu, sigma):
    return checked(-jnp.abs(y - mu) / sigma - (jnp.log(sigma) + LOG_2), _valid(mu, sigma))


def _laplace_lower(z):
    outer = -jnp.abs(z) - LOG_2
    return jnp.where(z < 0, outer, jnp.log1p(-jnp.exp(outer)))


def double_exponential_lcdf(y, mu, sigma):
    return checked(_laplace_lower((y - mu) / sigma), _valid(mu, sigma))


def double_exponential_lccdf(y, mu, sigma):
    return checked(_laplace_lower((mu - y) / sigma), _valid(mu, sigma))


def double_exponential_rng(key, mu, sigma):
    return mu + sigma * jax.random.laplace(key, mu.shape, mu.dtype)


def _valid_skewed(mu, sigma, tau):
    return _valid(mu, sigma) & probability(tau)


def skew_double_exponential_lpdf(y, mu, sigma, tau):
    z = (y - mu) / sigma
    value = -2 * jnp.abs(z) * jnp.where(z < 0, 1 - tau, tau)
    return checked(value + (LOG_2 + jnp.log(tau) + jnp.log1p(-tau) - jnp.log(sigma)), _valid_skewed(mu, sigma, tau))


def _skewed_laplace_lower(z, tau):
    """Log P(Z < z) where the density falls by 2 (1 - tau) below and 2 tau above 0."""
    lower = jnp.log(tau) + 2 * (1 - tau) * jnp.minimum(z, 0.0)
    return jnp.where(z < 0, lower, jnp.log1p(-(1 - tau) * jnp.exp(-2 * tau * jnp.maximum(z, 0.0))))


def skew_double_exponential_lcdf(y, mu, sigma, tau):
    return checked(_skewed_laplace_lower((y - mu) / sigma, tau), _valid_skewed(mu, sigma, tau))


def skew_double_exponential_lccdf(y, mu, sigma, tau):
    return checked(_skewed_laplace_lower((mu - y) / sigma, 1 - tau), _valid_skewed(mu, sigma, tau))


def skew_double_exponential_rng(key, mu, sigma, tau):
    side_key, size_key = jax.random.split(key)
    below = jax.random.uniform(side_key, mu.shape, mu.dtype) < tau
    size = 0.5 * jax.random.exponential(size_key, mu.shape, mu.dtype)
    return mu + sigma * jnp.where(below, -size / (1 - tau), size / tau)


def logistic_lpdf(y, mu, sigma):
    z = jnp.abs(y - mu) / sigma
    return checked(-z - 2 * jnp.log1p(jnp.exp(-z)) - jnp.log(sigma), _valid(mu, sigma))


def logistic_lcdf(y, mu, sigma):
    return checked(-softplus((mu - y) / sigma), _valid(mu, sigma))


def logistic_lccdf(y, mu, sigma):
    return checked(-softplus((y - mu) / sigma), _valid(mu, sigma))


def logistic_rng(key, mu, sigma):
    return mu + sigma * jax.random.logistic(key, mu.shape, mu.dtype)


def gumbel_lpdf(y, mu, beta):
    z = (y - mu) / beta
    return checked(-z - jnp.exp(-z) - jnp.log(beta), _valid(mu, beta))


def gumbel_lcdf(y, mu, beta):
    return checked(-jnp.exp((mu - y) / beta), _valid(mu, beta))


def gumbel_lccdf(y, mu, beta):
    return checked(log1m_exp(-jnp.exp((mu - y) / beta)), _valid(mu, beta))


def gumbel_rng(key, mu, beta):
    return mu + beta * jax.random.gumbel(key, mu.shape, mu.dtype)


DISTRIBUTIONS = {
    "cauchy": univariate("real real real", cauchy_lpdf, lcdf=cauchy_lcdf, lccdf=cauchy_lccdf, rng=cauchy_rng),
    "student_t": univariate(
        "real real real real", student_t_lpdf, lcdf=student_t_lcdf, lccdf=student_t_lccdf, rng=student_t_rng
    ),
    "double_exponential": univariate(
        "real real real",
        double_exponential_lpdf,
        lcdf=double_exponential_lcdf,
        lccdf=double_exponential_lccdf,
        rng=double_exponential_rng,
    ),
    "skew_double_exponential": univariate(
        "real real real real",
        skew_double_exponential_lpdf,
        lcdf=skew_double_exponential_lcdf,
        lccdf=skew_double_exponential_lccdf,
        rng=skew_double_exponential_rng,
    ),
    "logistic": univariate("real real real", logistic_lpdf, lcdf=logistic_lcdf, lccdf=logistic_lccdf, rng=logistic_rng),
    "gumbel": univariate("real real real", gumbel_lpdf, lcdf=gumbel_lcdf, lccdf=gumbel_lccdf, rng=gumbel_rng),
}
