"""Against all outcomes of the trials, and Stan's own functions (stanli 0.24)."""

import itertools

import jax
import numpy as np
import pytest

from pathfinder.stan._library.densities import DISTRIBUTIONS


THETA = np.array([0.2, 0.5, 0.7, 0.05])
poisson_binomial = DISTRIBUTIONS["poisson_binomial"]


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def masses(theta):
    """By the probability of every outcome of the trials."""
    total = [0.0] * (len(theta) + 1)
    for outcome in itertools.product([0, 1], repeat=len(theta)):
        total[sum(outcome)] += np.prod(np.where(outcome, theta, 1 - np.asarray(theta)))
    return np.array(total)


def test_masses_and_tails():
    expected = masses(THETA)
    for n in range(len(THETA) + 1):
        np.testing.assert_allclose(poisson_binomial.log_density(n, THETA), np.log(expected[n]), 1e-13)
        np.testing.assert_allclose(poisson_binomial.cdf(n, THETA), expected[: n + 1].sum(), 1e-13)
        if n < len(THETA):
            np.testing.assert_allclose(poisson_binomial.lcdf(n, THETA), np.log(expected[: n + 1].sum()), 1e-13)
            np.testing.assert_allclose(poisson_binomial.lccdf(n, THETA), np.log(expected[n + 1 :].sum()), 1e-13)
    assert poisson_binomial.lccdf(len(THETA), THETA) == -np.inf


def test_values_of_stan():
    theta = np.array([0.2, 0.5, 0.7])
    for function, expected in (
        (poisson_binomial.log_density, -1.8115540965562347),
        (poisson_binomial.lcdf, -0.6704076935904559),
        (poisson_binomial.lccdf, -3.4577677331503483),
    ):
        np.testing.assert_allclose(function(1, theta) + function(2, theta), expected, 1e-13)


def test_derivatives():
    slopes = jax.grad(poisson_binomial.log_density, 1)(2, THETA)
    for i in range(len(THETA)):
        # the mass is linear in each chance
        with_success, without = (np.log(masses(np.where(np.arange(4) == i, x, THETA))[2]) for x in (1.0, 0.0))
        expected = (np.exp(with_success) - np.exp(without)) / masses(THETA)[2]
        np.testing.assert_allclose(slopes[i], expected, 1e-12)


def test_many_trials_do_not_underflow():
    theta = np.full(3000, 0.5)
    np.testing.assert_allclose(poisson_binomial.log_density(0, theta), 3000 * np.log(0.5), 1e-13)


def test_edges():
    certain = np.array([0.0, 1.0, 1.0])
    assert poisson_binomial.log_density(2, certain) == 0.0
    assert poisson_binomial.log_density(1, certain) == -np.inf
    assert poisson_binomial.log_density(-1, THETA) == -np.inf
    assert poisson_binomial.log_density(5, THETA) == -np.inf
    assert np.isnan(poisson_binomial.log_density(1, np.array([0.5, 1.5])))


def test_random_numbers():
    draws = jax.vmap(lambda key: poisson_binomial.rng(key, THETA))(jax.random.split(jax.random.key(1), 20_000))
    shares = np.bincount(draws, minlength=5) / draws.size
    error = np.sqrt(masses(THETA) * (1 - masses(THETA)) / draws.size)
    assert np.all(np.abs(shares - masses(THETA)) < 4.5 * error)
