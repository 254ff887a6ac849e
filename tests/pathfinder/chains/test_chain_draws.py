"""Which states are chosen of those that chains have kept."""

import numpy as np
import pytest

from pathfinder._chains.chain_draws import draws_per_chain
from tests.pathfinder.results.chains import NUM_CHAINS, chains_of, independent


ITERATIONS = 24


@pytest.fixture(scope="module")
def chains():
    return chains_of(independent(ITERATIONS))


@pytest.mark.parametrize("num_draws", [1, 30, 99, 100, 101, 250, 1000, 2399, 2400, 2401, 5000])
def test_every_chain_gives_as_many_draws_or_one_more(chains, num_draws):
    rows = chains.rows(num_draws)
    assert len(rows) == num_draws
    own = rows % NUM_CHAINS
    assert np.all(np.diff(own) >= 0)  # chain after chain
    counts = np.bincount(own, minlength=NUM_CHAINS)
    np.testing.assert_array_equal(counts, draws_per_chain(num_draws, NUM_CHAINS))
    assert counts.max() - counts.min() <= 1
    if num_draws <= ITERATIONS * NUM_CHAINS:
        assert len(set(rows.tolist())) == num_draws
    for chain in np.flatnonzero(counts):
        iterations = rows[own == chain] // NUM_CHAINS
        assert np.all(np.diff(iterations) >= 0)
        assert iterations[-1] == ITERATIONS - 1


def test_chains_with_a_draw_more_are_of_all_superchains():
    extra = draws_per_chain(120, 100) - 1
    np.testing.assert_array_equal(extra.reshape(20, 5).sum(axis=1), 1)


def test_draws_are_spread_over_the_iterations(chains):
    iterations = chains.rows(400).reshape(NUM_CHAINS, 4) // NUM_CHAINS
    assert np.unique(iterations, axis=0).tolist() == [[5, 11, 17, 23]]


@pytest.mark.parametrize("num_draws", [30, 100, 250, 1000])
def test_thinned_chains_have_the_same_rows(chains, num_draws):
    thinned = chains.thinned(num_draws)
    assert len(thinned.states) == -(-num_draws // NUM_CHAINS)
    for own, name in ((chains.states.reshape(-1, 3), "states"), (chains.log_p.ravel(), "log_p")):
        few = getattr(thinned, name).reshape(own.shape[0] // ITERATIONS * len(thinned.states), *own.shape[1:])
        np.testing.assert_array_equal(few[thinned.rows(num_draws)], own[chains.rows(num_draws)])
    assert thinned.nested_rhat == chains.nested_rhat


def test_chains_are_not_thinned_to_more_than_they_have(chains):
    assert chains.thinned(5000) is chains


def test_random_states_are_of_all_iterations(chains):
    rows = chains.random_rows(1000, np.random.default_rng(0))
    assert len(set(rows.tolist())) == 1000
    assert np.all(np.bincount(rows % NUM_CHAINS) == 10)
    counts = np.bincount(rows // NUM_CHAINS, minlength=ITERATIONS)
    assert counts.min() > 20
    assert counts.max() < 70


def test_random_states_come_twice_only_once_all_have_come(chains):
    counts = np.bincount(chains.random_rows(2450, np.random.default_rng(0)), minlength=2400)
    assert (counts.min(), counts.max(), (counts == 2).sum()) == (1, 2, 50)
