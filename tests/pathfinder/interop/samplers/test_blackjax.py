"""BlackJAX takes what it is given, and goes on from it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder import LowRankMatrix
from pathfinder.interop.samplers.blackjax import adapt_step_size, blackjax_matrix, blackjax_start, run_blackjax


blackjax = pytest.importorskip("blackjax")

SCALE = np.array([1.0, 3.0, 0.2])
BASIS = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 2)))[0]
LOW_RANK = LowRankMatrix(SCALE, BASIS, np.array([5.0, 0.1]))
MATRIX = LOW_RANK.to_dense()
POSITIONS = np.random.default_rng(1).normal(size=(4, 3)) * SCALE


def log_density(position, data):
    return -0.5 * position @ jnp.linalg.solve(jnp.asarray(MATRIX), position) + data


def test_a_matrix_of_low_rank_is_the_dense_one():
    metric = blackjax.mcmc.metrics.default_metric(blackjax_matrix(LOW_RANK))
    momentum = jnp.array([0.3, -1.0, 2.0])
    velocity = jax.grad(metric.kinetic_energy)(momentum)
    np.testing.assert_allclose(velocity, MATRIX @ momentum, rtol=1e-12)


@pytest.mark.parametrize("matrix", [MATRIX, LOW_RANK])
def test_a_run_draws_from_the_target(matrix):
    positions, statistics, num_warmup = run_blackjax(
        log_density, jnp.array(2.0), POSITIONS, matrix, 0.7, jax.random.key(1), 50, 500, 0.8
    )
    assert positions.shape == (4, 500, 3)
    np.testing.assert_allclose(np.cov(positions.reshape(-1, 3).T), MATRIX, atol=0.3 * np.diagonal(MATRIX).max())
    np.testing.assert_allclose(statistics["lp"][3, 7], log_density(positions[3, 7], 2.0), rtol=1e-9)
    assert {values.shape for values in statistics.values()} == {(4, 500)}
    assert num_warmup >= 200
    # Steps of a chain are adapted to the target acceptance, and then stay.
    assert np.all(np.ptp(statistics["step_size"], axis=1) == 0)
    assert 0.65 < statistics["acceptance_rate"].mean() < 0.95


def test_without_warm_up_the_step_size_is_the_first():
    _, statistics, num_warmup = run_blackjax(
        log_density, jnp.array(0.0), POSITIONS, MATRIX, 0.7, jax.random.key(1), 0, 5, 0.8
    )
    assert np.all(statistics["step_size"] == 0.7)
    assert num_warmup == 0


def at_zero(position):
    return log_density(position, 0.0)


def test_parameters_are_those_of_the_kernel():
    own = blackjax_start(POSITIONS, LOW_RANK, LOW_RANK.to_dense, 0.5)
    kernel = blackjax.nuts(at_zero, **own["parameters"])
    state, _ = kernel.step(jax.random.key(0), kernel.init(own["positions"][0]))
    assert np.isfinite(state.logdensity)


def test_window_adaptation_goes_on_from_the_matrix():
    own = blackjax_start(POSITIONS, LOW_RANK, LOW_RANK.to_dense, 0.5)
    adaptation = blackjax.window_adaptation(blackjax.nuts, at_zero, **own["adaptation"])
    (_, parameters), _ = adaptation.run(jax.random.key(0), own["positions"][0], 30)
    found = np.asarray(parameters["inverse_mass_matrix"])
    # With the weight of 100 draws it has not gone far in so few.
    np.testing.assert_allclose(found, MATRIX, atol=0.5 * np.diagonal(MATRIX).max())


def test_step_sizes_come_to_the_target():
    state = blackjax.nuts.init(jnp.asarray(POSITIONS[0]), at_zero)

    def adapted(target):
        return adapt_step_size(at_zero, state, jnp.asarray(MATRIX), jax.random.key(3), target=target)

    (_, careful, _), (_, bold, _) = adapted(0.95), adapted(0.6)
    assert 0.1 < careful < bold < 3.0
