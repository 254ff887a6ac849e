"""Fits of PyMC models."""

import numpy as np
import pytest


pytest.importorskip("pymc")

import pymc as pm  # noqa: E402

from pathfinder import Model, fit, fit_batch  # noqa: E402
from pathfinder._fitting.initial_points import initial_points  # noqa: E402
from tests.pathfinder.interop import pymc_models  # noqa: E402
from tests.pathfinder.interop.same_models import EIGHT_SCHOOLS, eight_schools  # noqa: E402


OPTIONS = {"seed": 1, "num_draws": 100, "num_psis_draws": 50, "progress": False}


@pytest.fixture(scope="module")
def pymc_model():
    return pymc_models.eight_schools()


@pytest.fixture(scope="module")
def result(pymc_model):
    return fit(pymc_model, **OPTIONS)


def test_fit_gives_the_draws_of_the_same_model_in_jax(result):
    expected = fit(eight_schools(), **OPTIONS)
    assert list(result.draws) == ["mu", "tau", "theta_tilde", "theta"]
    for name, values in expected.draws.items():
        np.testing.assert_allclose(result.draws[name], values, rtol=1e-4, atol=1e-4)


def test_a_fit_with_other_data_compiles_nothing(pymc_model, result, jax_events):
    compiled = jax_events("backend_compile_duration")
    with pymc_model:
        pm.set_data({"y": EIGHT_SCHOOLS["y"] + 20})
        other = fit(Model.from_pymc(), **OPTIONS)
        pm.set_data({"y": EIGHT_SCHOOLS["y"]})
    assert compiled == []
    assert other.draws["mu"].mean() > result.draws["mu"].mean() + 1


def test_groups_are_those_of_pymc(pymc_model, result):
    own = result.to_inferencedata()
    with pymc_model:
        expected = pm.sample_prior_predictive(draws=2, random_seed=1)
    assert set(own.posterior.data_vars) == set(expected.prior.data_vars)
    for name, values in expected.prior.data_vars.items():
        assert own.posterior[name].dims == values.dims
    np.testing.assert_array_equal(own.posterior["school"], expected.prior["school"])
    for group in ("observed_data", "constant_data"):
        found = own[group].drop_attrs()
        assert found.equals(expected[group].drop_attrs())


def test_likelihood_and_predictions_are_in_the_groups_of_pymc(pymc_model, result):
    own = result.to_inferencedata(log_likelihood=True, posterior_predictive=True)
    data = result.to_inferencedata()
    with pymc_model:
        pm.compute_log_likelihood(data, progressbar=False)
        pm.sample_posterior_predictive(data, extend_inferencedata=True, progressbar=False, random_seed=1)
    for group in ("log_likelihood", "posterior_predictive"):
        assert set(own[group].data_vars) == set(data[group].data_vars) == {"effect"}
        assert own[group]["effect"].dims == data[group]["effect"].dims == ("chain", "draw", "school")
    np.testing.assert_allclose(own.log_likelihood["effect"], data.log_likelihood["effect"], rtol=1e-10)
    # The means of predictions about the same effects differ by the noise alone.
    noise = EIGHT_SCHOOLS["sigma"] * np.sqrt(2 / 50)
    difference = (own.posterior_predictive - data.posterior_predictive)["effect"].mean(("chain", "draw"))
    assert np.all(np.abs(difference) < 5 * noise)
    # PyMC has put the observed variable into the model another time.
    assert Model.from_pymc(pymc_model).observed == ("effect",)


def test_fits_of_many_data_sets_are_those_of_each(pymc_model):
    y = EIGHT_SCHOOLS["y"] + np.array([[0.0], [5.0]])
    options = {name: value for name, value in OPTIONS.items() if name != "seed"}
    results = fit_batch(pymc_model, {"y": y}, seed=3, **options)  # the standard errors stay
    with pymc_model:
        pm.set_data({"y": y[1]})
        alone = fit(pymc_model, seed=results.keys[1], **options)
        pm.set_data({"y": EIGHT_SCHOOLS["y"]})
    for name, values in alone.draws.items():
        np.testing.assert_allclose(results[1].draws[name], values, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(results[1].model.named_data["effect"], y[1])


def test_paths_start_around_the_initial_point_of_pymc():
    with pm.Model() as model:
        pm.HalfNormal("scale", 100, initval=20.0)
        pm.Normal("x", 0, 100, initval=[50.0, -50.0], shape=2)
    center = np.array([np.log(20.0), 50.0, -50.0])
    points = initial_points(Model.from_pymc(model), "pymc", 3, None)
    np.testing.assert_allclose(points.center, np.tile(center, (3, 1)))
    assert np.all(points.radius == 1)  # as in PyMC's jitter
    assert np.all(initial_points(Model.from_pymc(model), "pymc", 3, 0.5).radius == 0.5)
    options = {**OPTIONS, "num_paths": 2}
    found = fit(model, init="pymc", init_radius=0, **options)
    expected = fit(model, init={"scale": 20.0, "x": center[1:]}, **options)
    np.testing.assert_array_equal(found.draws["x"], expected.draws["x"])
    np.testing.assert_array_equal(
        found.draws["x"], fit(model, init={"scale": 20.0, "x": center[1:]}, **{**OPTIONS, "num_paths": 2}).draws["x"]
    )


def test_only_pymc_models_start_there(result):
    with pytest.raises(ValueError, match="`init` is 'pymc', but 'eight_schools' is no PyMC model"):
        fit(eight_schools(), init="pymc", **OPTIONS)
    with pytest.raises(ValueError, match="must be parameters, 'pymc' or None, but 'prior' was given"):
        fit(result.model, init="prior", **OPTIONS)
