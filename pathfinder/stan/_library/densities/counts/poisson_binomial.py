"""The number of successes in trials with different chances."""

import jax
import jax.numpy as jnp

from pathfinder.stan._library.densities.distribution import Distribution, as_reals
from pathfinder.stan._library.densities.validity import checked, probability
from pathfinder.stan._library.numerics.logarithms import log_add_exp


def _log_masses(theta):
    """Log masses of 0, 1, ..., one for each number of successes, trial after trial (Barlow and Heidtmann, 1984)."""
    size = theta.shape[0]
    never, always = theta <= 0, theta >= 1
    log_success = jnp.where(never, -jnp.inf, jnp.log(jnp.where(never, 1.0, theta)))
    log_failure = jnp.where(always, -jnp.inf, jnp.log1p(-jnp.where(always, 0.0, theta)))
    nothing = jnp.full(1, -jnp.inf, theta.dtype)

    def trial(log_masses, logs):
        success, failure = logs
        one_more = jnp.concatenate([nothing, log_masses[:-1]])
        return log_add_exp(log_masses + failure, one_more + success), None

    start = jnp.where(jnp.arange(size + 1) == 0, 0.0, -jnp.inf).astype(theta.dtype)
    return jax.lax.scan(trial, start, (log_success, log_failure))[0]


def _valid(theta):
    return jnp.all(probability(theta))


def poisson_binomial_lpmf(n, theta):
    (theta,) = as_reals(theta)
    n = jnp.asarray(n)
    size = theta.shape[0]
    value = _log_masses(jnp.clip(theta, 0.0, 1.0))[jnp.clip(n, 0, size)]
    return checked(value, _valid(theta), (n < 0) | (n > size))


def _log_sum(theta, included):
    """Log of the sum of the masses that are included, at most 0."""
    log_masses = jnp.where(included, _log_masses(jnp.clip(theta, 0.0, 1.0)), -jnp.inf)
    largest = jax.lax.stop_gradient(jnp.max(log_masses))
    none = largest == -jnp.inf
    total = jnp.sum(jnp.exp(log_masses - jnp.where(none, 0.0, largest)))
    value = jnp.where(none, -jnp.inf, largest + jnp.log(jnp.where(none, 1.0, total)))
    return checked(jnp.minimum(value, 0.0), _valid(theta))


def poisson_binomial_lcdf(n, theta):
    (theta,) = as_reals(theta)
    return _log_sum(theta, jnp.arange(theta.shape[0] + 1) <= n)


def poisson_binomial_lccdf(n, theta):
    (theta,) = as_reals(theta)
    return _log_sum(theta, jnp.arange(theta.shape[0] + 1) > n)


def poisson_binomial_cdf(n, theta):
    return jnp.exp(poisson_binomial_lcdf(n, theta))


def poisson_binomial_rng(key, theta):
    (theta,) = as_reals(theta)
    successes = jax.random.uniform(key, theta.shape, theta.dtype) < theta
    return jnp.where(_valid(theta), jnp.sum(successes, dtype=int), -1)


DISTRIBUTIONS = {
    "poisson_binomial": Distribution(
        ("int", "vector"),
        poisson_binomial_lpmf,
        "multivariate",
        cdf=poisson_binomial_cdf,
        lcdf=poisson_binomial_lcdf,
        lccdf=poisson_binomial_lccdf,
        rng=poisson_binomial_rng,
    ),
}
