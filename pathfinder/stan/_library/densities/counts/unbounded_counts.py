"""Counts without an upper bound: Poisson, negative binomial, beta negative binomial, Yule-Simon."""

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln

from pathfinder.stan._library.densities.continuous.bounded import beta_rng
from pathfinder.stan._library.densities.continuous.gamma import gamma_rng
from pathfinder.stan._library.densities.counts.mass_sums import log_sum_below
from pathfinder.stan._library.densities.distribution import as_integers, univariate
from pathfinder.stan._library.densities.validity import checked, positive_finite
from pathfinder.stan._library.numerics.gamma_ratios import log_beta, log_rising
from pathfinder.stan._library.numerics.incomplete_beta import log_beta_tails
from pathfinder.stan._library.numerics.incomplete_gamma import log_gamma_tails
from pathfinder.stan._library.numerics.logarithms import log1m_exp, softplus, xlogy
from pathfinder.stan._library.numerics.random_keys import as_of_jax


def _count(n):
    """The outcome, replaced by 0 where negative, and where that is."""
    outside = n < 0
    return jnp.where(outside, 0.0, n), outside


def _is_rate(rate):
    return (rate >= 0) & (rate < jnp.inf)


def poisson_lpmf(n, rate):
    k, outside = _count(n)
    return checked(xlogy(k, rate) - rate - gammaln(k + 1), _is_rate(rate), outside)


def poisson_lcdf(n, rate):
    k, outside = _count(jnp.floor(n))
    return checked(log_gamma_tails(k + 1, rate)[1], _is_rate(rate), outside)


def poisson_lccdf(n, rate):
    k, outside = _count(jnp.floor(n))
    return checked(jnp.where(outside, 0.0, log_gamma_tails(k + 1, rate)[0]), _is_rate(rate))


def poisson_rng(key, rate):
    valid = _is_rate(rate)
    return jnp.where(valid, jax.random.poisson(as_of_jax(key), jnp.where(valid, rate, 0.0), dtype=int), -1)


def poisson_log_lpmf(n, eta):
    k, outside = _count(n)
    return checked(poisson_log_kernel(k, eta) - gammaln(k + 1), ~jnp.isnan(eta), outside)


def poisson_log_kernel(k, eta):
    """The part of the log mass that depends on the log rate."""
    return k * eta - jnp.exp(eta)


def poisson_log_rng(key, eta):
    return poisson_rng(key, jnp.exp(eta))


def neg_binomial_lpmf(n, alpha, beta):
    k, outside = _count(n)
    value = log_rising(alpha, k) - gammaln(k + 1) - alpha * jnp.log1p(1 / beta) - k * jnp.log1p(beta)
    return checked(value, positive_finite(alpha) & positive_finite(beta), outside)


def neg_binomial_lcdf(n, alpha, beta):
    k, outside = _count(jnp.floor(n))
    value = log_beta_tails(alpha, k + 1, beta / (1 + beta), 1 / (1 + beta))[0]
    return checked(value, positive_finite(alpha) & positive_finite(beta), outside)


def neg_binomial_lccdf(n, alpha, beta):
    k, outside = _count(jnp.floor(n))
    value = log_beta_tails(alpha, k + 1, beta / (1 + beta), 1 / (1 + beta))[1]
    return checked(jnp.where(outside, 0.0, value), positive_finite(alpha) & positive_finite(beta))


def neg_binomial_rng(key, alpha, beta):
    first, second = jax.random.split(key)
    return poisson_rng(second, gamma_rng(first, alpha, beta))


def neg_binomial_2_lpmf(n, mu, phi):
    k, outside = _count(n)
    value = log_rising(phi, k) - gammaln(k + 1) + xlogy(k, mu) - k * jnp.log(mu + phi) - phi * jnp.log1p(mu / phi)
    return checked(value, positive_finite(mu) & positive_finite(phi), outside)


def neg_binomial_2_lcdf(n, mu, phi):
    return neg_binomial_lcdf(n, phi, phi / mu)


def neg_binomial_2_lccdf(n, mu, phi):
    return neg_binomial_lccdf(n, phi, phi / mu)


def neg_binomial_2_rng(key, mu, phi):
    return neg_binomial_rng(key, phi, phi / mu)


def neg_binomial_2_log_lpmf(n, eta, phi):
    k, outside = _count(n)
    value = log_rising(phi, k) - gammaln(k + 1) + neg_binomial_2_log_kernel(k, eta, phi)
    return checked(value, jnp.isfinite(eta) & positive_finite(phi), outside)


