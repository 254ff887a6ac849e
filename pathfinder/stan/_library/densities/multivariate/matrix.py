"""Covariance and correlation matrices and their Cholesky factors: Wishart, inverse Wishart, LKJ."""

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jax.scipy.special import gammaln

from pathfinder.gaussian._dense.cholesky import cholesky_factor
from pathfinder.stan._library.densities.continuous.bounded import beta_rng
from pathfinder.stan._library.densities.continuous.normal import lognormal_lpdf
from pathfinder.stan._library.densities.distribution import Distribution, as_reals
from pathfinder.stan._library.densities.validity import checked, positive_finite
from pathfinder.stan._library.numerics.gamma_ratios import log_multivariate_gamma
from pathfinder.stan._library.numerics.logarithms import LOG_2, LOG_PI


def _has_positive_diagonal(factor):
    """False also for the NaN that is the factor of an indefinite matrix."""
    return jnp.all(jnp.diagonal(factor) > 0)


def _log_jacobian(factor):
    """Log |d(L L') / dL| of a Cholesky factor, its lower triangle against that of the product."""
    size = factor.shape[0]
    powers = jnp.arange(size, 0, -1, dtype=factor.dtype)
    return size * LOG_2 + jnp.sum(powers * jnp.log(jnp.diagonal(factor)))


def _log_diagonal(factor):
    return jnp.sum(jnp.log(jnp.diagonal(factor)))


def _wishart_constant(size, nu):
    return -0.5 * nu * size * LOG_2 - log_multivariate_gamma(size, 0.5 * nu)


def _valid(nu, size, scale_factor):
    return (nu > size - 1) & (nu < jnp.inf) & _has_positive_diagonal(scale_factor)


def _wishart_by_factors(outcome, nu, scale):
    """Wishart log density of the matrix with Cholesky factor `outcome`."""
    size = outcome.shape[0]
    z = solve_triangular(scale, outcome, lower=True)
    value = (
        _wishart_constant(size, nu)
        - 0.5 * jnp.sum(jnp.square(z))
        + (nu - size - 1) * _log_diagonal(outcome)
        - nu * _log_diagonal(scale)
    )
    return checked(value, _valid(nu, size, scale), ~_has_positive_diagonal(outcome))


def _inv_wishart_by_factors(outcome, nu, scale):
    size = outcome.shape[0]
    z = solve_triangular(outcome, scale, lower=True)
    value = (
        _wishart_constant(size, nu)
        - 0.5 * jnp.sum(jnp.square(z))
        - (nu + size + 1) * _log_diagonal(outcome)
        + nu * _log_diagonal(scale)
    )
    return checked(value, _valid(nu, size, scale), ~_has_positive_diagonal(outcome))


def _safe_cholesky(matrix):
    """The Cholesky factor; -1 times the identity for an outcome that has none, whose density is then -inf."""
    factor = cholesky_factor(matrix)
    return jnp.where(_has_positive_diagonal(factor), factor, -jnp.eye(matrix.shape[0], dtype=matrix.dtype))


def wishart_lpdf(w, nu, scale):
    w, nu, scale = as_reals(w, nu, scale)
    return _wishart_by_factors(_safe_cholesky(w), nu, cholesky_factor(scale))


def wishart_cholesky_lpdf(factor, nu, scale_factor):
    factor, nu, scale_factor = as_reals(factor, nu, scale_factor)
    return _wishart_by_factors(factor, nu, scale_factor) + _log_jacobian(factor)


def inv_wishart_lpdf(w, nu, scale):
    w, nu, scale = as_reals(w, nu, scale)
    return _inv_wishart_by_factors(_safe_cholesky(w), nu, cholesky_factor(scale))


def inv_wishart_cholesky_lpdf(factor, nu, scale_factor):
    factor, nu, scale_factor = as_reals(factor, nu, scale_factor)
    return _inv_wishart_by_factors(factor, nu, scale_factor) + _log_jacobian(factor)


def _bartlett(key, nu, size):
    """Lower factor of a Wishart draw with the unit scale (Bartlett, 1933)."""
    first, second = jax.random.split(key)
    normal = jnp.tril(jax.random.normal(first, (size, size), nu.dtype), -1)
    shapes = 0.5 * (nu - jnp.arange(size, dtype=nu.dtype))
    roots = jnp.sqrt(2.0) * jnp.exp(0.5 * jax.random.loggamma(second, shapes, shapes.shape, nu.dtype))
    return normal + jnp.diag(roots.astype(nu.dtype))


def wishart_cholesky_rng(key, nu, scale_factor):
    nu, scale_factor = as_reals(nu, scale_factor)
    return scale_factor @ _bartlett(key, nu, scale_factor.shape[0])


