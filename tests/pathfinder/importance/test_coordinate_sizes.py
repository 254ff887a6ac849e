"""How many weighted draws are effective for each coordinate."""

import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, constraints
from pathfinder._importance import pool, weighing
from pathfinder._importance.coordinate_sizes import coordinate_sizes, sizes_by_coordinate, tail_sizes_by_coordinate
from pathfinder._importance.pool import ADAPTED_OF_WANTED, weights_will_do


def weighted_draws(seed=0, count=400):
    """Draws of a normal, weighted for one that is shifted along the first coordinate."""
    points = np.random.default_rng(seed).standard_normal((count, 3))
    weights = np.exp(1.2 * points[:, 0])
    return weights / weights.sum(), points


def test_sizes_are_those_of_their_formula():
    weights, points = weighted_draws()
    mean = weights @ points
    expected = weights @ (points - mean) ** 2 / (weights**2 @ (points - mean) ** 2)
    centre, scale = np.array([3.0, -2.0, 0.0]), np.array([0.1, 7.0, 1.0])
    whole = sizes_by_coordinate([(weights, points)], centre, scale)
    np.testing.assert_allclose(whole, expected, rtol=1e-9)
    parts = [(weights[part], points[part]) for part in (slice(0, 150), slice(150, 400))]
    np.testing.assert_allclose(sizes_by_coordinate(parts, centre, scale), expected, rtol=1e-9)


