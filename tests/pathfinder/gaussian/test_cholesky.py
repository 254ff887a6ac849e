"""The Cholesky factor's derivative in blocks against JAX's rule, which takes the matrix as a whole."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.gaussian._dense.cholesky import cholesky_factor
from pathfinder.stan._library.densities import DISTRIBUTIONS
from pathfinder.stan._library.functions import FUNCTIONS


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def matrix(size, seed=0):
    factor = np.random.default_rng(seed).normal(size=(size, size))
    return factor @ factor.T / size + np.eye(size)


def symmetric(x):
    return 0.5 * (x + x.T)


@pytest.mark.parametrize("size", [1, 50, 51, 203, 210])
def test_factor_and_its_derivatives(size):
    """In both modes, and under `vmap`; 203 and 210 make four blocks, of equal and different sizes."""
    a, along, weights = matrix(size), symmetric(matrix(size, 1)), matrix(size, 2)

    def derivatives(factor):
        def total(a):
            return jnp.sum(weights * jnp.sin(factor(symmetric(a))))

        forwards = jax.jvp(lambda a: factor(symmetric(a)), (a,), (along,))
        return forwards, jax.vmap(jax.value_and_grad(total))(jnp.stack([a, 2 * a]))

    found, expected = jax.jit(lambda: (derivatives(cholesky_factor), derivatives(jnp.linalg.cholesky)))()
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12), found, expected)
    np.testing.assert_allclose(found[0][0], np.linalg.cholesky(a), rtol=1e-12, atol=1e-13)


def test_second_derivative():
    a, direction = matrix(60), symmetric(matrix(60, 1))

    def curvature(factor):
        return jax.grad(jax.grad(lambda t: jnp.sum(jnp.sin(factor(a + t * direction)))))(0.1)

    found, expected = jax.jit(lambda: (curvature(cholesky_factor), curvature(jnp.linalg.cholesky)))()
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("size", [3, 60])
def test_an_indefinite_matrix_has_no_factor(size):
    a = matrix(size)
    a[-1, -1] = -1.0
    assert np.any(np.isnan(cholesky_factor(a)))


def test_single_precision_is_kept():
    a = matrix(60).astype(np.float32)
    factor, of_factor = jax.jvp(cholesky_factor, (a,), (a,))
    assert factor.dtype == of_factor.dtype == np.float32
    np.testing.assert_allclose(of_factor, 0.5 * factor, atol=1e-5)


def test_score_of_a_normal_distribution():
    """Of the covariance: half of (a a' - inverse), with a = inverse (y - mu)."""
    covariance, y = matrix(70), np.random.default_rng(1).normal(size=70)
    log_density = DISTRIBUTIONS["multi_normal"].log_density
    found = jax.jit(jax.grad(lambda s: log_density(y, np.zeros(70), symmetric(s))))(covariance)
    inverse = np.linalg.inv(covariance)
    solved = inverse @ y
    np.testing.assert_allclose(found, 0.5 * (np.outer(solved, solved) - inverse), atol=1e-11)


@pytest.mark.parametrize("name", ["mdivide_left_spd", "inverse_spd"])
def test_solutions_with_positive_definite_matrices(name):
    """First and second derivatives are those of the plain inverse."""
    a, direction, b = matrix(5), symmetric(matrix(5, 1)), np.arange(1.0, 6)
    arguments = (b,) if name == "mdivide_left_spd" else ()

    def curve(t):
        return jnp.sum(jnp.sin(FUNCTIONS[name].evaluate(a + t * direction, *arguments)))

    def expected(t):
        inverse = jnp.linalg.inv(a + t * direction)
        return jnp.sum(jnp.sin(inverse @ b if arguments else inverse))

    for derivative in (jax.grad, lambda f: jax.grad(jax.grad(f)), lambda f: jax.jacfwd(jax.grad(f))):
        np.testing.assert_allclose(*jax.jit(lambda d=derivative: (d(curve)(0.1), d(expected)(0.1)))(), rtol=1e-9)


def test_solutions_with_an_indefinite_matrix_are_nan():
    assert np.all(np.isnan(FUNCTIONS["mdivide_left_spd"].evaluate(-np.eye(3), np.ones(3))))
