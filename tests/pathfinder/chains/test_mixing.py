"""Nested R-hat against its definition, and each diagnostic against chains that it has to see through."""

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from pathfinder._chains.mixing import mixing, normal_scores


SUPERCHAINS, PER_START, ITERATIONS = 20, 5, 16


def independent(quantities=3, seed=0, iterations=ITERATIONS):
    return np.random.default_rng(seed).normal(size=(iterations, SUPERCHAINS * PER_START, quantities))


def by_definition(values, num_superchains):
    """Margossian et al. (2024), equations 4 to 6, one loop for each sum."""
    chains = np.split(values, num_superchains, axis=1)
    means = [part.mean() for part in chains]
    between = np.var(means, ddof=1)
    within = []
    for part in chains:
        of_chains = part.mean(axis=0)
        within.append(np.var(of_chains, ddof=1) + np.mean([np.var(own, ddof=1) for own in part.T]))
    return np.sqrt(1 + between / np.mean(within))


def test_nested_rhat_is_that_of_the_paper_on_normal_scores():
    values = independent(2) + np.repeat(np.random.default_rng(3).normal(size=(SUPERCHAINS, 2)), PER_START, axis=0)
    scores = norm.ppf((rankdata(values[..., 0]) - 0.375) / (values[..., 0].size + 0.25)).reshape(values.shape[:2])
    np.testing.assert_allclose(normal_scores(values)[..., 0], scores)
    np.testing.assert_allclose(mixing(values, SUPERCHAINS).nested_rhat[0], by_definition(scores, SUPERCHAINS))


def test_independent_draws_have_mixed():
    found = mixing(independent(200), SUPERCHAINS)
    assert found.nested_rhat.max() < 1.02
    np.testing.assert_allclose(np.median(found.effective_sample_size), ITERATIONS * 100, rtol=0.05)
    for drift in (found.drift, found.spread_drift):
        assert (drift <= 0.05).all()
        assert (drift == 0).mean() > 0.95


def test_chains_that_stay_where_they_began_have_not():
    stuck = np.repeat(np.random.default_rng(1).normal(size=(SUPERCHAINS, 1)), PER_START, axis=0)
    found = mixing(stuck + 0.1 * independent(1), SUPERCHAINS)
    assert found.nested_rhat[0] > 2
    assert found.effective_sample_size[0] < 1.2 * SUPERCHAINS * PER_START


def test_chains_that_move_together_drift():
    """All of them alike, so that superchains agree: R-hat does not see it."""
    moving = independent(1) + np.linspace(0.0, 1.0, ITERATIONS)[:, None, None]
    found = mixing(moving, SUPERCHAINS)
    assert found.nested_rhat[0] < 1.03
    assert found.drift[0] > 0.2
    assert found.spread_drift[0] == 0


def test_chains_that_spread_together_drift():
    """As they do where a posterior has no end: their median stays, and superchains agree."""
    spreading = independent(1) * np.linspace(1.0, 3.0, ITERATIONS)[:, None, None]
    found = mixing(spreading, SUPERCHAINS)
    assert found.nested_rhat[0] < 1.03
    assert found.drift[0] < 0.05
    assert found.spread_drift[0] > 0.2


def test_slow_chains_have_few_draws():
    noise = independent(50)
    slow = np.empty_like(noise)
    slow[0] = noise[0]
    for iteration in range(1, ITERATIONS):
        slow[iteration] = 0.9 * slow[iteration - 1] + np.sqrt(1 - 0.81) * noise[iteration]
    lag = np.arange(1, ITERATIONS)
    expected = ITERATIONS * 100 / (1 + 2 * np.sum((1 - lag / ITERATIONS) * 0.9**lag))
    np.testing.assert_allclose(np.median(mixing(slow, SUPERCHAINS).effective_sample_size), expected, rtol=0.1)


def test_ranks_do_not_care_for_tails_or_units():
    values = independent(1)
    heavy = np.sinh(3 * values) * 1e100
    for one, other in zip(mixing(values, SUPERCHAINS), mixing(heavy, SUPERCHAINS), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_constants_and_what_is_no_number():
    values = independent(3)
    values[..., 1] = 4.0
    values[2, 3, 2] = np.inf
    found = mixing(values, SUPERCHAINS)
    assert (found.nested_rhat[1], found.effective_sample_size[1], found.drift[1]) == (1.0, ITERATIONS * 100, 0.0)
    assert np.isnan([found.nested_rhat[2], found.effective_sample_size[2], found.drift[2], found.spread_drift[2]]).all()


@pytest.mark.parametrize("quantities", [64, 65, 130])
def test_quantities_are_judged_one_by_one(quantities):
    values = independent(quantities, iterations=4)
    whole = mixing(values, SUPERCHAINS)
    for place in (0, 63, quantities - 1):
        alone = mixing(values[..., place : place + 1], SUPERCHAINS)
        np.testing.assert_allclose([column[place] for column in whole], [column[0] for column in alone])
