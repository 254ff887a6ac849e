"""Diagnostics of every scalar, against what the draws are worth by construction."""

import numpy as np
import pytest

from pathfinder._chains.mixing import mixing
from pathfinder._draws.summary import by_chain, chain_columns, effective_sizes
from tests.pathfinder.results.chains import NUM_CHAINS, SUPERCHAINS, independent


def chain_after_chain(states):
    """Draws, one row each, and the chain of each."""
    return states.transpose(1, 0, 2).reshape(-1, states.shape[-1]), np.repeat(np.arange(NUM_CHAINS), len(states))


def test_equal_weights_of_different_draws_are_as_many():
    values = np.random.default_rng(0).normal(size=(500, 2))
    sizes = effective_sizes(values, np.full(500, 1 / 500), np.arange(500))
    np.testing.assert_allclose(sizes, 500, rtol=1e-9)


def test_copies_count_once():
    values = np.random.default_rng(0).normal(size=(100, 2))
    rows = np.repeat(np.arange(100), 5)
    sizes = effective_sizes(values[rows], np.full(500, 1 / 500), rows)
    np.testing.assert_allclose(sizes, 100, rtol=1e-9)


def test_the_size_is_that_of_the_error_of_weighted_means():
    """The spread of self-normalized estimates of a mean, over many pools from a wider proposal."""
    rng = np.random.default_rng(1)
    means, sizes = [], []
    for _ in range(400):
        values = rng.normal(size=(200, 1)) * 2
        weights = np.exp(-0.5 * values[:, 0] ** 2 * (1 - 1 / 4))
        weights /= weights.sum()
        means.append(weights @ values[:, 0])
        sizes.append(effective_sizes(values, weights, np.arange(200))[0])
    assert np.median(sizes) == pytest.approx(1 / np.var(means), rel=0.2)


def test_sizes_of_states_are_those_of_the_chains():
    states = independent(8)
    states[..., 1] += np.random.default_rng(3).normal(size=NUM_CHAINS)
    values, chains = chain_after_chain(states)
    columns = chain_columns(values, chains, NUM_CHAINS, SUPERCHAINS)
    found = mixing(states, SUPERCHAINS)
    np.testing.assert_allclose(columns["nested_rhat"], found.nested_rhat, rtol=1e-9)
    np.testing.assert_allclose(columns["ess"], found.effective_sample_size, rtol=0.011)  # one chain more or less
    assert columns["ess"][1] < 0.3 * columns["ess"][0]


def test_unequal_numbers_of_states():
    states = independent(8)
    values, chains = chain_after_chain(states)
    some = np.random.default_rng(4).uniform(size=len(values)) < 0.9
    columns = chain_columns(values[some], chains[some], NUM_CHAINS, SUPERCHAINS)
    np.testing.assert_allclose(columns["ess"], some.sum(), rtol=0.5)
    assert np.all(columns["nested_rhat"] < 1.1)


def test_one_state_of_each_chain_has_a_size_but_no_rhat():
    values, chains = chain_after_chain(independent(1))
    columns = chain_columns(values, chains, NUM_CHAINS, SUPERCHAINS)
    np.testing.assert_allclose(columns["ess"], NUM_CHAINS, rtol=1e-6)
    assert np.all(np.isnan(columns["nested_rhat"]))


def test_what_is_constant_is_known_and_what_is_infinite_is_not():
    values, chains = chain_after_chain(independent(8))
    values[:, 0] = 3.0
    values[7, 1] = np.inf
    for sizes in (
        chain_columns(values, chains, NUM_CHAINS, SUPERCHAINS)["ess"],
        effective_sizes(values, np.full(len(values), 1 / len(values)), np.arange(len(values))),
    ):
        assert sizes[0] == len(values)
        assert np.isnan(sizes[1])
        assert sizes[2] > 100


def test_draws_by_their_chain_are_as_many_as_all_have():
    chosen = by_chain(np.array([0, 2, 1, 2, 0, 2, 1]), 3)
    assert chosen.tolist() == [[0, 4], [2, 6], [3, 5]]
    assert by_chain(np.array([0, 2, 2]), 3).shape == (3, 0)
