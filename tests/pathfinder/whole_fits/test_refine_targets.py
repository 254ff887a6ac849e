"""Refined fits of several modes and of hard targets."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import problems
from tests.pathfinder.refining import refined, two_modes


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 10))])
def test_mass_of_two_modes(seed):
    inits = [np.full(3, side) for side in (-4.0, -4.0, -4.0, 4.0)]
    result = refined(two_modes(0.3, 4.0, 0.4), 3, seed=seed, init=inits, init_radius=1.0, num_draws=1000,
                     num_psis_draws=4000)  # fmt: skip
    sides = {np.sign(np.asarray(mode.approximation.mean)[0]) for mode in result.refinement.modes}
    assert sides == {-1.0, 1.0}
    assert len(result.refinement.modes) == 2
    assert np.mean(result.unconstrained_draws[:, 0] < 0) == pytest.approx(0.3, abs=0.05 * 0.3)
    weights = {np.sign(np.asarray(mode.approximation.mean)[0]): mode.weight for mode in result.refinement.modes}
    assert weights[-1.0] == pytest.approx(0.3, abs=0.05 * 0.3)


def test_paths_in_one_mode_are_refined_once():
    result = refined(problems.rotated_normal(5, 1e4).log_density, 5, num_paths=6)
    assert len(result.refinement.modes) == 1


def test_a_mode_without_mass_is_not_refined():
    """As in lotka_volterra, where a mode of 1e-15 of the mass attracts one path in three."""
    inits = [np.full(3, side) for side in (-4.0, 4.0)]
    result = refined(two_modes(1e-9, 4.0, 1.0), 3, num_paths=2, init=inits, init_radius=1.0)
    heavy, light = result.refinement.modes
    assert heavy.num_gradients > 0
    assert (light.num_rounds, light.num_gradients) == (0, 0)
    assert heavy.weight > 1 - 1e-6
    assert "too low for a share of the mass" in repr(result)
    assert np.all(result.unconstrained_draws > 0)


@pytest.mark.slow
def test_modes_apart_in_one_of_many_coordinates():
    def log_density(x):
        rest = -0.5 * jnp.sum(x[1:] ** 2)
        return rest + jnp.logaddexp(-0.5 * (x[0] - 5.0) ** 2, -0.5 * (x[0] + 5.0) ** 2)

    result = refined(log_density, 40, num_paths=8, init_radius=6.0)
    assert len(result.refinement.modes) == 2


def test_one_dimension():
    result = refined(lambda x: -0.5 * jnp.sum((x - 3.0) ** 2) / 0.01, 1)
    assert result.unconstrained_draws.std() == pytest.approx(0.1, rel=0.05)


def test_funnel():
    def log_density(x):
        return -0.5 * x[0] ** 2 / 9 - 0.5 * jnp.sum(x[1:] ** 2) * jnp.exp(-x[0]) - 0.5 * (x.shape[0] - 1) * x[0]

    result = refined(log_density, 6, num_draws=1000, num_psis_draws=1000)
    assert np.all(np.isfinite(result.unconstrained_draws))
    assert result.refinement.num_adapted > 0
    assert result.uses_chains  # no normal fits
    assert not result.is_reliable  # and chains hardly enter the neck


@pytest.mark.slow
def test_heavy_tails():
    result = refined(lambda x: -2.0 * jnp.sum(jnp.log1p(x**2 / 3)), 4)
    assert np.all(np.isfinite(result.log_p))
    assert abs(np.median(result.unconstrained_draws)) < 0.2


def test_half_of_the_draws_outside_the_support():
    """An exponential distribution without its transform: the density is NaN below zero."""
    result = refined(lambda x: jnp.sum(jnp.where(x > 0, -x, jnp.nan)) + 2.0 * jnp.sum(jnp.log(x)), 2)
    assert np.all(result.unconstrained_draws > 0)
    np.testing.assert_allclose(result.unconstrained_draws.mean(axis=0), 3.0, rtol=0.15)


def test_improper_ridge_ends_with_a_warning_k_hat():
    """Its draws are so far out along the ridge that their weighted moments are no covariance."""
    result = refined(lambda x: -0.5 * (x[0] - x[1]) ** 2, 2, num_draws=1000)
    assert result.pareto_k > 0.7
    assert all(np.all(np.isfinite(values)) for values in result.draws.values())


def test_far_start_with_condition_1e8():
    scales = np.logspace(-4, 0, 3)

    def log_density(x):
        z = x / scales
        return -0.5 * jnp.sum(z**2) - 0.5 * (z[0] - 0.999 * z[1]) ** 2 * 500.0

    result = refined(log_density, 3)
    assert result.refinement.modes[0].divergences[-1] < 0.05
    assert result.pareto_k < 0.7


def test_single_precision():
    with jax.enable_x64(False):
        result = refined(problems.rotated_normal(5, 1e2).log_density, 5)
    assert result.unconstrained_draws.dtype == np.float32
    assert result.pareto_k < 0.7