def wishart_rng(key, nu, scale):
    nu, scale = as_reals(nu, scale)
    factor = wishart_cholesky_rng(key, nu, cholesky_factor(scale))
    return factor @ factor.T


def inv_wishart_rng(key, nu, scale):
    nu, scale = as_reals(nu, scale)
    bartlett = _bartlett(key, nu, scale.shape[0])
    # With scale L L' and unit Wishart B B', L (B B')^-1 L' has the law; B^-1 enters by a triangular solve.
    root = solve_triangular(bartlett, cholesky_factor(scale).T, lower=True)
    return root.T @ root


def inv_wishart_cholesky_rng(key, nu, scale_factor):
    nu, scale_factor = as_reals(nu, scale_factor)
    return cholesky_factor(inv_wishart_rng(key, nu, scale_factor @ scale_factor.T))


def _lkj_constant(size, eta):
    """Log of the normalising constant (Lewandowski, Kurowicka and Joe, 2009, equation 16)."""
    k = jnp.arange(1, size, dtype=eta.dtype)
    rest = size - 1
    return rest * gammaln(eta + 0.5 * rest) - jnp.sum(0.5 * k * LOG_PI + gammaln(eta + 0.5 * (rest - k)))


def lkj_corr_cholesky_lpdf(factor, eta):
    factor, eta = as_reals(factor, eta)
    size = factor.shape[0]
    outside = ~_has_positive_diagonal(factor)
    diagonal = jnp.where(outside, 1.0, jnp.diagonal(factor))
    powers = size - 1 - jnp.arange(size, dtype=eta.dtype) + 2 * (eta - 1)
    value = _lkj_constant(size, eta) + jnp.sum((powers * jnp.log(diagonal))[1:])
    return checked(value, positive_finite(eta), outside)


def lkj_corr_lpdf(correlation, eta):
    correlation, eta = as_reals(correlation, eta)
    factor = _safe_cholesky(correlation)
    outside = ~_has_positive_diagonal(factor)
    diagonal = jnp.where(outside, 1.0, jnp.diagonal(factor))
    value = _lkj_constant(correlation.shape[0], eta) + 2 * (eta - 1) * jnp.sum(jnp.log(diagonal))
    return checked(value, positive_finite(eta), outside)


def lkj_cov_lpdf(covariance, mu, sigma, eta):
    """Deprecated in Stan: lognormal standard deviations, no Jacobian of the covariance."""
    covariance, mu, sigma, eta = as_reals(covariance, mu, sigma, eta)
    deviations = jnp.sqrt(jnp.diagonal(covariance))
    correlation = covariance / jnp.outer(deviations, deviations)
    return jnp.sum(lognormal_lpdf(deviations, mu, sigma)) + lkj_corr_lpdf(correlation, eta)


def lkj_corr_cholesky_rng(key, size, eta):
    """Canonical partial correlations are scaled betas, wider for the first row of the vine; `size` is static."""
    (eta,) = as_reals(eta)
    size = int(size)
    rows, columns = jnp.tril_indices(size, -1)
    shapes = eta + 0.5 * (size - 2 - columns)
    z = 2 * beta_rng(key, shapes, shapes) - 1
    partial = jnp.zeros((size, size), eta.dtype).at[rows, columns].set(z)
    left = jnp.cumprod(jnp.sqrt(1 - partial * partial), axis=1)
    before = jnp.concatenate([jnp.ones((size, 1), eta.dtype), left[:, :-1]], axis=1)
    return jnp.tril((partial + jnp.eye(size, dtype=eta.dtype)) * before)


def lkj_corr_rng(key, size, eta):
    factor = lkj_corr_cholesky_rng(key, size, eta)
    return factor @ factor.T


def _multivariate(arguments, log_density, rng=None):
    return Distribution(tuple(arguments.split()), log_density, "multivariate", rng=rng)


DISTRIBUTIONS = {
    "wishart": _multivariate("matrix real matrix", wishart_lpdf, wishart_rng),
    "wishart_cholesky": _multivariate("matrix real matrix", wishart_cholesky_lpdf, wishart_cholesky_rng),
    "inv_wishart": _multivariate("matrix real matrix", inv_wishart_lpdf, inv_wishart_rng),
    "inv_wishart_cholesky": _multivariate("matrix real matrix", inv_wishart_cholesky_lpdf, inv_wishart_cholesky_rng),
    "lkj_corr": _multivariate("matrix real", lkj_corr_lpdf, lkj_corr_rng),
    "lkj_corr_cholesky": _multivariate("matrix real", lkj_corr_cholesky_lpdf, lkj_corr_cholesky_rng),
    "lkj_cov": _multivariate("matrix vector vector real", lkj_cov_lpdf),
}
