"""Pareto distributions of the first and second type."""

import jax
import jax.numpy as jnp

from pathfinder.stan._library.densities.distribution import univariate
from pathfinder.stan._library.densities.validity import checked, positive_finite
from pathfinder.stan._library.numerics.logarithms import log1m_exp


def _valid(y_min, alpha):
    return positive_finite(y_min) & positive_finite(alpha)


def _log_excess(y, y_min):
    """log(y / y_min), 0 below y_min, and where it is below."""
    outside = y < y_min
    return jnp.where(outside, 0.0, jnp.log(jnp.where(outside, 1.0, y)) - jnp.log(y_min)), outside


def pareto_lpdf(y, y_min, alpha):
    log_ratio, outside = _log_excess(y, y_min)
    return checked(jnp.log(alpha) - jnp.log(y_min) - (alpha + 1) * log_ratio, _valid(y_min, alpha), outside)


def pareto_lcdf(y, y_min, alpha):
    log_ratio, _ = _log_excess(y, y_min)
    none = log_ratio <= 0
    return checked(log1m_exp(-alpha * jnp.where(none, 1.0, log_ratio)), _valid(y_min, alpha), none)


def pareto_lccdf(y, y_min, alpha):
    return checked(-alpha * _log_excess(y, y_min)[0], _valid(y_min, alpha))


def pareto_rng(key, y_min, alpha):
    return y_min * jnp.exp(jax.random.exponential(key, alpha.shape, alpha.dtype) / alpha)


def _valid_2(mu, scale, alpha):
    return jnp.isfinite(mu) & positive_finite(scale) & positive_finite(alpha)


def _log_excess_2(y, mu, scale):
    outside = y < mu
    return jnp.log1p(jnp.where(outside, 0.0, y - mu) / scale), outside


def pareto_type_2_lpdf(y, mu, scale, alpha):
    log_ratio, outside = _log_excess_2(y, mu, scale)
    return checked(jnp.log(alpha) - jnp.log(scale) - (alpha + 1) * log_ratio, _valid_2(mu, scale, alpha), outside)


def pareto_type_2_lcdf(y, mu, scale, alpha):
    log_ratio, _ = _log_excess_2(y, mu, scale)
    none = log_ratio <= 0
    return checked(log1m_exp(-alpha * jnp.where(none, 1.0, log_ratio)), _valid_2(mu, scale, alpha), none)


def pareto_type_2_lccdf(y, mu, scale, alpha):
    return checked(-alpha * _log_excess_2(y, mu, scale)[0], _valid_2(mu, scale, alpha))


def pareto_type_2_rng(key, mu, scale, alpha):
    return mu + scale * jnp.expm1(jax.random.exponential(key, alpha.shape, alpha.dtype) / alpha)


DISTRIBUTIONS = {
    "pareto": univariate("real real real", pareto_lpdf, lcdf=pareto_lcdf, lccdf=pareto_lccdf, rng=pareto_rng),
    "pareto_type_2": univariate(
        "real real real real",
        pareto_type_2_lpdf,
        lcdf=pareto_type_2_lcdf,
        lccdf=pareto_type_2_lccdf,
        rng=pareto_type_2_rng,
    ),
}
