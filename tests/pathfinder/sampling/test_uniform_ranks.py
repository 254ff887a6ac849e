"""Bands of ranks: uniform ranks stay in them as often as is said, others do not."""

import numpy as np
import pytest
from scipy import stats

from pathfinder._sampling.uniform_ranks import UniformRanks


@pytest.fixture(scope="module")
def uniform():
    return UniformRanks(100, 49)


def test_uniform_ranks_are_within_the_band_as_often_as_is_said(uniform):
    rng = np.random.default_rng(1)
    low, high = uniform.band(0.9)
    inside = p_small = 0
    for _ in range(2000):
        ranks = rng.integers(0, 50, 100)
        counts = np.array([np.sum(ranks < place) for place in range(1, 50)])
        np.testing.assert_array_equal(uniform.counts_below(ranks), counts)
        inside += bool(np.all((low <= counts) & (counts <= high)))
        p_small += uniform.p_value(ranks) <= 0.1
    # counts are whole numbers, so that the band holds a little more than it has to
    error = 4 * np.sqrt(0.1 * 0.9 / 2000)
    assert 0.9 - error < inside / 2000 < 0.9 + 2 * error
    assert 0.1 - 2 * error < p_small / 2000 < 0.1 + error


def test_the_band_holds_at_all_places_at_once(uniform):
    low, high = uniform.band(0.95)
    alone = stats.binom.ppf([[0.025], [0.975]], 100, uniform.places)
    assert np.all(low <= alone[0])
    assert np.all(high >= alone[1])
    assert np.mean(high - low) > np.mean(alone[1] - alone[0]) + 2


@pytest.mark.parametrize(("shape", "expected"), [((2, 2), True), ((0.6, 0.6), True), ((2, 1), True), ((1, 1), False)])
def test_other_ranks_are_found(uniform, shape, expected):
    ranks = np.floor(50 * stats.beta(*shape).rvs(100, random_state=2)).astype(int)
    assert (uniform.p_value(ranks) < 0.05) == expected
    low, high = uniform.band(0.95)
    counts = uniform.counts_below(ranks)
    assert np.any((counts < low) | (counts > high)) == expected


def test_chi_square_of_the_histogram(uniform):
    assert uniform.num_bins == 10
    ranks = np.random.default_rng(3).integers(0, 50, 100)
    bins = np.histogram(ranks, np.arange(0, 51, 5))[0]
    np.testing.assert_array_equal(uniform.histogram(ranks), bins)
    expected = stats.chisquare(bins)
    assert uniform.chi_square(ranks) == pytest.approx((expected.statistic, expected.pvalue))


def test_few_ranks_have_two_bins():
    assert UniformRanks(7, 9).num_bins == 2
    assert UniformRanks(7, 10).num_bins == 1  # eleven ranks have no other bins of equal width
