"""Continuous families on an interval: beta, uniform, von Mises."""

import math

import jax
import jax.numpy as jnp
from jax.scipy.special import i0e

from pathfinder.stan._library.densities.distribution import univariate
from pathfinder.stan._library.densities.validity import checked, positive_finite
from pathfinder.stan._library.numerics.gamma_ratios import log_beta
from pathfinder.stan._library.numerics.incomplete_beta import log_beta_tails
from pathfinder.stan._library.numerics.logarithms import LOG_2_PI, xlog1py, xlogy
from pathfinder.stan._library.numerics.quadrature import integrate


def _both(alpha, beta):
    return positive_finite(alpha) & positive_finite(beta)


def beta_lpdf(y, alpha, beta):
    outside = (y < 0) | (y > 1)
    x = jnp.where(outside, 0.5, y)
    value = xlogy(alpha - 1, x) + xlog1py(beta - 1, -x) - log_beta(alpha, beta)
    return checked(value, _both(alpha, beta), outside)


def beta_lcdf(y, alpha, beta):
    return checked(log_beta_tails(alpha, beta, y, 1 - y)[0], _both(alpha, beta))


def beta_lccdf(y, alpha, beta):
    return checked(log_beta_tails(alpha, beta, y, 1 - y)[1], _both(alpha, beta))


def beta_rng(key, alpha, beta):
    first, second = jax.random.split(key)
    # In logs: for small shapes both gamma draws can underflow.
    u = jax.random.loggamma(first, alpha, alpha.shape, alpha.dtype)
    v = jax.random.loggamma(second, beta, beta.shape, beta.dtype)
    return jax.nn.sigmoid(u - v)


def _by_proportion(function):
    def reparametrised(y, mu, kappa):
        return checked(function(y, mu * kappa, (1 - mu) * kappa), (mu > 0) & (mu < 1) & positive_finite(kappa))

    return reparametrised


def beta_proportion_rng(key, mu, kappa):
    return beta_rng(key, mu * kappa, (1 - mu) * kappa)


def _interval(alpha, beta):
    return jnp.isfinite(alpha) & jnp.isfinite(beta) & (beta > alpha)


def uniform_lpdf(y, alpha, beta):
    value = jnp.zeros_like(y) - jnp.log(beta - alpha)
    return checked(jnp.where(jnp.isnan(y), y, value), _interval(alpha, beta), (y < alpha) | (y > beta))


def uniform_lcdf(y, alpha, beta):
    none = y <= alpha
    inside = jnp.where(none, 1.0, jnp.minimum(y, beta) - alpha)
    return checked(jnp.log(inside) - jnp.log(beta - alpha), _interval(alpha, beta), none)


def uniform_lccdf(y, alpha, beta):
    none = y >= beta
    inside = jnp.where(none, 1.0, beta - jnp.maximum(y, alpha))
    return checked(jnp.log(inside) - jnp.log(beta - alpha), _interval(alpha, beta), none)


def uniform_rng(key, alpha, beta):
    return alpha + (beta - alpha) * jax.random.uniform(key, alpha.shape, alpha.dtype)


def _valid(mu, kappa):
    return jnp.isfinite(mu) & (kappa >= 0) & (kappa < jnp.inf)


def von_mises_lpdf(y, mu, kappa):
    # kappa (cos(y - mu) - 1), for a concentrated distribution, where log I_0 is about kappa
    half = jnp.sin(0.5 * (y - mu))
    value = -2 * kappa * jnp.square(half) - LOG_2_PI - jnp.log(i0e(kappa))
    return checked(value, _valid(mu, kappa), jnp.isinf(y))


