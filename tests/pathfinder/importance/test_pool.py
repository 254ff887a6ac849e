"""By which powers of their weights draws are chosen, and what the result says of it."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import pathfinder
import psis
from pathfinder import Model
from pathfinder._importance.pool import ENOUGH_OF_WANTED, Pool, choice_power, weights_will_do
from pathfinder._settings import Settings


DIM = 60
SHAPE = 1.5


def effective(log_weights):
    weights = np.exp(log_weights - log_weights.max())
    return weights.sum() ** 2 / (weights**2).sum()


def smoothed(spread, count=4000):
    return psis.smooth_log_weights(spread * np.random.default_rng(0).normal(size=count))


def test_reliable_weights_are_taken_as_they_are():
    """Whether or not as many draws are effective as are wanted."""
    mild = smoothed(1.2)
    assert mild.effective_sample_size < ENOUGH_OF_WANTED * 3000
    assert choice_power(mild, mild.effective_sample_size, Settings(num_psis_draws=3000)) == 1.0


@pytest.mark.parametrize("wanted", [200, 1000, 10**6])
def test_unreliable_ones_are_tempered_until_enough_draws_are_effective(wanted):
    wild = smoothed(4.0)
    power = choice_power(wild, wild.effective_sample_size, Settings(num_psis_draws=wanted))
    assert 0 < power < 1
    enough = ENOUGH_OF_WANTED * min(wanted, 4000)
    assert effective(power * wild.log_weights) == pytest.approx(enough, rel=1e-6)


def test_few_effective_draws_of_one_coordinate_are_enough_to_be_unreliable():
    mild = smoothed(1.8)
    assert mild.pareto_k < psis.pareto_k_threshold(4000)
    settings = Settings(num_psis_draws=4000)
    assert choice_power(mild, 100.0, settings) == 1.0
    assert choice_power(mild, 99.0, settings) < 1.0


def test_whether_weights_are_tempered_is_a_setting():
    wild = smoothed(4.0)
    size = wild.effective_sample_size
    assert choice_power(wild, size, Settings(temper=False)) == choice_power(wild, size, Settings(refine=False)) == 1.0
    assert choice_power(wild, size, Settings(temper=True, refine=False)) == choice_power(wild, size, Settings())
    assert not Settings(calculate_lp=False).tempers
    with pytest.raises(ValueError, match="`temper` needs the log density"):
        Settings(temper=True, calculate_lp=False)


@pytest.fixture(scope="module")
def model():
    """Logs of gamma variables, each with a long tail to the left: in all of them together no normal fits."""
    return Model.from_log_density(lambda x: jnp.sum(SHAPE * x - jnp.exp(x)), np.zeros(DIM))


@pytest.fixture(scope="module")
def fits(model):
    options = {"seed": 1, "chains": False, "num_draws": 1000, "num_psis_draws": 1000, "progress": False}
    return [pathfinder.fit(model, temper=temper, **options) for temper in (None, False)]


def test_draws_by_tempered_weights_are_nearer_to_the_posterior(fits):
    exact = scipy.stats.loggamma(SHAPE)
    quantiles = exact.ppf((np.arange(1000) + 0.5) / 1000)

    def distance(result):
        return np.mean(np.abs(np.sort(result.unconstrained_draws, axis=0) - quantiles[:, None])) / exact.std()

    tempered, plain = map(distance, fits)
    assert tempered < 0.7 * plain


def test_the_result_says_that_weights_were_tempered(fits):
    tempered, plain = fits
    np.testing.assert_array_equal(tempered.pool.log_weights, plain.pool.log_weights)
    assert not weights_will_do(tempered.pool, tempered.settings)
    assert tempered.weight_power == tempered.pool.weight_power < 1 == plain.weight_power
    assert (tempered.draws_from, plain.draws_from) == ("tempered weights", "weights")
    words = f"by the weights to the power {tempered.weight_power:.2g}"
    assert words in repr(tempered)
    assert words not in repr(plain)
    assert not tempered.is_reliable
    assert tempered.to_inferencedata()["posterior"].attrs["weight_power"] == tempered.weight_power
    assert len(np.unique(tempered.rows)) > 1.2 * len(np.unique(plain.rows))
    again = tempered.resample(1000, seed=3)
    assert again.weight_power == tempered.weight_power
    assert len(np.unique(again.rows)) > 1.2 * len(np.unique(plain.rows))


def test_the_weights_themselves_are_still_there(fits):
    every = fits[0].weighted()
    assert every.weight_power == 1.0
    assert every.draws_from == "weights"
    np.testing.assert_allclose(every.weights, np.exp(every.pool.log_weights), rtol=1e-12)
    assert "to the power" not in repr(every)


def pool_of(count, size, by_coordinate, of_tails, pareto_k=0.3):
    each, numbers = np.zeros(count), np.zeros(count, int)
    return Pool(
        numbers, numbers, numbers, each, each, each, each - np.log(count), pareto_k, np.zeros(1), size, 0,
        np.array([by_coordinate]), tail_sizes_by_coordinate=np.array([of_tails]),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("count", "wanted", "sizes", "will_do"),
    [
        (4000, 1000, (500.0, 250.0, 100.0), True),
        (4000, 1000, (499.0, 250.0, 100.0), False),
        (4000, 1000, (500.0, 249.0, 100.0), False),
        (4000, 1000, (500.0, 250.0, 99.0), False),
        (4000, 100, (100.0, 100.0, 100.0), True),  # however few are wanted
        (4000, 100, (99.0, 100.0, 100.0), False),
        (4000, 100, (100.0, 99.0, 100.0), False),
        (4000, 100, (100.0, 100.0, 99.0), False),
        (100, 100, (50.0, 25.0, 25.0), True),  # nor can more be effective than there are
        (100, 100, (50.0, 25.0, 24.0), False),
    ],
)
def test_when_weights_will_do(count, wanted, sizes, will_do):
    settings = Settings(num_psis_draws=wanted)
    assert weights_will_do(pool_of(count, *sizes), settings) is will_do
    assert not weights_will_do(pool_of(count, *sizes, pareto_k=0.71), settings)


def test_a_pool_is_reliable_by_its_tails_too():
    assert pool_of(4000, 100.0, 100.0, 100.0).is_reliable
    for sizes in ((99.0, 100.0, 100.0), (100.0, 99.0, 100.0), (100.0, 100.0, 99.0)):
        assert not pool_of(4000, *sizes).is_reliable


def test_draws_of_chains_are_by_no_weights(model):
    result = pathfinder.fit(model, seed=1, num_draws=200, max_chain_gradients=10_000, progress=False)
    assert result.uses_chains
    assert result.weight_power == 1.0
    assert dataclasses.replace(result, uses_chains=False, rows=np.arange(3)).weight_power < 1.0
