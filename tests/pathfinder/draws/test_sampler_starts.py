"""Draws that chains start from."""

import dataclasses

import numpy as np
import pytest

from pathfinder._draws.sampler_starts import sampler_starts
from pathfinder._results.warm_start import modes_of
from tests.pathfinder.refining import refined, two_modes
from tests.pathfinder.results.chains import NUM_CHAINS, chains_of, independent


@pytest.fixture(scope="module")
def result():
    starts = np.array([-1.0, 1.0, -1.0, 1.0])[:, None] * np.full(3, 5.0)
    return refined(two_modes(0.25, 6.0, 1.0), 3, init=starts)


def rows_of(result, num_chains, seed=0, **pool):
    changed = dataclasses.replace(result.pool, **pool)
    own = dataclasses.replace(result, pool=changed)
    return sampler_starts(modes_of(own), changed, None, own._returned.others, num_chains, np.random.default_rng(seed))


def log_weights(result, chosen):
    weights = np.full(len(result.pool), -np.inf)
    weights[list(chosen)] = np.log(list(chosen.values()))
    return weights


def test_starts_are_different_draws_of_the_pool(result):
    positions = result.initial_positions(200)
    assert len(np.unique(positions, axis=0)) == 200
    everything = result.weighted()
    usable = everything.unconstrained_draws[everything.weights > 0]
    assert all(np.any(np.all(usable == position, axis=1)) for position in positions)


def test_same_seed_same_starts(result):
    np.testing.assert_array_equal(result.initial_positions(4, seed=2), result.initial_positions(4, seed=2))
    assert not np.array_equal(result.initial_positions(4, seed=2), result.initial_positions(4, seed=3))


def test_each_mode_has_its_share(result):
    for seed in range(10):
        in_first = np.sum(result.initial_positions(20, seed=seed)[:, 0] < 0)
        assert 4 <= in_first <= 6


def test_inclusion_is_by_weight(result):
    own = log_weights(result, {5: 0.1, 6: 0.2, 7: 0.3, 8: 0.4})
    chosen = [rows_of(result, 2, seed, log_weights=own, pareto_k=0.1) for seed in range(2000)]
    frequencies = np.bincount(np.concatenate(chosen), minlength=9)[5:9] / 2000
    np.testing.assert_allclose(frequencies, [0.2, 0.4, 0.6, 0.8], atol=0.04)


def test_a_draw_with_nearly_all_weight_is_one_start(result):
    own = log_weights(result, {5: 0.97, 6: 0.01, 7: 0.01, 8: 0.01})
    for seed in range(20):
        rows = rows_of(result, 3, seed, log_weights=own, pareto_k=0.1)
        assert len(set(rows)) == 3
        assert 5 in rows


def test_fewer_usable_draws_than_chains(result):
    own = log_weights(result, {5: 0.5, 6: 0.5})
    assert set(rows_of(result, 2, log_weights=own, pareto_k=0.1)) == {5, 6}
    with pytest.raises(ValueError, match="There are 2 draws with a positive weight, too few for 3 chains"):
        rows_of(result, 3, log_weights=own, pareto_k=0.1)


def test_weights_of_a_few_draws_are_not_used(result):
    own = log_weights(result, {5: 1.0})
    with pytest.warns(UserWarning, match=r"k-hat is 1\.80: a few draws have nearly all of the weight"):
        rows = rows_of(result, 50, log_weights=own, pareto_k=1.8)
    best = max(result.refinement.modes, key=lambda mode: mode.elbo)
    assert len(set(rows)) == 50
    assert set(result.pool.paths[rows]) == {best.path}


def test_of_chains_starts_are_states_of_different_chains(result):
    states = independent(20)
    chains = chains_of(states, start_rows=np.zeros(NUM_CHAINS, int))
    own = dataclasses.replace(result, chains=chains, uses_chains=True, rows=np.arange(10))
    positions = own.initial_positions(8)
    found = [np.argwhere(np.all(states == position, axis=2))[0] for position in positions]
    assert len({chain for _, chain in found}) == 8


@pytest.mark.parametrize("number", [0, 2.0, True])
def test_number_of_chains(result, number):
    with pytest.raises(ValueError, match=r"`num_chains` must be a whole number of at least 1"):
        result.initial_positions(number)


def test_by_name(result):
    positions = result.initial_positions(3)
    named = result.initial_positions(3, unconstrained=False)
    for position, own in zip(positions, named, strict=True):
        assert list(own) == ["x"]
        np.testing.assert_array_equal(own["x"], position)
