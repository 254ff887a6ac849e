import inspect
import warnings

import numpy as np
import pytest

from psis import relative_efficiency


def autoregressive(coefficient, num_chains, num_draws, rng):
    draws = rng.normal(size=(num_chains, num_draws))
    draws[:, 0] /= np.sqrt(1 - coefficient**2)
    for i in range(1, num_draws):
        draws[:, i] += coefficient * draws[:, i - 1]
    return draws


@pytest.mark.parametrize("shape", [(1, 4), (1, 5), (2, 6), (3, 7), (4, 8), (1, 9), (2, 100), (4, 501)])
def test_agrees_with_arviz(arviz, shape):
    rng = np.random.default_rng(shape)
    for coefficient in (-0.95, -0.3, 0.0, 0.6, 0.95, 0.99):
        draws = autoregressive(coefficient, *shape, rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = arviz.ess(draws, method="mean", relative=True)
        assert relative_efficiency(draws) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("coefficient", [-0.4, 0.0, 0.7])
def test_autoregressive_chains(coefficient):
    rng = np.random.default_rng(1)
    found = [relative_efficiency(autoregressive(coefficient, 4, 2000, rng)) for _ in range(20)]
    expected = (1 - coefficient) / (1 + coefficient)
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / np.sqrt(20) + 0.02 * expected)


def test_chains_that_disagree_are_inefficient():
    draws = np.random.default_rng(2).normal(size=(4, 500)) + 10 * np.arange(4)[:, None]
    assert relative_efficiency(draws) < 0.01


def test_alternating_draws_reach_the_bound():
    draws = np.tile([1.0, -1.0], (2, 50)) + 1e-3 * np.random.default_rng(3).normal(size=(2, 100))
    assert relative_efficiency(draws) == pytest.approx(np.log10(200))


def test_equal_draws():
    assert relative_efficiency(np.full((2, 10), 0.1)) == 1


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        (np.ones(10), r"shape \(chains, draws >= 4\), got \(10,\)"),
        (np.ones((2, 3)), r"got \(2, 3\)"),
        (np.array([[1.0, np.nan, np.inf, 0.0]]), r"2 value\(s\) that are not finite"),
    ],
)
def test_wrong_draws_are_refused(draws, message):
    unchecked = inspect.unwrap(relative_efficiency)  # our message, also where types are checked at run time
    with pytest.raises(ValueError, match=message):
        unchecked(draws)
