"""Hamiltonian trajectories: what leapfrog steps keep, what acceptance corrects, and what is no number."""

import jax
import numpy as np
import pytest

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.streams import Stream, fold_in, normal, path_keys
from pathfinder._chains.trajectory import ChainStates, move, states_at
from tests.pathfinder.chains import targets


KEY = np.array([0, 7], np.uint32)


def chain_keys(count):
    return path_keys(KEY, np.arange(count), Stream.CHAINS)


def test_both_drivers_move_alike():
    """Values to rounding, and the same chains are rejected."""
    positions = targets.MEAN + np.random.default_rng(1).normal(size=(12, 3))
    whitening = targets.of_moments(targets.MEAN, targets.COVARIANCE)
    ends = []
    for density in (targets.normal_density(), targets.compiled_normal_density()):
        states = states_at(density.arrays(positions), density)
        for iteration in range(3):
            moved = move(states, density.arrays(chain_keys(12)), iteration, 1.9, 2, density.arrays(whitening), density)
            states = moved.states
        ends.append(on_host(moved))
    jax.tree_util.tree_map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-9), *ends)
    assert 0.0 < np.mean(ends[0].acceptance) < 0.999  # some were rejected


def test_short_steps_keep_the_energy():
    density = targets.normal_density()
    states = states_at(targets.MEAN + np.ones((5, 3)), density)
    whitening = targets.of_moments(targets.MEAN, targets.COVARIANCE)
    acceptance = [
        move(states, chain_keys(5), 0, size, round(1.0 / size), whitening, density).acceptance for size in (0.2, 0.02)
    ]
    errors = [np.abs(np.log(own)).max() for own in acceptance]
    assert errors[1] < 1e-3
    assert errors[1] < errors[0] / 10 or errors[0] == 0.0  # of the second order


def test_a_quarter_turn_forgets_where_it_began():
    """In whitened coordinates the flow of a normal is a rotation: after pi / 2 the position is the momentum."""
    density = targets.normal_density()
    whitening = targets.of_moments(targets.MEAN, targets.COVARIANCE)
    states = states_at(targets.MEAN + np.random.default_rng(0).normal(size=(6, 3)), density)
    moved = move(states, chain_keys(6), 4, np.pi / 2 / 400, 400, whitening, density)
    momentum = normal(fold_in(chain_keys(6), np.full(6, 8)), 3, np.float64)
    np.testing.assert_allclose(moved.states.positions, whitening.transform(momentum), atol=1e-4)


@pytest.mark.parametrize("step_size", [0.3, 1.0])
def test_the_target_stays_as_it_is(step_size):
    """Exact draws stay exact draws, however large the steps."""
    density = targets.normal_density()
    whitening = targets.standard(3)
    root = np.linalg.cholesky(targets.COVARIANCE)
    count = 20_000
    states = states_at(targets.MEAN + np.random.default_rng(2).normal(size=(count, 3)) @ root.T, density)
    for iteration in range(3):
        moved = move(states, chain_keys(count), iteration, 0.5 * step_size, 3, whitening, density)
        states = moved.states
    assert 0.2 < moved.acceptance.mean() < 0.99
    deviations = np.sqrt(np.diag(targets.COVARIANCE))
    np.testing.assert_allclose((states.positions.mean(0) - targets.MEAN) / deviations, 0.0, atol=0.03)
    np.testing.assert_allclose(
        np.cov(states.positions.T) / np.outer(deviations, deviations),
        targets.COVARIANCE / np.outer(deviations, deviations),
        atol=0.03,
    )


def test_a_boundary_keeps_its_mass():
    """The half normal of |x|, whose density is nothing below 0: ends there are rejected, and no NaN spreads."""

    def both(positions):
        inside = positions[:, 0] > 0
        return np.where(inside, -0.5 * positions[:, 0] ** 2, np.nan), np.where(inside[:, None], -positions, np.nan)

    density = targets.host(both, 1)
    count = 20_000
    states = states_at(np.abs(np.random.default_rng(0).normal(size=(count, 1))), density)
    for iteration in range(4):
        states = move(states, chain_keys(count), iteration, 0.7, 2, targets.standard(1), density).states
    assert np.isfinite(states.log_p).all()
    assert (states.positions > 0).all()
    np.testing.assert_allclose(states.positions.mean(), np.sqrt(2 / np.pi), atol=0.02)
    np.testing.assert_allclose((states.positions**2).mean(), 1.0, atol=0.04)


def test_what_overflows_is_no_place_to_be():
    density = targets.host(lambda positions: (np.full(len(positions), np.inf), np.ones_like(positions)), 2)
    states = states_at(np.ones((3, 2)), density)
    assert (states.log_p == -np.inf).all()
    assert (states.gradients == 0).all()
    finite = ChainStates(np.ones((3, 2)), np.zeros(3), np.zeros((3, 2)))
    moved = move(finite, chain_keys(3), 0, 0.5, 2, targets.standard(2), density)
    np.testing.assert_array_equal(moved.states.positions, finite.positions)
    np.testing.assert_array_equal(moved.acceptance, 0.0)
    assert moved.ended_outside.all()


def test_single_precision_stays_single():
    density = targets.normal_density(np.float32)
    positions = (targets.MEAN + np.ones((4, 3))).astype(np.float32)
    moved = move(states_at(positions, density), chain_keys(4), 0, 0.1, 2, targets.standard(3, np.float32), density)
    numbers = jax.tree_util.tree_leaves((moved.states, moved.acceptance))
    assert {leaf.dtype for leaf in numbers} == {np.dtype(np.float32)}
