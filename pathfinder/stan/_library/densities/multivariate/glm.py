"""Generalised linear models: a density at alpha + x beta, as one function of the whole data set.

`x` is a matrix of one row per observation, or a row vector, the same for all; `y`, `alpha` and the dispersion are
scalars, the same for all, or have one element per observation.
"""

import jax
import jax.numpy as jnp

from pathfinder.stan._library.densities.continuous.normal import normal_lpdf
from pathfinder.stan._library.densities.counts.bounded_counts import (
    bernoulli_logit_lpmf,
    bernoulli_logit_rng,
    binomial_logit_lpmf,
)
from pathfinder.stan._library.densities.counts.ordinal import ordered_logistic_elements
from pathfinder.stan._library.densities.counts.unbounded_counts import neg_binomial_2_log_lpmf, poisson_log_lpmf
from pathfinder.stan._library.densities.distribution import Distribution, as_reals
from pathfinder.stan._library.densities.validity import checked


def _summed(density, y, x, alpha, beta, *rest):
    """Sum of an elementwise density over the observations that the arguments together have."""
    x, alpha, beta = as_reals(x, alpha, beta)
    total = jnp.sum(density(y, alpha + x @ beta, *rest))
    return jnp.where(jnp.all(jnp.isfinite(beta)) & jnp.all(jnp.isfinite(alpha)), total, jnp.nan)


def bernoulli_logit_glm_lpmf(y, x, alpha, beta):
    y, x, alpha, beta = as_reals(y, x, alpha, beta)
    return _summed(bernoulli_logit_lpmf, y, x, alpha, beta)


def bernoulli_logit_glm_rng(key, x, alpha, beta):
    x, alpha, beta = as_reals(x, alpha, beta)
    return bernoulli_logit_rng(key, jnp.atleast_1d(alpha + x @ beta))


def binomial_logit_glm_lpmf(y, size, x, alpha, beta):
    y, size, x, alpha, beta = as_reals(y, size, x, alpha, beta)

    def density(y, eta):
        return binomial_logit_lpmf(y, size, eta)

    return _summed(density, y, x, alpha, beta)


def poisson_log_glm_lpmf(y, x, alpha, beta):
    y, x, alpha, beta = as_reals(y, x, alpha, beta)
    return _summed(poisson_log_lpmf, y, x, alpha, beta)


def neg_binomial_2_log_glm_lpmf(y, x, alpha, beta, phi):
    y, x, alpha, beta, phi = as_reals(y, x, alpha, beta, phi)
    return _summed(neg_binomial_2_log_lpmf, y, x, alpha, beta, phi)


def normal_id_glm_lpdf(y, x, alpha, beta, sigma):
    y, x, alpha, beta, sigma = as_reals(y, x, alpha, beta, sigma)
    return _summed(normal_lpdf, y, x, alpha, beta, sigma)


def ordered_logistic_glm_lpmf(y, x, beta, cuts):
    x, beta, cuts = as_reals(x, beta, cuts)
    y, eta = jnp.broadcast_arrays(jnp.asarray(y), x @ beta)
    return jnp.sum(ordered_logistic_elements(y, eta, cuts))


def categorical_logit_glm_lpmf(y, x, alpha, beta):
    """`beta` has one column per category, `alpha` one element."""
    x, alpha, beta = as_reals(x, alpha, beta)
    log_theta = jax.nn.log_softmax(alpha + jnp.atleast_2d(x) @ beta, axis=-1)
    y = jnp.atleast_1d(jnp.asarray(y))
    y, rows = jnp.broadcast_arrays(y, jnp.arange(log_theta.shape[0]))
    size = log_theta.shape[1]
    valid = jnp.all(jnp.isfinite(alpha)) & jnp.all(jnp.isfinite(beta))
    return jnp.sum(checked(log_theta[rows, jnp.clip(y - 1, 0, size - 1)], valid, (y < 1) | (y > size)))


def _whole(arguments, log_density, **functions):
    return Distribution(tuple(arguments.split()), log_density, "whole", **functions)


DISTRIBUTIONS = {
    "bernoulli_logit_glm": _whole("ints matrix vector vector", bernoulli_logit_glm_lpmf, rng=bernoulli_logit_glm_rng),
    "binomial_logit_glm": _whole("ints ints matrix vector vector", binomial_logit_glm_lpmf),
    "poisson_log_glm": _whole("ints matrix vector vector", poisson_log_glm_lpmf),
    "neg_binomial_2_log_glm": _whole("ints matrix vector vector reals", neg_binomial_2_log_glm_lpmf),
    "normal_id_glm": _whole("vector matrix vector vector reals", normal_id_glm_lpdf),
    "ordered_logistic_glm": _whole("ints matrix vector vector", ordered_logistic_glm_lpmf),
    "categorical_logit_glm": _whole("ints matrix vector matrix", categorical_logit_glm_lpmf),
}
