"""What the virial tells of states that are drawn, and of states of chains."""

import numpy as np
import pytest

from pathfinder._chains.run_chains import ChainOptions, run_chains
from pathfinder._chains.virial import Virial, VirialSums, virial_of
from tests.pathfinder.chains import targets


SUPERCHAINS, PER_START = 25, 5


def of_states(states, gradients, outside=0.0, origin=None):
    """The virial of states (iteration, chain, dim)."""
    sums = VirialSums(np.zeros(states.shape[-1]) if origin is None else origin, SUPERCHAINS)
    for positions, own in zip(states, gradients, strict=True):
        sums.add(positions, own, outside, len(states))
    return sums.virial(states.mean(axis=(0, 1)))


def drawn(seed=0, dim=3, num_iterations=10):
    return np.random.default_rng(seed).normal(size=(num_iterations, SUPERCHAINS * PER_START, dim))


def test_it_is_one_of_draws_whatever_their_scales_and_correlations():
    root = np.array([[2.0, 0.0, 0.0], [1.0, 0.5, 0.0], [50.0, 7.0, 100.0]])
    draws = drawn(num_iterations=200)
    found = of_states(draws @ root.T + 1e6, -draws @ np.linalg.inv(root), origin=np.full(3, 1e6))
    np.testing.assert_allclose(found.mean, 1.0, atol=0.05)
    assert np.all(np.abs(found.mean - 1.0) < 4.0 * found.standard_error)
    assert not found.is_short.any()


def test_it_is_one_of_heavy_tails():
    draws = np.random.default_rng(0).standard_t(2, size=(200, SUPERCHAINS * PER_START, 2))
    found = of_states(draws, -3.0 * draws / (2.0 + draws**2))
    np.testing.assert_allclose(found.mean, 1.0, atol=0.03)
    assert not found.is_short.any()


def test_good_draws_are_hardly_ever_doubted():
    """Of sets with as many effective draws as chains are asked for."""
    doubted = [of_states(own := drawn(seed, 20, 4), -own).is_short.any() for seed in range(400)]
    assert np.mean(doubted) < 0.02


@pytest.mark.parametrize("side", [1.0, 1.5])
def test_draws_without_tails_are_told(side):
    draws = drawn(num_iterations=40)
    draws[..., 1] = np.where(np.abs(draws[..., 1]) < side, draws[..., 1], np.remainder(draws[..., 1], 2 * side) - side)
    found = of_states(draws, -draws)
    assert found.is_short.tolist() == [False, True, False, bool(found.mean[3] < 0.9)]
    assert found.mean[1] < 0.7


def test_a_flat_direction_has_none():
    """Where a posterior is improper there is no force, and no error either."""
    draws = drawn()
    found = of_states(draws, -draws * [1.0, 0.0, 1.0])
    assert found.mean[1] == found.standard_error[1] == 0
    assert found.is_short[1]


def test_nothing_follows_where_the_density_is_cut_off():
    draws = np.abs(drawn())
    assert of_states(draws, -draws).is_short.any()
    found = of_states(draws, -draws, outside=0.02)
    assert np.isnan(found.mean).all()
    assert not found.is_short.any()


def test_a_small_shortfall_does_not_matter_however_clear():
    values = np.full((SUPERCHAINS, 2), [0.95, 0.85]) + 1e-3 * np.random.default_rng(0).normal(size=(SUPERCHAINS, 2))
    assert virial_of(values).is_short.tolist() == [False, True, False]


def test_only_the_iterations_that_count_do():
    draws = drawn(num_iterations=12)
    sums = VirialSums(np.zeros(3), SUPERCHAINS)
    for positions in draws:
        sums.add(positions, -positions, 0.0, 5)
    newest = draws[-5:]
    for found, expected in zip(sums.virial(newest.mean(axis=(0, 1))), of_states(newest, -newest), strict=True):
        np.testing.assert_array_equal(found, expected)


def run(density, seed=3):
    rng, options = np.random.default_rng(0), ChainOptions(12, 5, 30_000, 400)
    starts = rng.normal(size=(12, density.dim))
    key = np.array([0, seed], np.uint32)
    return run_chains(density, starts, np.arange(12), np.zeros(12, int), targets.standard(density.dim), key, options)


def test_chains_know_it_of_their_own_states():
    density = targets.normal_density()
    found = run(density)
    positions = found.states.reshape(-1, 3)
    gradients = density.values_and_gradients(positions)[1]
    products = -(positions - positions.mean(axis=0)) * gradients
    by_superchain = products.reshape(len(found.states), 12, 5, 3).mean(axis=(0, 2))
    for own, expected in zip(found.virial, virial_of(by_superchain), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-8)
    assert isinstance(found.virial, Virial)


def test_chains_see_where_a_density_is_cut_off():
    def both(positions):
        inside = np.all(positions > -0.5, axis=-1)
        return np.where(inside, -0.5 * np.sum(positions**2, axis=-1), -np.inf), -positions

    starts_inside = targets.host(both, 2)
    options, key = ChainOptions(12, 5, 30_000, 400), np.array([0, 3], np.uint32)
    starts = np.abs(np.random.default_rng(0).normal(size=(12, 2)))
    found = run_chains(starts_inside, starts, np.arange(12), np.zeros(12, int), targets.standard(2), key, options)
    assert np.isnan(found.virial.mean).all()
