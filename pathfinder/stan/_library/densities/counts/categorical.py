"""Categories and counts of categories: categorical, multinomial, Dirichlet and their compound."""

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln

from pathfinder.stan._library.densities.distribution import Distribution, as_integers, as_reals
from pathfinder.stan._library.densities.validity import checked, is_simplex, positive_finite
from pathfinder.stan._library.numerics.gamma_ratios import log_rising
from pathfinder.stan._library.numerics.logarithms import xlogy


def _pick(y, log_theta, valid):
    y = jnp.asarray(y)
    size = log_theta.shape[0]
    return checked(log_theta[jnp.clip(y - 1, 0, size - 1)], valid, (y < 1) | (y > size))


def categorical_lpmf(y, theta):
    (theta,) = as_reals(theta)
    y = jnp.asarray(y)
    size = theta.shape[0]
    return checked(jnp.log(theta[jnp.clip(y - 1, 0, size - 1)]), is_simplex(theta), (y < 1) | (y > size))


def categorical_rng(key, theta):
    (theta,) = as_reals(theta)
    return 1 + as_integers(jax.random.categorical(key, jnp.log(theta)))


def categorical_logit_lpmf(y, beta):
    (beta,) = as_reals(beta)
    return _pick(y, jax.nn.log_softmax(beta), jnp.all(jnp.isfinite(beta)))


def categorical_logit_rng(key, beta):
    (beta,) = as_reals(beta)
    return 1 + as_integers(jax.random.categorical(key, beta))


def _log_orderings(n):
    """Log of the number of orders of the outcomes that give these counts."""
    return gammaln(jnp.sum(n) + 1) - jnp.sum(gammaln(n + 1))


def _counts(n, like):
    n = jnp.asarray(n, like.dtype)
    outside = n < 0
    return jnp.where(outside, 0.0, n), jnp.any(outside)


def multinomial_lpmf(n, theta):
    (theta,) = as_reals(theta)
    n, outside = _counts(n, theta)
    return checked(_log_orderings(n) + jnp.sum(xlogy(n, theta)), is_simplex(theta), outside)


def multinomial_logit_lpmf(n, gamma):
    (gamma,) = as_reals(gamma)
    n, outside = _counts(n, gamma)
    value = _log_orderings(n) + jnp.sum(n * jax.nn.log_softmax(gamma))
    return checked(value, jnp.all(jnp.isfinite(gamma)), outside)


def multinomial_rng(key, theta, size):
    """Counts by a chain of binomials, each of what is left."""
    (theta,) = as_reals(theta)
    keys = jax.random.split(key, theta.shape[0])
    # Sums from the end: what is left is not 1 minus what is gone.
    left = jnp.cumsum(theta[::-1])[::-1]
    shares = jnp.clip(theta / jnp.where(left > 0, left, 1.0), 0.0, 1.0).at[-1].set(1.0)

    def step(remaining, inputs):
        key, share = inputs
        drawn = jax.random.binomial(key, remaining, share, dtype=theta.dtype)
        return remaining - drawn, drawn

    return as_integers(jax.lax.scan(step, jnp.asarray(size, theta.dtype), (keys, shares))[1])


def multinomial_logit_rng(key, gamma, size):
    (gamma,) = as_reals(gamma)
    return multinomial_rng(key, jax.nn.softmax(gamma), size)


def dirichlet_lpdf(theta, alpha):
    theta, alpha = as_reals(theta, alpha)
    outside = ~is_simplex(theta) & ~jnp.any(jnp.isnan(theta))
    x = jnp.where(outside, 1.0, theta)
    value = gammaln(jnp.sum(alpha)) - jnp.sum(gammaln(alpha)) + jnp.sum(xlogy(alpha - 1, x))
    return checked(value, jnp.all(positive_finite(alpha)), outside)


def dirichlet_rng(key, alpha):
    (alpha,) = as_reals(alpha)
    return jax.nn.softmax(jax.random.loggamma(key, alpha, alpha.shape, alpha.dtype))


def dirichlet_multinomial_lpmf(n, alpha):
    (alpha,) = as_reals(alpha)
    n, outside = _counts(n, alpha)
    value = _log_orderings(n) + jnp.sum(log_rising(alpha, n)) - log_rising(jnp.sum(alpha), jnp.sum(n))
    return checked(value, jnp.all(positive_finite(alpha)), outside)


def dirichlet_multinomial_rng(key, alpha, size):
    first, second = jax.random.split(key)
    return multinomial_rng(second, dirichlet_rng(first, alpha), size)


DISTRIBUTIONS = {
    "categorical": Distribution(("int", "vector"), categorical_lpmf, "multivariate", rng=categorical_rng),
    "categorical_logit": Distribution(
        ("int", "vector"), categorical_logit_lpmf, "multivariate", rng=categorical_logit_rng
    ),
    "multinomial": Distribution(("ints", "vector"), multinomial_lpmf, "multivariate", rng=multinomial_rng),
    "multinomial_logit": Distribution(
        ("ints", "vector"), multinomial_logit_lpmf, "multivariate", rng=multinomial_logit_rng
    ),
    "dirichlet": Distribution(("vector", "vector"), dirichlet_lpdf, "multivariate", rng=dirichlet_rng),
    "dirichlet_multinomial": Distribution(
        ("ints", "vector"), dirichlet_multinomial_lpmf, "multivariate", rng=dirichlet_multinomial_rng
    ),
}
