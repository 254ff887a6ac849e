"""Vectors with elliptical distributions: multivariate normal, Student t, and independent Gaussian processes."""

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular

from pathfinder.gaussian._dense.cholesky import cholesky_factor
from pathfinder.gaussian._dense.log_density import dense_log_density
from pathfinder.gaussian._dense.quadratic import inverse_quadratic_and_log_determinant, log_determinant
from pathfinder.stan._library.densities.distribution import Distribution, as_reals
from pathfinder.stan._library.densities.validity import checked, positive_finite
from pathfinder.stan._library.numerics.gamma_ratios import log_rising
from pathfinder.stan._library.numerics.logarithms import LOG_2_PI, LOG_PI


def _log_diagonal(factor):
    return jnp.sum(jnp.log(jnp.diagonal(factor)))


def _is_factor(factor):
    """A Cholesky factor: of an indefinite matrix it is NaN."""
    return jnp.all(jnp.diagonal(factor) > 0)


def _whitened_square(offset, factor):
    z = solve_triangular(factor, offset, lower=True)
    return jnp.sum(jnp.square(z))


def multi_normal_cholesky_lpdf(y, mu, factor):
    y, mu, factor = as_reals(y, mu, factor)
    value = -0.5 * (mu.shape[0] * LOG_2_PI + _whitened_square(y - mu, factor)) - _log_diagonal(factor)
    return checked(value, jnp.all(jnp.isfinite(mu)) & _is_factor(factor))


def multi_normal_lpdf(y, mu, covariance):
    y, mu, covariance = as_reals(y, mu, covariance)
    # NaN of a matrix that is no covariance.
    return checked(dense_log_density(y - mu, covariance), jnp.all(jnp.isfinite(mu)))


def multi_normal_prec_lpdf(y, mu, precision):
    y, mu, precision = as_reals(y, mu, precision)
    offset = y - mu
    log_det = log_determinant(precision)
    value = 0.5 * (log_det - mu.shape[0] * LOG_2_PI - offset @ (precision @ offset))
    return checked(value, jnp.all(jnp.isfinite(mu)))


def multi_normal_cholesky_rng(key, mu, factor):
    mu, factor = as_reals(mu, factor)
    return mu + factor @ jax.random.normal(key, mu.shape, mu.dtype)


def multi_normal_rng(key, mu, covariance):
    mu, covariance = as_reals(mu, covariance)
    return multi_normal_cholesky_rng(key, mu, cholesky_factor(covariance))


def multi_normal_prec_rng(key, mu, precision):
    mu, precision = as_reals(mu, precision)
    z = jax.random.normal(key, mu.shape, mu.dtype)
    return mu + solve_triangular(cholesky_factor(precision), z, lower=True, trans="T")


def multi_gp_cholesky_lpdf(y, factor, weights):
    """Rows of `y` are independent draws; the precision of row d is `weights[d]` times that of the kernel."""
    y, factor, weights = as_reals(y, factor, weights)
    z = solve_triangular(factor, y.T, lower=True)
    num_rows, num_points = y.shape
    value = (
        -0.5 * (num_rows * num_points * LOG_2_PI + jnp.sum(weights * jnp.sum(jnp.square(z), axis=0)))
        - num_rows * _log_diagonal(factor)
        + 0.5 * num_points * jnp.sum(jnp.log(weights))
    )
    return checked(value, jnp.all(positive_finite(weights)) & _is_factor(factor))


def multi_gp_lpdf(y, kernel, weights):
    y, kernel, weights = as_reals(y, kernel, weights)
    return multi_gp_cholesky_lpdf(y, cholesky_factor(kernel), weights)


def multi_student_t_cholesky_lpdf(y, nu, mu, factor):
    y, nu, mu, factor = as_reals(y, nu, mu, factor)
    value = _student_t(nu, _whitened_square(y - mu, factor), 2 * _log_diagonal(factor), mu)
    return checked(value, _is_factor(factor))


def _student_t(nu, square, log_det, mu):
    """From the squared distance and the log determinant of the scale."""
    half = 0.5 * mu.shape[0]
    constant = log_rising(0.5 * nu, jnp.full_like(nu, half)) - half * (jnp.log(nu) + LOG_PI) - 0.5 * log_det
    value = constant - (0.5 * nu + half) * jnp.log1p(square / nu)
    return checked(value, positive_finite(nu) & jnp.all(jnp.isfinite(mu)))


def multi_student_t_lpdf(y, nu, mu, scale):
    y, nu, mu, scale = as_reals(y, nu, mu, scale)
    square, log_det = inverse_quadratic_and_log_determinant(scale, y - mu)
    return _student_t(nu, square, log_det, mu)


def multi_student_t_cholesky_rng(key, nu, mu, factor):
    nu, mu, factor = as_reals(nu, mu, factor)
    first, second = jax.random.split(key)
    z = factor @ jax.random.normal(first, mu.shape, mu.dtype)
    return mu + z * jnp.sqrt(0.5 * nu) * jnp.exp(-0.5 * jax.random.loggamma(second, 0.5 * nu, dtype=mu.dtype))


def multi_student_t_rng(key, nu, mu, scale):
    nu, mu, scale = as_reals(nu, mu, scale)
    return multi_student_t_cholesky_rng(key, nu, mu, cholesky_factor(scale))


def _multivariate(arguments, log_density, rng=None):
    return Distribution(tuple(arguments.split()), log_density, "multivariate", rng=rng)


DISTRIBUTIONS = {
    "multi_normal": _multivariate("vector vector matrix", multi_normal_lpdf, multi_normal_rng),
    "multi_normal_cholesky": _multivariate(
        "vector vector matrix", multi_normal_cholesky_lpdf, multi_normal_cholesky_rng
    ),
    "multi_normal_prec": _multivariate("vector vector matrix", multi_normal_prec_lpdf, multi_normal_prec_rng),
    "multi_gp": _multivariate("matrix matrix vector", multi_gp_lpdf),
    "multi_gp_cholesky": _multivariate("matrix matrix vector", multi_gp_cholesky_lpdf),
    "multi_student_t": _multivariate("vector real vector matrix", multi_student_t_lpdf, multi_student_t_rng),
    "multi_student_t_cholesky": _multivariate(
        "vector real vector matrix", multi_student_t_cholesky_lpdf, multi_student_t_cholesky_rng
    ),
}
