"""Fits of many data sets at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder


NUM_FITS = 6
PLAIN = {"refine": False, "schedule": "cmdstan", "chains": False}
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


@pytest.mark.parametrize("driver", ["host", "compiled"])
def test_each_fit_is_that_of_its_data_alone(data, driver):
    batch = pathfinder.fit_batch(log_density, data, jnp.zeros(3), seed=3, driver=driver, **FEW)
    for number in (0, NUM_FITS - 1):
        own = jax.tree_util.tree_map(lambda leaf, i=number: leaf[i], data)
        alone = pathfinder.fit(log_density, jnp.zeros(3), data=own, seed=batch.keys[number], driver=driver, **FEW)
        np.testing.assert_allclose(batch[number].draws["x"], alone.draws["x"], rtol=1e-6)
        np.testing.assert_allclose(batch.pareto_k[number], alone.pareto_k, atol=1e-3)
        assert batch.num_densities[number] == alone.num_densities
        assert batch.num_gradients[number] == alone.num_gradients


def test_data_of_a_model_that_are_left_out_are_the_same_for_all_fits(data):
    sd = data["sd"][0]
    model = pathfinder.Model.from_log_density(log_density, jnp.zeros(3), data={"mean": np.zeros(3), "sd": sd})
    found = pathfinder.fit_batch(model, {"mean": data["mean"]}, seed=3, **FEW)
    every = {"mean": data["mean"], "sd": np.tile(sd, (NUM_FITS, 1))}
    expected = pathfinder.fit_batch(model, every, seed=3, **FEW)
    np.testing.assert_array_equal(found.draws["x"], expected.draws["x"])


def test_each_refined_fit_is_that_of_its_data_alone():
    """Fits with one mode or two, that adapt for different numbers of rounds."""

    def curved(x, data):
        return -0.5 * (x[0] / 2) ** 2 - 0.5 * ((x[1] - data["bend"] * x[0] ** 2) / 0.5) ** 2 + data["gap"] * x[0] ** 2

    data = {"bend": np.array([0.0, 0.3, 1.0, 0.0, 2.0]), "gap": np.array([0.0, 0.0, 0.05, 0.0, 0.05])}
    settings = {**FEW, "refine": True, "num_psis_draws": 200}
    fits = pathfinder.fit_batch(curved, data, jnp.zeros(2), seed=3, **settings)
    adapted = [own.refinement.num_adapted for own in fits]
    assert len(set(adapted)) > 1
    for number, own in enumerate(fits):
        own_data = {name: values[number] for name, values in data.items()}
        alone = pathfinder.fit(curved, jnp.zeros(2), data=own_data, seed=fits.keys[number], **settings)
        assert adapted[number] == alone.refinement.num_adapted
        assert own.num_densities == alone.num_densities
        np.testing.assert_allclose(own.pool.log_proposal, alone.pool.log_proposal, rtol=1e-6)
        np.testing.assert_allclose(own.pareto_k, alone.pareto_k, rtol=1e-6)
        np.testing.assert_allclose(own.draws["x"], alone.draws["x"], rtol=1e-6)


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


@pytest.mark.parametrize("refine", [False, True])
def test_fits_without_a_path_that_succeeds(refine):
    settings = {**FEW, "refine": refine}
    fits = pathfinder.fit_batch(lambda x, data: jnp.sum(x) + 0 * data, np.ones(2), jnp.zeros(3), seed=1, **settings)
    assert np.all(fits.status == pathfinder.Status.LINE_SEARCH_FAILED_AT_START)
    assert (fits.draws, fits.num_draws.tolist(), fits.succeeded.any()) == ({}, [0, 0], False)


@pytest.mark.parametrize(("refine", "distance"), [(False, 2.0), (True, None)])
def test_fits_with_different_numbers_of_draws(refine, distance):
    def half(x, data):
        center = 0.0 if distance is None else data + distance
        return jnp.where(x[0] < data, -jnp.inf, -jnp.sum((x - center) ** 2))

    settings = {**FEW, "refine": refine, "num_paths": 4, "num_draws": 50, "psis_resample": False}
    fits = pathfinder.fit_batch(half, np.array([-9.0, 1.0, 1.9]), jnp.zeros(1), seed=3, **settings)
    assert len(set(fits.num_draws)) > 1
    assert fits.draws["x"].shape[1] == fits.num_draws.max()
    for fit in np.flatnonzero(fits.succeeded):
        size = fits.num_draws[fit]
        np.testing.assert_array_equal(fits.draws["x"][fit, :size], fits[fit].draws["x"])
        assert np.all(np.isnan(fits.draws["x"][fit, size:]))


def test_status_of_a_density_that_is_the_same_everywhere():
    def switched(x, data):
        return jnp.where(data > 0, 3.0, -jnp.sum(x**2))

    with pytest.warns(UserWarning, match="1 of 2 fits: The log density is the same at every point"):
        fits = pathfinder.fit_batch(switched, np.array([-1.0, 1.0]), jnp.zeros(2), seed=1, **FEW)
    constant = fits.status == pathfinder.Status.CONSTANT_DENSITY
    assert constant.tolist() == [[False, False], [True, True]]
    with pytest.warns(UserWarning, match="the same at every point"):
        assert [path.status for path in fits[1].paths] == fits.status[1].tolist()


def test_leaks_of_traced_values_are_explained():
    kept = []

    def leaky(x, data):
        kept.append(x * data)
        return jnp.sum(kept[0] ** 2)

    with pytest.raises(ValueError, match="The log density cannot be traced by JAX: a traced value was kept"):
        pathfinder.fit_batch(leaky, np.ones(2), jnp.zeros(1), seed=1, **FEW)
