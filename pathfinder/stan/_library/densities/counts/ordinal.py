"""Ordered outcomes 1..K cut from a latent logistic or normal variable."""

import jax
import jax.numpy as jnp

from pathfinder.stan._library.densities.distribution import Distribution, as_reals
from pathfinder.stan._library.densities.validity import checked, is_increasing
from pathfinder.stan._library.numerics.logarithms import log1m_exp, softplus
from pathfinder.stan._library.numerics.normal_integral import log_ndtr, log_ndtr_difference


def _interval(y, cuts):
    """The cuts around category y, whether there is none below or above, and whether y is no category."""
    y = jnp.asarray(y)
    num_cuts = cuts.shape[0]
    lower = cuts[jnp.clip(y - 2, 0, num_cuts - 1)]
    upper = cuts[jnp.clip(y - 1, 0, num_cuts - 1)]
    return lower, upper, y <= 1, y >= num_cuts + 1, (y < 1) | (y > num_cuts + 1)


def ordered_logistic_elements(y, eta, cuts):
    """Log masses of outcomes `y` at predictors `eta`, arrays of one shape, for one vector of cuts."""
    if cuts.shape[0] == 0:
        return checked(jnp.zeros_like(eta), jnp.isfinite(eta), jnp.asarray(y) != 1)
    lower, upper, first, last, outside = _interval(y, cuts)
    width = jnp.where(first | last, -1.0, lower - upper)
    # Phi(u) - Phi(l) = Phi(u) (1 - Phi(l)) (1 - exp(l - u)) for the logistic function Phi
    below = jnp.where(last, 0.0, softplus(eta - upper))
    above = jnp.where(first, 0.0, softplus(lower - eta))
    value = -below - above + jnp.where(first | last, 0.0, log1m_exp(width))
    return checked(value, jnp.isfinite(eta) & is_increasing(cuts), outside)


def ordered_logistic_lpmf(y, eta, cuts):
    eta, cuts = as_reals(eta, cuts)
    return ordered_logistic_elements(y, eta, cuts)


def ordered_probit_lpmf(y, eta, cuts):
    eta, cuts = as_reals(eta, cuts)
    if cuts.shape[0] == 0:
        return checked(jnp.zeros_like(eta), jnp.isfinite(eta), jnp.asarray(y) != 1)
    lower, upper, first, last, outside = _interval(y, cuts)
    edge = first | last
    at_edge = log_ndtr(jnp.where(first, upper - eta, eta - lower))
    between = log_ndtr_difference(jnp.where(edge, -1.0, lower - eta), jnp.where(edge, 1.0, upper - eta))
    return checked(jnp.where(edge, at_edge, between), jnp.isfinite(eta) & is_increasing(cuts), outside)


def _cut(latent, cuts):
    return 1 + jnp.sum(latent > cuts, dtype=int)


def ordered_logistic_rng(key, eta, cuts):
    eta, cuts = as_reals(eta, cuts)
    return _cut(eta + jax.random.logistic(key, dtype=eta.dtype), cuts)


def ordered_probit_rng(key, eta, cuts):
    eta, cuts = as_reals(eta, cuts)
    return _cut(eta + jax.random.normal(key, dtype=eta.dtype), cuts)


DISTRIBUTIONS = {
    "ordered_logistic": Distribution(
        ("int", "real", "vector"), ordered_logistic_lpmf, "multivariate", rng=ordered_logistic_rng
    ),
    "ordered_probit": Distribution(
        ("int", "real", "vector"), ordered_probit_lpmf, "multivariate", rng=ordered_probit_rng
    ),
}
