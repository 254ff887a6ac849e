"""Iterations to convergence, and their end where there is none."""

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._library.numerics.iteration import differentiable_by_forward_mode, iterate


def exponential(x):
    """By its power series."""

    def step(n, state):
        term, total = state
        return term * x / n, total + term * x / n

    return iterate(step, (jnp.ones_like(x), jnp.ones_like(x)), lambda state: state[1])[1]


def test_series_and_derivatives_converge():
    x = jnp.array([0.0, 1e-8, 3.0, 20.0])
    function = differentiable_by_forward_mode(exponential)
    np.testing.assert_allclose(function(x), np.exp(x), 1e-14)
    np.testing.assert_allclose(jax.grad(lambda x: jnp.sum(function(x)))(x), np.exp(x), 1e-14)
    np.testing.assert_allclose(jax.hessian(lambda x: jnp.sum(function(x)))(x).diagonal(), np.exp(x), 1e-14)


def test_a_value_that_never_stands_still_ends():
    count, _ = iterate(lambda n, state: (n, -state[1]), (0, jnp.ones(2)), lambda state: state[1], jnp.array([20, 50.0]))
    assert count == 49
