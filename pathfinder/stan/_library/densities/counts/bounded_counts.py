"""Counts with an upper bound: Bernoulli, binomial, beta-binomial, hypergeometric, discrete uniform."""

import jax
import jax.numpy as jnp

from pathfinder.stan._library.densities.continuous.bounded import beta_rng
from pathfinder.stan._library.densities.counts.mass_sums import log_sum_below
from pathfinder.stan._library.densities.distribution import as_integers, univariate
from pathfinder.stan._library.densities.validity import checked, positive_finite, probability
from pathfinder.stan._library.numerics.gamma_ratios import log_choose, log_rising
from pathfinder.stan._library.numerics.incomplete_beta import log_beta_tails
from pathfinder.stan._library.numerics.logarithms import softplus, xlog1py, xlogy


def _not_binary(n):
    return (n != 0) & (n != 1)


def bernoulli_lpmf(n, theta):
    success = n == 1
    # Each branch sees a harmless value where it is not taken.
    value = jnp.where(success, jnp.log(jnp.where(success, theta, 0.5)), jnp.log1p(-jnp.where(success, 0.5, theta)))
    return checked(value, probability(theta), _not_binary(n))


def _log_failure(n, theta):
    """log(1 - theta) where 0 <= n < 1, and 0 elsewhere."""
    inside = (n >= 0) & (n < 1)
    return jnp.log1p(-jnp.where(inside, theta, 0.0))


def bernoulli_lcdf(n, theta):
    return checked(_log_failure(n, theta), probability(theta), n < 0)


def bernoulli_lccdf(n, theta):
    inside = (n >= 0) & (n < 1)
    return checked(jnp.log(jnp.where(inside, theta, 1.0)), probability(theta), n >= 1)


def bernoulli_rng(key, theta):
    return as_integers(jax.random.uniform(key, theta.shape, theta.dtype) < theta)


def bernoulli_logit_lpmf(n, alpha):
    return checked(-softplus((1 - 2 * n) * alpha), ~jnp.isnan(alpha), _not_binary(n))


def bernoulli_logit_rng(key, alpha):
    return bernoulli_rng(key, jax.nn.sigmoid(alpha))


def _outside(n, size):
    return (n < 0) | (n > size)


def _inside(n, size):
    """The outcome, replaced by 0 where it is outside 0..size, and where that is."""
    outside = _outside(n, size)
    return jnp.where(outside, 0.0, n), outside


def binomial_lpmf(n, size, theta):
    k, outside = _inside(n, size)
    value = log_choose(size, k) + xlogy(k, theta) + xlog1py(size - k, -theta)
    return checked(value, (size >= 0) & probability(theta), outside)


def _binomial_tails(n, size, theta):
    certain, impossible = n >= size, n < 0
    k = jnp.where(certain | impossible, 0.0, n)
    size = jnp.where(certain | impossible, 1.0, size)
    lower, upper = log_beta_tails(size - k, k + 1, 1 - theta, theta)
    return (
        jnp.where(certain, 0.0, jnp.where(impossible, -jnp.inf, lower)),
        jnp.where(certain, -jnp.inf, jnp.where(impossible, 0.0, upper)),
    )


def binomial_lcdf(n, size, theta):
    return checked(_binomial_tails(n, size, theta)[0], (size >= 0) & probability(theta))


def binomial_lccdf(n, size, theta):
    return checked(_binomial_tails(n, size, theta)[1], (size >= 0) & probability(theta))


def binomial_rng(key, size, theta):
    valid = (size >= 0) & probability(theta)
    draws = jax.random.binomial(key, jnp.where(valid, size, 0.0), jnp.where(valid, theta, 0.5), dtype=theta.dtype)
    return as_integers(jnp.where(valid, draws, -1))


def binomial_logit_lpmf(n, size, alpha):
    k, outside = _inside(n, size)
    return checked(log_choose(size, k) + binomial_logit_kernel(k, size, alpha), size >= 0, outside)


def binomial_logit_kernel(k, size, alpha):
    """The part of the log mass that depends on the log odds."""
    return -k * softplus(-alpha) - (size - k) * softplus(alpha)


def _beta_binomial_valid(size, alpha, beta):
    return (size >= 0) & positive_finite(alpha) & positive_finite(beta)


def beta_binomial_lpmf(n, size, alpha, beta):
    k, outside = _inside(n, size)
    # Rising factorials: between the beta functions of large shapes all digits would cancel.
    value = log_choose(size, k) + log_rising(alpha, k) + log_rising(beta, size - k) - log_rising(alpha + beta, size)
    return checked(value, _beta_binomial_valid(size, alpha, beta), outside)


