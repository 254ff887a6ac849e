"""Estimates from draws with weights, against what happens when an experiment is repeated."""

import numpy as np
import pytest
import scipy.stats

import psis
from pathfinder_cli._inputs.draws_file import DrawsFile
from pathfinder_cli._inputs.estimates import estimates, joined


TIMING = ("Elapsed Time: 1.000000 seconds (Pathfinders)", "0.100000 seconds (PSIS)")


def proposed(rng, count):
    """Draws of a normal that is too narrow for the standard normal, with both log densities."""
    x = rng.normal(0.2, 0.9, count)
    return np.column_stack([scipy.stats.norm.logpdf(x, 0.2, 0.9), scipy.stats.norm.logpdf(x), x, x**2])


def file_of(draws, comments=()):
    return DrawsFile("x.csv", ("lp_approx__", "lp__", "x", "square"), draws, comments)


def resampled(rng, count):
    draws = proposed(rng, 300)
    weights = np.exp(psis.smooth_log_weights(draws[:, 1] - draws[:, 0]).log_weights)
    return file_of(draws[rng.choice(300, count, p=weights / weights.sum())], TIMING)


def weighted(rng, count):
    return file_of(proposed(rng, count))


@pytest.mark.parametrize("make", [resampled, weighted])
def test_standard_errors_are_those_of_repeated_runs(make):
    rng = np.random.default_rng(1)
    found = [estimates(joined([make(rng, 250)]), [0.5]) for _ in range(400)]
    spread = np.std([each.mean[2:] for each in found], axis=0)
    told = np.sqrt(np.mean([each.mcse[2:] ** 2 for each in found], axis=0))
    np.testing.assert_allclose(told, spread, rtol=0.15)  # the spread of 400 has a relative error of 3.5 %
    np.testing.assert_allclose(np.mean([each.mean[2:] for each in found], axis=0), [0, 1], atol=0.06)
    sizes = np.median([each.effective_sample_size[2] for each in found])
    assert sizes == pytest.approx(1 / spread[0] ** 2, rel=0.2)  # the variance is one


def test_weights_are_those_of_all_files_together():
    rng = np.random.default_rng(2)
    near, far = proposed(rng, 200), proposed(rng, 300)
    far[:, 1] -= 50  # a path in a mode without mass
    sample = joined([file_of(near), file_of(far)])
    assert sample.weights[200:].sum() < 1e-12
    assert sample.weights.sum() == pytest.approx(1)
    assert sample.reliability.startswith("Pareto k-hat")


def test_a_file_that_is_given_twice_is_worth_no_more():
    file = resampled(np.random.default_rng(3), 250)
    once, twice = (estimates(joined([file] * count), [0.5]).effective_sample_size for count in (1, 2))
    np.testing.assert_allclose(once, twice)


def test_copies_with_nan_are_copies():
    file = resampled(np.random.default_rng(3), 250)
    expected = estimates(joined([file]), [0.5]).effective_sample_size[2]
    file.draws[:, 3] = np.nan
    found = estimates(joined([file]), [0.5])
    assert found.effective_sample_size[2] == pytest.approx(expected)
    assert np.isnan([found.mean[3], found.mcse[3], found.effective_sample_size[3]]).all()


@pytest.mark.parametrize("comments", [(), ("calculate_lp = false",)])
def test_draws_without_weights_have_no_known_size(comments):
    draws = proposed(np.random.default_rng(4), 50)
    if not comments:
        draws[:, 1] = np.nan
    sample = joined([file_of(draws, comments)])
    found = estimates(sample, [0.5])
    assert sample.reliability == ""
    assert np.isnan(found.effective_sample_size).all()
    assert found.mean[2] == pytest.approx(draws[:, 2].mean())
