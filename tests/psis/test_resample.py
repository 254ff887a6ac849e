import inspect

import jax.numpy as jnp
import numpy as np
import pytest

from psis import resample


METHODS = ["multinomial", "stratified", "systematic", "without_replacement"]
WITH_REPLACEMENT = METHODS[:3]

unchecked = inspect.unwrap(resample)  # for our messages, also where types are checked at run time

WEIGHTS = np.array([0.05, 0.0, 0.3, 0.1, 0.0, 0.25, 0.2, 0.1, 0.0])


def log(weights):
    return np.where(weights > 0, np.log(np.where(weights > 0, weights, 1)), -np.inf)


@pytest.mark.parametrize("method", WITH_REPLACEMENT)
@pytest.mark.parametrize("log_scale", [-2000.0, 0.0, 2000.0])
def test_frequencies_are_the_weights(method, log_scale):
    num_draws = 50_000
    indices = resample(log(WEIGHTS) + log_scale, num_draws, method=method, rng=np.random.default_rng(0))
    counts = np.bincount(indices, minlength=len(WEIGHTS))
    standard_error = np.sqrt(num_draws * WEIGHTS * (1 - WEIGHTS))
    assert np.all(np.abs(counts - num_draws * WEIGHTS) <= 4 * standard_error)


@pytest.mark.parametrize(("method", "bound"), [("stratified", 2), ("systematic", 1)])
def test_counts_are_near_their_expectation(method, bound):
    rng = np.random.default_rng(1)
    weights = rng.dirichlet(np.full(40, 0.3))
    total = np.zeros(40)
    for _ in range(500):
        counts = np.bincount(resample(np.log(weights), 100, method=method, rng=rng), minlength=40)
        assert np.all(np.abs(counts - 100 * weights) < bound)
        total += counts
    # Unbiased: a count off by less than `bound` has a standard deviation below `bound`.
    assert np.all(np.abs(total / 500 - 100 * weights) < 4 * bound / np.sqrt(500))


def test_multinomial_draws_are_independent():
    """The counts vary as multinomial ones do, and neighbours in the result are unrelated."""
    rng = np.random.default_rng(2)
    indices = [resample(log(WEIGHTS), 100, method="multinomial", rng=rng) for _ in range(2000)]
    variance = np.var([np.bincount(i, minlength=len(WEIGHTS)) for i in indices], axis=0)
    np.testing.assert_allclose(variance, 100 * WEIGHTS * (1 - WEIGHTS), rtol=4 * np.sqrt(2 / 2000) + 0.01)
    same = np.mean([np.mean(i[1:] == i[:-1]) for i in indices])
    expected = np.sum(WEIGHTS**2)
    assert same == pytest.approx(expected, abs=4 * np.sqrt(expected / (2000 * 99)))


def test_without_replacement_follows_successive_choice():
    """First draw: w_j. Second: sum over i != j of w_i w_j / (1 - w_i)."""
    rng = np.random.default_rng(3)
    num_repeats = 20_000
    pairs = np.array([resample(log(WEIGHTS), 2, method="without_replacement", rng=rng) for _ in range(num_repeats)])
    joint = WEIGHTS[:, None] * WEIGHTS / (1 - WEIGHTS[:, None])
    np.fill_diagonal(joint, 0)
    found = np.zeros_like(joint)
    np.add.at(found, (pairs[:, 0], pairs[:, 1]), 1 / num_repeats)
    assert np.all(np.abs(found - joint) <= 4 * np.sqrt(joint * (1 - joint) / num_repeats))
    assert np.all(np.abs(found.sum(axis=1) - WEIGHTS) <= 4 * np.sqrt(WEIGHTS / num_repeats))


def test_without_replacement_is_distinct_and_exhausts():
    log_weights = 300 * np.random.default_rng(4).normal(size=1000)  # most underflow to zero as weights
    for num_draws in (10, 999, 1000):
        indices = resample(log_weights, num_draws, method="without_replacement", rng=np.random.default_rng(5))
        assert len(np.unique(indices)) == num_draws