def neg_binomial_2_log_kernel(k, eta, phi):
    """The part of the log mass that depends on the log mean."""
    log_odds = eta - jnp.log(phi)
    return -k * softplus(-log_odds) - phi * softplus(log_odds)


def neg_binomial_2_log_rng(key, eta, phi):
    return neg_binomial_2_rng(key, jnp.exp(eta), phi)


def _three_shapes(r, alpha, beta):
    return positive_finite(r) & positive_finite(alpha) & positive_finite(beta)


def beta_neg_binomial_lpmf(n, r, alpha, beta):
    k, outside = _count(n)
    # lbeta(n + r, alpha + beta) - lbeta(r, alpha) + lgamma(n + beta) - lgamma(beta), in rising factorials
    value = log_rising(r, k) + log_rising(beta, k) - log_rising(r + alpha + beta, k) - gammaln(k + 1)
    value = value + log_rising(alpha, r) - log_rising(alpha + beta, r)
    return checked(value, _three_shapes(r, alpha, beta), outside)


def beta_neg_binomial_lcdf(n, r, alpha, beta):
    n, r, alpha, beta = jnp.broadcast_arrays(jnp.floor(n), r, alpha, beta)
    k, outside = _count(n)

    def ratio(j, r, alpha, beta):
        return (j + 1) * (r + alpha + beta + j) / ((r + j) * (beta + j))

    value = beta_neg_binomial_lpmf(k, r, alpha, beta) + log_sum_below(ratio, k, (r, alpha, beta))
    return checked(jnp.minimum(value, 0.0), _three_shapes(r, alpha, beta), outside)


def beta_neg_binomial_lccdf(n, r, alpha, beta):
    none = n < 0
    lower = beta_neg_binomial_lcdf(jnp.where(none, 0.0, n), r, alpha, beta)
    return checked(jnp.where(none, 0.0, log1m_exp(lower)), _three_shapes(r, alpha, beta))


def beta_neg_binomial_rng(key, r, alpha, beta):
    first, second = jax.random.split(key)
    p = beta_rng(first, alpha, beta)
    return neg_binomial_rng(second, r, p / (1 - p))


def _from_one(n):
    outside = n < 1
    return jnp.where(outside, 1.0, n), outside


def yule_simon_lpmf(n, alpha):
    k, outside = _from_one(n)
    return checked(jnp.log(alpha) + log_beta(k, alpha + 1), positive_finite(alpha), outside)


def yule_simon_lccdf(n, alpha):
    k, outside = _from_one(jnp.floor(n))
    return checked(jnp.where(outside, 0.0, jnp.log(k) + log_beta(k, alpha + 1)), positive_finite(alpha))


def yule_simon_lcdf(n, alpha):
    k, outside = _from_one(n)
    return checked(log1m_exp(yule_simon_lccdf(k, alpha)), positive_finite(alpha), outside)


def yule_simon_rng(key, alpha):
    first, second = jax.random.split(key)
    rate = jax.random.exponential(first, alpha.shape, alpha.dtype) / alpha
    # Geometric with success probability exp(-rate)
    wait = jax.random.exponential(second, alpha.shape, alpha.dtype) / -log1m_exp(-rate)
    return as_integers(jnp.ceil(wait))


DISTRIBUTIONS = {
    "poisson": univariate("int real", poisson_lpmf, lcdf=poisson_lcdf, lccdf=poisson_lccdf, rng=poisson_rng),
    "poisson_log": univariate("int real", poisson_log_lpmf, rng=poisson_log_rng),
    "neg_binomial": univariate(
        "int real real", neg_binomial_lpmf, lcdf=neg_binomial_lcdf, lccdf=neg_binomial_lccdf, rng=neg_binomial_rng
    ),
    "neg_binomial_2": univariate(
        "int real real",
        neg_binomial_2_lpmf,
        lcdf=neg_binomial_2_lcdf,
        lccdf=neg_binomial_2_lccdf,
        rng=neg_binomial_2_rng,
    ),
    "neg_binomial_2_log": univariate("int real real", neg_binomial_2_log_lpmf, rng=neg_binomial_2_log_rng),
    "beta_neg_binomial": univariate(
        "int real real real",
        beta_neg_binomial_lpmf,
        lcdf=beta_neg_binomial_lcdf,
        lccdf=beta_neg_binomial_lccdf,
        rng=beta_neg_binomial_rng,
    ),
    "yule_simon": univariate(
        "int real", yule_simon_lpmf, lcdf=yule_simon_lcdf, lccdf=yule_simon_lccdf, rng=yule_simon_rng
    ),
}
