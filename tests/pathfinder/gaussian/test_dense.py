"""Dense normals: values and derivatives of every order against plain formulas, and what they compile to."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from pathfinder import gaussian
from pathfinder._arrays.vectorized import over_lanes
from pathfinder.gaussian._dense.spd import spd_inverse, spd_solve


SIZES = [1, 5, 70]  # the last is large enough to be inverted by halves


def covariance_of(theta, size):
    """A smooth matrix of three parameters."""
    points = jnp.linspace(0.0, 1.0, size)
    distance = points[:, None] - points[None]
    return jnp.exp(theta[0] - jnp.square(distance) * jnp.exp(theta[1])) + jnp.exp(theta[2]) * jnp.eye(size)


def plain(theta, y):
    covariance = covariance_of(theta, len(y))
    factor = jnp.linalg.cholesky(covariance)
    z = jax.scipy.linalg.solve_triangular(factor, y - theta[3], lower=True)
    return -0.5 * (z @ z + len(y) * float(np.log(2 * np.pi))) - jnp.sum(jnp.log(jnp.diagonal(factor)))


def ours(theta, y):
    return gaussian.normal_log_density(y, covariance_of(theta, len(y)), theta[3])


THETA = np.array([0.3, 1.0, -1.0, 0.2])


def values(size):
    return np.random.default_rng(0).normal(size=size)


@pytest.mark.parametrize("size", SIZES)
def test_values_are_those_of_scipy(size):
    expected = multivariate_normal(np.full(size, 0.2), np.asarray(covariance_of(THETA, size))).logpdf(values(size))
    assert float(ours(THETA, values(size))) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_derivatives_of_every_kind_are_those_of_the_plain_formula(size):
    y, direction = values(size), np.array([0.3, -0.2, 0.5, 1.0])

    def derivatives(function):
        gradient = jax.grad(function, argnums=(0, 1))(THETA, y)
        forward = jax.jvp(lambda theta: function(theta, y), (THETA,), (direction,))[1]
        over_reverse = jax.jvp(lambda theta: jax.grad(function)(theta, y), (THETA,), (direction,))[1]
        over_forward = jax.grad(lambda theta: jax.jvp(lambda own: function(own, y), (theta,), (direction,))[1])(THETA)
        return gradient, forward, over_reverse, over_forward

    found, expected = jax.jit(lambda: (derivatives(ours), derivatives(plain)))()
    for own, other in zip(*map(jax.tree_util.tree_leaves, (found, expected)), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("size", SIZES)
def test_quadratic_forms_and_log_determinants(size):
    vectors = np.random.default_rng(1).normal(size=(size, 2))

    def of(function):
        def scalar(theta, vectors):
            quadratic, log_det = function(covariance_of(theta, size), vectors)
            return jnp.sum(quadratic * jnp.array([[1.0, 0.4], [0.4, 2.0]])) + 0.3 * log_det

        return (
            scalar(THETA, vectors),
            jax.grad(scalar, argnums=(0, 1))(THETA, vectors),
            jax.hessian(scalar)(THETA, vectors),
        )

    def expected(covariance, vectors):
        return vectors.T @ jnp.linalg.solve(covariance, vectors), jnp.linalg.slogdet(covariance)[1]

    for own, other in zip(
        *map(jax.tree_util.tree_leaves, (of(gaussian.inverse_quadratic_and_log_determinant), of(expected))), strict=True
    ):
        np.testing.assert_allclose(own, other, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("size", [5, 70, 1600])
def test_inverses(size):
    matrix = np.asarray(covariance_of(THETA, size))
    np.testing.assert_allclose(spd_inverse(matrix) @ matrix, np.eye(size), atol=1e-9)
    np.testing.assert_allclose(matrix @ spd_solve(matrix, matrix[0]), matrix[0], atol=1e-9)


def calls(function, *arguments):
    """Factorizations, LU factorizations and triangular solves in a compiled program."""
    text = jax.jit(function).lower(*arguments).compile().as_text()
    return [len(re.findall(rf'custom_call_target="lapack_[sd]{name}', text)) for name in ("potrf", "getrf", "trsm")]


def test_value_and_gradient_take_one_factor_and_no_inverse_by_lu():
    assert calls(jax.value_and_grad(ours), THETA, values(40))[:2] == [1, 0]
    assert calls(jax.value_and_grad(ours), THETA, values(40))[2] <= 4
    assert calls(jax.value_and_grad(ours), THETA, values(300))[:2] == [1, 0]


def test_of_a_covariance_that_is_data_nothing_is_inverted():
    covariance = covariance_of(THETA, 40)
    found = calls(jax.value_and_grad(lambda y: gaussian.normal_log_density(y, covariance)), values(40))
    assert found[0] == 1
    assert found[2] <= 3


def test_under_lanes_and_vmap():
    thetas = np.stack([THETA, THETA + 0.1, THETA - 0.1])
    expected = np.stack([jax.grad(ours)(theta, values(20)) for theta in thetas])
    np.testing.assert_allclose(
        over_lanes(lambda theta: jax.grad(ours)(theta, values(20)))(jnp.asarray(thetas)), expected, rtol=1e-9
    )
    np.testing.assert_allclose(jax.vmap(jax.grad(ours), (0, None))(thetas, values(20)), expected, rtol=1e-9)


def test_single_precision_is_kept():
    y, covariance = values(20).astype(np.float32), covariance_of(THETA, 20).astype(np.float32)
    found = gaussian.normal_log_density(y, covariance, jnp.float32(0.2))
    assert found.dtype == jnp.float32
    assert float(found) == pytest.approx(float(ours(THETA, values(20))), rel=1e-4)


def test_without_a_normal_it_is_nan():
    assert np.isnan(gaussian.normal_log_density(np.ones(2), np.array([[1.0, 2.0], [2.0, 1.0]])))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((2, 2)), np.eye(2)), "`y` must be one vector"),
        ((np.ones(2), np.eye(3)), r"`covariance` must have the shape \(2, 2\)"),
        ((np.ones(2), np.eye(2), np.ones(3)), "`mean` must be one number or have the shape"),
    ],
)
def test_shapes_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        gaussian.normal_log_density(*arguments)


def test_predictions_are_those_of_the_joint_normal():
    joint = np.asarray(covariance_of(THETA, 12))
    seen, unseen = joint[:8, :8], joint[8:, 8:]
    y = values(8)
    weights = np.linalg.solve(seen, joint[:8, 8:])
    whole = gaussian.conditional(seen, joint[:8, 8:], unseen, y)
    np.testing.assert_allclose(whole.mean, weights.T @ y, rtol=1e-9)
    np.testing.assert_allclose(whole.variance, unseen - joint[8:, :8] @ weights, rtol=1e-9, atol=1e-12)
    diagonal = gaussian.conditional(seen, joint[:8, 8:], np.diag(unseen), y)
    np.testing.assert_allclose(diagonal.variance, np.diag(whole.variance), rtol=1e-9)
    with pytest.raises(ValueError, match="`prior_variance` must have the shape"):
        gaussian.conditional(seen, joint[:8, 8:], np.ones(3), y)


def test_jitter_is_the_smallest_that_helps():
    smooth = np.exp(-0.5 * np.subtract.outer(np.linspace(0, 1, 40), np.linspace(0, 1, 40)) ** 2)
    found = gaussian.safe_cholesky(smooth)
    assert float(found.jitter) == 1e-8
    np.testing.assert_allclose(found.factor @ found.factor.T, smooth + 1e-8 * np.eye(40), atol=1e-12)
    assert float(gaussian.safe_cholesky(2.0 * np.eye(3)).jitter) == 0.0
    lost = gaussian.safe_cholesky(-np.eye(3))
    assert np.isnan(lost.factor).any()
    assert float(lost.jitter) == 1e-4


def test_the_derivative_of_a_safe_factor_is_that_of_the_factor_it_found():
    def of(function):
        return jax.grad(lambda theta: jnp.sum(jnp.sin(function(covariance_of(theta, 9)))))(THETA)

    np.testing.assert_allclose(
        of(lambda matrix: gaussian.safe_cholesky(matrix).factor), of(jnp.linalg.cholesky), rtol=1e-9, atol=1e-11
    )