@pytest.mark.parametrize("method", METHODS)
def test_zero_weights_are_never_chosen(method):
    log_weights = np.full(500, -np.inf)
    log_weights[[3, 250, 499]] = [0.0, -1.0, -0.5]
    for seed in range(20):
        indices = resample(log_weights, 3, method=method, rng=np.random.default_rng(seed))
        assert set(indices) <= {3, 250, 499}
        assert indices.shape == (3,)


@pytest.mark.parametrize("method", METHODS)
def test_one_positive_weight(method):
    indices = resample(log(np.array([0.0, 1.0, 0.0])), 1, method=method, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(indices, [1])


class Constant(np.random.Generator):
    """Always gives the same number."""

    def __init__(self, number):
        super().__init__(np.random.PCG64(0))
        self.number = number

    def random(self, size=None):
        return np.full(size or (), self.number)


@pytest.mark.parametrize("method", WITH_REPLACEMENT)
@pytest.mark.parametrize("number", [0.0, np.nextafter(1, 0)])
def test_extreme_random_numbers_stay_inside(method, number):
    # (2 + nextafter(1, 0)) / 3 is rounded to 1; the outer weights underflow to zero.
    log_weights = np.array([-800.0, 0.0, 0.0, -800.0])
    indices = resample(log_weights, 3, method=method, rng=Constant(number))
    assert set(indices) <= {1, 2}


def test_offsets_of_the_strata():
    """Of pairs of equal draws, one stratum each: the same one in "systematic", any in "stratified"."""
    rng = np.random.default_rng(9)
    systematic = np.sort(resample(np.zeros(200), 100, method="systematic", rng=rng))
    assert set(np.diff(systematic)) == {2}
    stratified = np.sort(resample(np.zeros(200), 100, method="stratified", rng=rng))
    np.testing.assert_array_equal(stratified // 2, np.arange(100))
    assert np.mean(stratified % 2) == pytest.approx(0.5, abs=4 * 0.05)


@pytest.mark.parametrize("method", METHODS)
def test_any_part_is_a_sample(method):
    """The first index is distributed as the weights are, not the first of the sorted ones."""
    rng = np.random.default_rng(6)
    first = [resample(log(WEIGHTS), 4, method=method, rng=rng)[0] for _ in range(5000)]
    found = np.bincount(first, minlength=len(WEIGHTS)) / 5000
    assert np.all(np.abs(found - WEIGHTS) <= 4 * np.sqrt(WEIGHTS * (1 - WEIGHTS) / 5000))


@pytest.mark.parametrize("method", METHODS)
def test_same_generator_same_indices(method):
    one, other = (resample(log(WEIGHTS), 5, method=method, rng=np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert one.dtype == np.intp


def test_jax_weights_are_accepted():
    indices = resample(jnp.asarray([0.0, -jnp.inf]), 3, method="multinomial", rng=np.random.default_rng(8))
    np.testing.assert_array_equal(indices, [0, 0, 0])


def test_unknown_method_is_refused():
    message = '`method` must be one of "multinomial", "stratified", "systematic", "without_replacement", got .residual'
    with pytest.raises(ValueError, match=message):
        unchecked(np.zeros(3), 2, method="residual", rng=np.random.default_rng(0))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("log_weights", "num_draws", "message"),
    [
        (np.zeros(3), 0, "`num_draws` must be at least 1, got 0"),
        (np.zeros((3, 1)), 1, r"must be a vector of at least one draw, got \(3, 1\)"),
        (np.zeros(0), 1, r"must be a vector of at least one draw, got \(0,\)"),
        (np.array([0.0, np.nan]), 1, r"1 value\(s\) that are NaN or \+inf"),
        (np.array([0.0, np.inf]), 1, r"1 value\(s\) that are NaN or \+inf"),
        (np.array([-np.inf, -np.inf]), 1, "no draw a positive weight"),
    ],
)
def test_wrong_arguments_are_refused(method, log_weights, num_draws, message):
    with pytest.raises(ValueError, match=message):
        unchecked(log_weights, num_draws, method=method, rng=np.random.default_rng(0))


def test_too_few_positive_weights_are_refused():
    with pytest.raises(ValueError, match="Cannot choose 7 draws without replacement: only 6 have a positive weight"):
        resample(log(WEIGHTS), 7, method="without_replacement", rng=np.random.default_rng(0))