def _centred_von_mises_cdf(u, kappa):
    """Probability between -pi and u, for |u| <= pi and mean direction 0."""
    # Where 2 kappa sin(u/2)^2 exceeds 40 the density is below rounding.
    window = jax.lax.stop_gradient(2 * jnp.arcsin(jnp.sqrt(20 / jnp.maximum(kappa, 20.0))))

    def density(t):
        half = jnp.sin(0.5 * t)
        return jnp.exp(-2 * kappa * jnp.square(half))

    end = jnp.minimum(jnp.abs(u), window)
    inner = integrate(density, jnp.zeros_like(end), end) / (2 * math.pi * i0e(kappa))
    return 0.5 + jnp.sign(u) * inner


def _log_von_mises_cdf(y, mu, kappa):
    y, mu, kappa = jnp.broadcast_arrays(y, mu, kappa)
    y = jnp.clip(y, -math.pi, math.pi)
    offset = y - mu
    turns = jnp.floor((offset + math.pi) / (2 * math.pi))
    first_turns = jnp.floor((math.pi - mu - math.pi) / (2 * math.pi))
    start = -math.pi - mu - 2 * math.pi * first_turns
    upper = _centred_von_mises_cdf(offset - 2 * math.pi * turns, kappa) + turns
    lower = _centred_von_mises_cdf(start, kappa) + first_turns
    return jnp.log(jnp.clip(upper - lower, 0.0, 1.0))


def von_mises_lcdf(y, mu, kappa):
    return checked(_log_von_mises_cdf(y, mu, kappa), _valid(mu, kappa))


def von_mises_lccdf(y, mu, kappa):
    # By symmetry the upper tail is the lower one of the reflection, and keeps its digits.
    return checked(_log_von_mises_cdf(-y, -mu, kappa), _valid(mu, kappa))


def von_mises_rng(key, mu, kappa):
    """Wrapped-Cauchy rejection (Best and Fisher, 1979); the draw lies within pi of `mu`, as Stan's does."""
    kappa = jnp.maximum(kappa, 1e-8)  # as good as uniform
    tau = 1 + jnp.sqrt(1 + 4 * kappa * kappa)
    rho = 2 * kappa / (tau + jnp.sqrt(2 * tau))  # (tau - sqrt(2 tau)) / (2 kappa), without its cancellation
    bound = (1 + rho * rho) / (2 * rho)

    def propose(carry):
        key, angle, accepted = carry
        key, first, second, third = jax.random.split(key, 4)
        z = jnp.cos(math.pi * jax.random.uniform(first, mu.shape, mu.dtype))
        f = (1 + bound * z) / (bound + z)
        c = kappa * (bound - f)
        u = jax.random.uniform(second, mu.shape, mu.dtype, minval=jnp.finfo(mu.dtype).tiny)
        accept = jnp.log(c / u) + 1 - c >= 0
        sign = jnp.where(jax.random.bernoulli(third, 0.5, mu.shape), 1.0, -1.0)
        draw = sign.astype(mu.dtype) * jnp.arccos(jnp.clip(f, -1.0, 1.0))
        return key, jnp.where(accepted, angle, draw), accepted | accept | jnp.isnan(c)

    start = (key, jnp.zeros_like(mu), jnp.zeros(mu.shape, bool))
    _, angle, _ = jax.lax.while_loop(lambda carry: ~jnp.all(carry[2]), propose, start)
    return jnp.where(_valid(mu, kappa), mu + angle, jnp.nan)


DISTRIBUTIONS = {
    "beta": univariate("real real real", beta_lpdf, lcdf=beta_lcdf, lccdf=beta_lccdf, rng=beta_rng),
    "beta_proportion": univariate(
        "real real real",
        _by_proportion(beta_lpdf),
        lcdf=_by_proportion(beta_lcdf),
        lccdf=_by_proportion(beta_lccdf),
        rng=beta_proportion_rng,
    ),
    "uniform": univariate("real real real", uniform_lpdf, lcdf=uniform_lcdf, lccdf=uniform_lccdf, rng=uniform_rng),
    "von_mises": univariate(
        "real real real", von_mises_lpdf, lcdf=von_mises_lcdf, lccdf=von_mises_lccdf, rng=von_mises_rng
    ),
}
