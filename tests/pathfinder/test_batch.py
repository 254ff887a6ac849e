"""Fits of many data sets at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder


NUM_FITS = 6
PLAIN = {"refine": False, "schedule": "cmdstan"}
FEW = {**PLAIN, "num_paths": 2, "num_draws": 200, "num_psis_draws": 100, "progress": False}


def log_density(position, data):
    return -0.5 * jnp.sum(((position - data["mean"]) / data["sd"]) ** 2)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    return {"mean": rng.normal(size=(NUM_FITS, 3)), "sd": np.exp(rng.normal(size=(NUM_FITS, 3)))}


@pytest.fixture(scope="module")
def batch(data):
    return pathfinder.fit_batch(log_density, data, jnp.zeros(3), seed=3, **FEW)


def test_each_fit_is_that_of_its_data_alone(batch, data):
    for number in (0, NUM_FITS - 1):
        own = jax.tree_util.tree_map(lambda leaf, i=number: leaf[i], data)
        alone = pathfinder.fit(log_density, jnp.zeros(3), data=own, seed=batch.keys[number], **FEW)
        np.testing.assert_allclose(batch[number].draws["x"], alone.draws["x"], rtol=1e-6)
        np.testing.assert_allclose(batch.pareto_k[number], alone.pareto_k, atol=1e-3)
        assert batch.num_densities[number] == alone.num_densities
        assert batch.num_gradients[number] == alone.num_gradients


def test_stacked_draws_are_those_of_the_fits(batch):
    assert batch.draws["x"].shape == (NUM_FITS, 100, 3)
    for number, result in enumerate(batch):
        np.testing.assert_allclose(batch.draws["x"][number], result.draws["x"], rtol=1e-12)


def test_normal_data_sets_are_recovered(batch, data):
    error = (batch.draws["x"].mean(axis=1) - data["mean"]) / data["sd"]
    assert np.all(np.abs(error) < 5 / np.sqrt(100))
    assert batch.succeeded.all()
    assert np.all(batch.status > 0)
    assert np.all(batch.elbo > -np.inf)


def test_a_failed_fit_does_not_disturb_the_others(batch, data):
    broken = {"mean": data["mean"].copy(), "sd": data["sd"]}
    broken["mean"][2] = np.nan
    fits = pathfinder.fit_batch(log_density, broken, jnp.zeros(3), seed=3, **FEW)
    assert fits.succeeded.tolist() == [True, True, False, True, True, True]
    assert np.isnan(fits.pareto_k[2])
    assert np.all(np.isnan(fits.draws["x"][2]))
    np.testing.assert_array_equal(fits.draws["x"][3], batch.draws["x"][3])
    with pytest.raises(pathfinder.PathfinderError, match="path 1: No initial point"):
        fits[2]


def test_new_data_of_the_same_shape_are_not_traced_again(data):
    traces = []

    def counted(position, data):
        traces.append(1)
        return log_density(position, data)

    first = jax.tree_util.tree_map(lambda leaf: leaf[0], data)
    model = pathfinder.Model.from_log_density(counted, jnp.zeros(3), data=first)
    pathfinder.fit_batch(model, data, seed=1, **FEW)
    before = len(traces)
    pathfinder.fit_batch(model, jax.tree_util.tree_map(lambda leaf: leaf + 0.5, data), seed=2, **FEW)
    assert len(traces) == before


def test_generated_quantities_see_their_own_data(data):
    first = jax.tree_util.tree_map(lambda leaf: leaf[0], data)
    model = pathfinder.Model.from_log_density(
        log_density, jnp.zeros(3), data=first, generated=lambda key, x, data: {"offset": x - data["mean"]}
    )
    fits = pathfinder.fit_batch(model, data, seed=1, **FEW)
    np.testing.assert_allclose(fits.draws["offset"], fits.draws["x"] - data["mean"][:, None, :], rtol=1e-9, atol=1e-12)


def test_leading_axes_must_agree():
    unequal = {"mean": np.zeros((3, 2)), "sd": np.ones((4, 2))}
    with pytest.raises(ValueError, match=r"same leading axis.*\(3, 2\), \(4, 2\)"):
        pathfinder.fit_batch(log_density, unequal, jnp.zeros(2), **FEW)


def test_there_is_no_fit_beyond_the_last(batch):
    with pytest.raises(IndexError, match="There are 6 fits, but fit 6"):
        batch[NUM_FITS]