def test_all_draws_count_however_many_are_gone_through_together(monkeypatch):
    centre, scale = np.zeros(3), np.ones(3)
    parts = [weighted_draws(seed, count) for seed, count in ((1, 100), (2, 7))]
    parts = [(0.5 * weights, points) for weights, points in parts]
    whole = sizes_by_coordinate(parts, centre, scale), tail_sizes_by_coordinate(parts)
    for at_once in (1, 40, 1000):
        monkeypatch.setattr("pathfinder._importance.coordinate_sizes.NUMBERS_AT_ONCE", at_once)
        for found, expected in zip(coordinate_sizes(parts, centre, scale), whole, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_error_of_a_mean_is_what_its_size_says():
    """In the coordinate that the weights depend on fewer draws are effective than by the weights alone."""
    found, means = [], []
    for seed in range(400):
        weights, points = weighted_draws(seed)
        found.append(sizes_by_coordinate([(weights, points)], np.zeros(3), np.ones(3)))
        means.append(weights @ points)
    sizes = 1.0 / np.var(means, axis=0)  # of coordinates whose variance is 1 under the target
    typical = 1.0 / np.mean(1.0 / np.array(found), axis=0)
    np.testing.assert_allclose(typical, sizes, rtol=0.35)
    assert typical[0] < 0.7 * typical[1]


def tail_size(weights, inside):
    """By definition, of the probability of what is inside."""
    mass = weights[inside].sum()
    return mass * (1 - mass) / np.sum(weights**2 * (inside - mass) ** 2)


def test_sizes_of_tails_are_those_of_their_formula():
    """With equal weights, 400 of 400 draws by them are the draws themselves, so that tails begin at the twentieth."""
    points = np.random.default_rng(3).standard_normal((400, 2))
    equal = np.full(400, 1 / 400)
    np.testing.assert_allclose(tail_sizes_by_coordinate([(equal, points)]), 400.0, rtol=1e-9)
    weights, points = weighted_draws(count=4000)
    parts = [(weights[part], points[part]) for part in (slice(0, 1), slice(1, 1500), slice(1500, 4000))]
    found = tail_sizes_by_coordinate(parts)
    np.testing.assert_allclose(found, tail_sizes_by_coordinate([(weights, points)]), rtol=1e-9)
    order = np.argsort(points, axis=0)
    below = np.cumsum(np.take_along_axis(weights[:, None], order, axis=0), axis=0)
    for coordinate, size in enumerate(found):
        at = [points[order[np.searchsorted(below[:, coordinate], p), coordinate], coordinate] for p in (0.05, 0.95)]
        column = points[:, coordinate]
        exact = min(tail_size(weights, column <= at[0]), tail_size(weights, column >= at[1]))
        assert size == pytest.approx(exact, rel=0.3)  # where tails begin is known from 400 draws


def test_the_tail_that_a_proposal_hardly_reaches_has_the_fewest():
    """Weights of a wider normal: the mean has far more effective draws than tails."""
    points = 0.6 * np.random.default_rng(0).standard_normal((4000, 2))
    weights = np.exp(-0.5 * points[:, 0] ** 2 * (1 - 1 / 0.36))
    weights /= weights.sum()
    means = sizes_by_coordinate([(weights, points)], np.zeros(2), np.ones(2))
    tails = tail_sizes_by_coordinate([(weights, points)])
    assert tails[0] < 0.5 * means[0] < means[1]
    assert tails[1] > 2 * tails[0]


def test_draws_without_weight_may_be_anywhere():
    weights, points = weighted_draws()
    weights, points = np.append(weights, 0.0), np.vstack([points, np.full(3, np.inf)])
    expected = sizes_by_coordinate([(weights[:-1], points[:-1])], np.zeros(3), np.ones(3))
    np.testing.assert_array_equal(sizes_by_coordinate([(weights, points)], np.zeros(3), np.ones(3)), expected)
    expected = tail_sizes_by_coordinate([(weights[:-1], points[:-1])])
    np.testing.assert_allclose(tail_sizes_by_coordinate([(weights, points)]), expected, rtol=1e-12)


def test_of_a_coordinate_that_does_not_vary_the_weights_tell():
    weights, points = weighted_draws()
    points[:, 1] = 0.5
    sizes = sizes_by_coordinate([(weights, points)], np.full(3, 0.5), np.ones(3))
    assert sizes[1] == pytest.approx(1.0 / np.sum(weights**2))
    single = sizes_by_coordinate([(np.ones(1), points[:1])], np.zeros(3), np.ones(3))
    np.testing.assert_array_equal(single, np.ones(3))
    assert tail_sizes_by_coordinate([(weights, points)])[1] == pytest.approx(1.0 / np.sum(weights**2))
    np.testing.assert_array_equal(tail_sizes_by_coordinate([(np.ones(1), points[:1])]), np.ones(3))


@pytest.fixture(scope="module")
def six_observations():
    """A normal model, in which the tail of the log of the scale is heavier than that of a normal."""
    y = jnp.array([1.2, 3.4, 2.2, 0.4, 2.9, 1.7])

    def log_density(p):
        prior = -0.5 * (p["mu"] / 10) ** 2 - 0.5 * (p["sigma"] / 5) ** 2
        return prior - 0.5 * jnp.sum(((y - p["mu"]) / p["sigma"]) ** 2) - 6 * jnp.log(p["sigma"])

    return Model.from_log_density(log_density, {"mu": 0.0, "sigma": 1.0}, constraints={"sigma": constraints.positive})


@pytest.mark.parametrize("seed", [2, 3, 5])  # the first normal of others is enough
def test_proposals_are_adapted_until_enough_draws_are_effective_in_every_coordinate(six_observations, seed):
    result = pathfinder.fit(six_observations, seed=seed, progress=False)
    assert 0 < result.refinement.num_adapted < weighing.MOST_ADAPTED
    every = result.weighted()
    weights, points = every.weights, every.unconstrained_draws
    mean = weights @ points
    expected = weights @ (points - mean) ** 2 / (weights**2 @ (points - mean) ** 2)
    np.testing.assert_allclose(result.pool.sizes_by_coordinate, expected, rtol=1e-6)
    sizes = [*result.pool.sizes_by_coordinate, result.effective_sample_size]
    assert result.pool.least_effective_sample_size == min(sizes) >= ADAPTED_OF_WANTED * 1000
    assert result.pareto_k < 0.7
    assert weights_will_do(result.pool, result.settings)
    assert result.chains is None


def test_draws_of_too_many_numbers_are_not_made_again(six_observations, monkeypatch):
    monkeypatch.setattr(weighing, "MOST_NUMBERS", 1000)
    monkeypatch.setattr(pool, "MOST_NUMBERS", 1000)
    for refine in (True, False):
        result = pathfinder.fit(six_observations, seed=2, chains=False, refine=refine, progress=False)
        assert result.pool.sizes_by_coordinate.size == result.pool.tail_sizes_by_coordinate.size == 0
        assert result.pool.least_effective_sample_size == result.effective_sample_size
        assert result.pool.least_tail_size == np.inf
        assert pool.with_sizes(result.pool, result.source) is result.pool


def test_draws_of_paths_are_judged_by_coordinate_too(six_observations):
    """Their weights alone would do."""
    result = pathfinder.fit(six_observations, seed=5, refine=False, progress=False)
    assert result.pool.sizes_by_coordinate.size == 0  # before someone asks
    judged = pool.with_sizes(result.pool, result.source)
    every = result.weighted()
    weights, points = every.weights, every.unconstrained_draws
    mean = weights @ points
    expected = weights @ (points - mean) ** 2 / (weights**2 @ (points - mean) ** 2)
    np.testing.assert_allclose(judged.sizes_by_coordinate, expected, rtol=1e-6)
    assert result.is_reliable is judged.is_reliable
    assert pool.with_sizes(judged, result.source) is judged
    assert judged.least_tail_size < judged.least_effective_sample_size < result.effective_sample_size
