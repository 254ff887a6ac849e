"""The gamma distribution and its relatives: inverse gamma and the three chi-squares."""

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln

from pathfinder.stan._library.densities.distribution import univariate
from pathfinder.stan._library.densities.validity import checked, positive_finite
from pathfinder.stan._library.numerics.incomplete_gamma import log_gamma_tails
from pathfinder.stan._library.numerics.logarithms import xlogy


def _both(alpha, beta):
    return positive_finite(alpha) & positive_finite(beta)


def gamma_lpdf(y, alpha, beta):
    outside = y < 0
    x = jnp.where(outside, 1.0, y)
    value = alpha * jnp.log(beta) - gammaln(alpha) + xlogy(alpha - 1, x) - beta * x
    return checked(value, _both(alpha, beta), outside)


def gamma_lcdf(y, alpha, beta):
    return checked(log_gamma_tails(alpha, beta * y)[0], _both(alpha, beta))


def gamma_lccdf(y, alpha, beta):
    return checked(log_gamma_tails(alpha, beta * y)[1], _both(alpha, beta))


def gamma_rng(key, alpha, beta):
    # Drawn in logs, and a shape below 1 does not lose its small draws before the division.
    return jnp.exp(jax.random.loggamma(key, alpha, alpha.shape, alpha.dtype) - jnp.log(beta))


def _reciprocal(y):
    none = y <= 0
    return 1 / jnp.where(none, 1.0, y), none


def inv_gamma_lpdf(y, alpha, beta):
    inverse, none = _reciprocal(y)
    value = alpha * jnp.log(beta) - gammaln(alpha) + (alpha + 1) * jnp.log(inverse) - beta * inverse
    return checked(value, _both(alpha, beta), none)


def inv_gamma_lcdf(y, alpha, beta):
    inverse, none = _reciprocal(y)
    return checked(log_gamma_tails(alpha, beta * inverse)[1], _both(alpha, beta), none)


def inv_gamma_lccdf(y, alpha, beta):
    inverse, none = _reciprocal(y)
    return checked(jnp.where(none, 0.0, log_gamma_tails(alpha, beta * inverse)[0]), _both(alpha, beta))


def inv_gamma_rng(key, alpha, beta):
    return 1 / gamma_rng(key, alpha, beta)


def _chi_square(function):
    return lambda y, nu: function(y, 0.5 * nu, jnp.full_like(nu, 0.5))


def _scaled_inv_chi_square(function):
    return lambda y, nu, s: checked(function(y, 0.5 * nu, 0.5 * nu * s * s), positive_finite(s))


def chi_square_rng(key, nu):
    return gamma_rng(key, 0.5 * nu, jnp.full_like(nu, 0.5))


def inv_chi_square_rng(key, nu):
    return 1 / chi_square_rng(key, nu)


def scaled_inv_chi_square_rng(key, nu, s):
    return inv_gamma_rng(key, 0.5 * nu, 0.5 * nu * s * s)


DISTRIBUTIONS = {
    "gamma": univariate("real real real", gamma_lpdf, lcdf=gamma_lcdf, lccdf=gamma_lccdf, rng=gamma_rng),
    "inv_gamma": univariate(
        "real real real", inv_gamma_lpdf, lcdf=inv_gamma_lcdf, lccdf=inv_gamma_lccdf, rng=inv_gamma_rng
    ),
    "chi_square": univariate(
        "real real",
        _chi_square(gamma_lpdf),
        lcdf=_chi_square(gamma_lcdf),
        lccdf=_chi_square(gamma_lccdf),
        rng=chi_square_rng,
    ),
    "inv_chi_square": univariate(
        "real real",
        _chi_square(inv_gamma_lpdf),
        lcdf=_chi_square(inv_gamma_lcdf),
        lccdf=_chi_square(inv_gamma_lccdf),
        rng=inv_chi_square_rng,
    ),
    "scaled_inv_chi_square": univariate(
        "real real real",
        _scaled_inv_chi_square(inv_gamma_lpdf),
        lcdf=_scaled_inv_chi_square(inv_gamma_lcdf),
        lccdf=_scaled_inv_chi_square(inv_gamma_lccdf),
        rng=scaled_inv_chi_square_rng,
    ),
}