def beta_binomial_lcdf(n, size, alpha, beta):
    n, size, alpha, beta = jnp.broadcast_arrays(n, size, alpha, beta)
    impossible, certain = n < 0, n >= size
    k = jnp.where(impossible | certain, 0.0, jnp.floor(n))

    def ratio(j, size, alpha, beta):
        return (j + 1) * (size - j - 1 + beta) / ((size - j) * (j + alpha))

    lower = beta_binomial_lpmf(k, size, alpha, beta) + log_sum_below(ratio, k, (size, alpha, beta))
    value = jnp.where(certain, 0.0, jnp.where(impossible, -jnp.inf, jnp.minimum(lower, 0.0)))
    return checked(value, _beta_binomial_valid(size, alpha, beta))


def beta_binomial_lccdf(n, size, alpha, beta):
    # More than n successes are at most size - n - 1 failures.
    return beta_binomial_lcdf(size - jnp.floor(n) - 1, size, beta, alpha)


def beta_binomial_rng(key, size, alpha, beta):
    first, second = jax.random.split(key)
    return binomial_rng(second, size, beta_rng(first, alpha, beta))


def hypergeometric_lpmf(n, draws, a, b):
    outside = (n < jnp.maximum(0.0, draws - b)) | (n > jnp.minimum(a, draws))
    k = jnp.where(outside, jnp.maximum(0.0, draws - b), n)
    value = log_choose(a, k) + log_choose(b, draws - k) - log_choose(a + b, draws)
    return checked(value, (draws >= 0) & (a >= 0) & (b >= 0) & (draws <= a + b), outside)


def hypergeometric_rng(key, draws, a, b):
    """Successes among the first `draws` balls of an urn, one ball per step of a loop."""

    def unfinished(carry):
        return jnp.any(carry[0] < draws)

    def draw_one(carry):
        i, key, count = carry
        key, use = jax.random.split(key)
        success = jax.random.uniform(use, a.shape, a.dtype) * (a + b - i) < a - count
        return i + 1, key, count + ((i < draws) & success).astype(a.dtype)

    start = (jnp.zeros((), a.dtype), key, jnp.zeros_like(a))
    return as_integers(jax.lax.while_loop(unfinished, draw_one, start)[2])


def discrete_range_lpmf(n, lower, upper):
    size = jnp.where(upper < lower, 1.0, upper - lower + 1)
    return checked(jnp.zeros_like(n) - jnp.log(size), upper >= lower, (n < lower) | (n > upper))


def discrete_range_lcdf(n, lower, upper):
    size = jnp.where(upper < lower, 1.0, upper - lower + 1)
    count = jnp.minimum(n, upper) - lower + 1
    none = count <= 0
    return checked(jnp.log(jnp.where(none, 1.0, count)) - jnp.log(size), upper >= lower, none)


def discrete_range_lccdf(n, lower, upper):
    return discrete_range_lcdf(-n - 1, -upper, -lower)


def discrete_range_rng(key, lower, upper):
    size = upper - lower + 1
    step = jnp.floor(size * jax.random.uniform(key, lower.shape, lower.dtype))
    return as_integers(lower + jnp.minimum(step, size - 1))


DISTRIBUTIONS = {
    "bernoulli": univariate("int real", bernoulli_lpmf, lcdf=bernoulli_lcdf, lccdf=bernoulli_lccdf, rng=bernoulli_rng),
    "bernoulli_logit": univariate("int real", bernoulli_logit_lpmf, rng=bernoulli_logit_rng),
    "binomial": univariate("int int real", binomial_lpmf, lcdf=binomial_lcdf, lccdf=binomial_lccdf, rng=binomial_rng),
    "binomial_logit": univariate("int int real", binomial_logit_lpmf),
    "beta_binomial": univariate(
        "int int real real",
        beta_binomial_lpmf,
        lcdf=beta_binomial_lcdf,
        lccdf=beta_binomial_lccdf,
        rng=beta_binomial_rng,
    ),
    "hypergeometric": univariate("int int int int", hypergeometric_lpmf, rng=hypergeometric_rng),
    "discrete_range": univariate(
        "int int int",
        discrete_range_lpmf,
        lcdf=discrete_range_lcdf,
        lccdf=discrete_range_lccdf,
        rng=discrete_range_rng,
    ),
}
