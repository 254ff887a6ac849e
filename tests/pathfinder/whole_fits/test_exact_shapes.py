"""Shapes that are no normals, whose marginals are known: how far the draws are from them, and what the verdict says."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import expon, norm, t, wasserstein_distance

import pathfinder
from pathfinder import constraints


PROBABILITIES = (np.arange(4000) + 0.5) / 4000


def distance(draws, marginal):
    """W1 to a marginal, in its standard deviations."""
    return wasserstein_distance(draws, marginal.ppf(PROBABILITIES)) / marginal.std()


def test_two_far_modes_have_their_shares():
    def log_density(x):
        near, far = -0.5 * jnp.sum((x - 6.0) ** 2), -0.5 * jnp.sum((x + 6.0) ** 2)
        return jnp.logaddexp(jnp.log(0.3) + near, jnp.log(0.7) + far)

    result = pathfinder.fit(log_density, jnp.zeros(3), seed=1, num_paths=8, init_radius=8.0, progress=False)
    assert np.mean(result.unconstrained_draws[:, 0] < 0) == pytest.approx(0.7, abs=0.01)
    assert result.is_reliable
    assert result.draws_from == "weights"


def test_a_funnel_is_called_unreliable():
    """Weights do not reach into its neck, and chains hardly do."""

    def log_density(x):
        return -0.5 * (x[0] / 3) ** 2 - 0.5 * jnp.sum(x[1:] ** 2) * jnp.exp(-x[0]) - 4.5 * x[0]

    result = pathfinder.fit(log_density, jnp.zeros(10), seed=2, progress=False)
    assert result.draws_from == "chains"
    assert 0.1 < distance(result.unconstrained_draws[:, 0], norm(0, 3)) < 0.4
    assert not result.is_reliable
    assert "x[1] should be at least 250" in result.reliability


def test_a_banana():
    def log_density(x):
        return -0.5 * x[0] ** 2 - 2.0 * (x[1] - 0.5 * x[0] ** 2) ** 2

    result = pathfinder.fit(log_density, jnp.zeros(2), seed=3, progress=False)
    assert distance(result.unconstrained_draws[:, 0], norm()) < 0.12
    assert result.is_reliable


def test_a_t_with_two_degrees_of_freedom():
    """Its variance is infinite: middle quantiles are compared."""
    result = pathfinder.fit(lambda x: -1.5 * jnp.sum(jnp.log1p(x**2 / 2)), jnp.zeros(3), seed=1, progress=False)
    middle = np.linspace(0.05, 0.95, 50)
    errors = np.quantile(result.unconstrained_draws, middle, axis=0) - t(2).ppf(middle)[:, None]
    assert np.mean(np.abs(errors)) < 0.15
    assert result.is_reliable


def test_mass_at_a_boundary():
    result = pathfinder.fit(
        lambda p: -jnp.sum(p["x"]), {"x": jnp.ones(3)}, constraints={"x": constraints.positive}, seed=1, progress=False
    )
    assert max(distance(column, expon()) for column in result.draws["x"].T) < 0.1
    assert result.is_reliable
