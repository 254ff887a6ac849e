"""What draws of NumPyro models come with: discrete sites, predictions, log likelihoods, and the groups of ArviZ."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from numpyro import handlers
from numpyro.infer import log_likelihood
from scipy import stats

import pathfinder
from pathfinder import Model
from tests.pathfinder.interop.numpyro_models import MODELS, SIGMA, Y, arguments, eight_schools, mixture


pytest.importorskip("funsor")

FEW = {"num_paths": 2, "num_draws": 60, "num_psis_draws": 40, "seed": 1, "refine": False, "progress": False}


def made(name):
    args, kwargs = arguments(name)
    return Model.from_numpyro(MODELS[name], *args, **kwargs)


def exported(result, **arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ArviZ announces its refactoring when imported
        return result.to_inferencedata(**arguments)


@pytest.fixture(scope="module")
def schools():
    return pathfinder.fit(made("eight_schools"), **FEW)


@pytest.fixture(scope="module")
def enumerated():
    return made("enumerated_mixture")


@pytest.fixture(scope="module")
def point(enumerated):
    """Parameters of the mixture with components that overlap."""
    means, scale = np.array([-1.5, 0.0, 1.5]), np.array([0.8, 0.9, 1.0])
    return enumerated.unconstrain({"weights": [0.3, 0.3, 0.4], "means": means, "scale": scale})


def responsibilities(y):
    joint = np.array([0.3, 0.3, 0.4]) * stats.norm.pdf(y[:, None], [-1.5, 0.0, 1.5], [0.8, 0.9, 1.0])
    return joint / joint.sum(axis=1, keepdims=True), np.log(joint.sum(axis=1))


def test_a_sum_over_discrete_sites_is_the_mixture(enumerated):
    (y,), _ = arguments("mixture")
    whole = Model.from_numpyro(mixture, y)
    for position in np.random.default_rng(3).uniform(-1, 1, (5, 8)):
        np.testing.assert_allclose(enumerated.log_density(position), whole.log_density(position), rtol=1e-12)


def test_draws_of_discrete_sites_have_the_frequencies_of_their_responsibilities(enumerated, point):
    (y,), _ = arguments("enumerated_mixture")
    keys = jax.random.split(jax.random.key(0), 2000)
    draws = jax.jit(jax.vmap(lambda key: enumerated.generate_fn(key, point, enumerated.data)))(keys)
    expected, _ = responsibilities(y)
    frequencies = np.stack([(draws["component"] == component).mean(axis=0) for component in range(3)], axis=1)
    errors = (frequencies - expected) / np.sqrt(expected * (1 - expected) / 2000 + 1e-9)
    assert np.max(np.abs(errors)) < 5  # the largest of 240
    assert 0.7 < np.std(errors) < 1.3
    # Deterministic sites are those of the same draws.
    np.testing.assert_allclose(draws["center"], np.array([-1.5, 0.0, 1.5])[draws["component"]])


def test_the_log_likelihood_is_summed_over_discrete_sites(enumerated, point):
    (y,), _ = arguments("enumerated_mixture")
    found = jax.jit(enumerated.log_likelihood_fn)(point, enumerated.data)
    np.testing.assert_allclose(found["y"], responsibilities(y)[1], rtol=1e-10)


def test_predictions_follow_the_discrete_draws(enumerated, point):
    key = jax.random.key(5)
    component = jax.jit(enumerated.generate_fn)(key, point, enumerated.data)["component"]
    predicted = jax.jit(enumerated.predictive_fn)(key, point, enumerated.data)["y"]
    scaled = (predicted - np.array([-1.5, 0.0, 1.5])[component]) / np.array([0.8, 0.9, 1.0])[component]
    assert stats.kstest(scaled, "norm").pvalue > 1e-3


def test_observations_that_depend_on_each_other_have_no_log_likelihood_each():
    def shared(y):
        k = numpyro.sample("k", dist.Bernoulli(0.3))
        mu = numpyro.sample("mu", dist.Normal(0, 1))
        with numpyro.plate("row", 3):
            numpyro.sample("y", dist.Normal(mu + k, 1), obs=y)

    model = Model.from_numpyro(shared, np.ones(3))
    with pytest.raises(ValueError, match=r"values of 'y' depend on others through discrete sites \(k\)"):
        jax.eval_shape(model.log_likelihood_fn, np.zeros(1), model.data)

    def twice(y):
        mu = numpyro.sample("mu", dist.Normal(0, 1))
        with numpyro.plate("row", 3):
            k = numpyro.sample("k", dist.Bernoulli(0.3))
            numpyro.sample("one", dist.Normal(mu + k, 1), obs=y)
            numpyro.sample("other", dist.Normal(mu - k, 1), obs=y)

    model = Model.from_numpyro(twice, np.ones(3))
    with pytest.raises(ValueError, match=r"values of 'one' depend on others through discrete sites \(k\)"):
        jax.eval_shape(model.log_likelihood_fn, np.zeros(1), model.data)
    with pytest.warns(UserWarning, match="draws of 'state' are left out"):
        model = made("hidden_markov")
    with pytest.raises(ValueError, match=r"values of 'y' depend on others through discrete sites \(state\)"):
        jax.eval_shape(model.log_likelihood_fn, np.zeros(3), model.data)
    result = pathfinder.fit(model, **FEW)
    assert list(result.draws) == ["stay", "means"]
    with pytest.raises(ValueError, match="posterior_predictive=True needs a model that knows the predictive"):
        exported(result, posterior_predictive=True)


def test_discrete_sites_of_several_plates():
    def model(y):
        mu = numpyro.sample("mu", dist.Normal(0, 1))
        with numpyro.plate("column", 4), numpyro.plate("row", 3):
            k = numpyro.sample("k", dist.Bernoulli(0.3))
            j = numpyro.sample("j", dist.Bernoulli(0.2 + 0.5 * k))
            numpyro.sample("y", dist.Normal(mu + k - 2 * j, 1), obs=y)
        numpyro.sample("free", dist.Normal(mu, 1), obs=2.0)

    y = np.random.default_rng(0).normal(size=(3, 4))
    own = Model.from_numpyro(model, y)
    found = jax.jit(own.log_likelihood_fn)(np.array([0.4]), own.data)
    joint = [
        np.log((0.3 if k else 0.7) * ((0.2 + 0.5 * k) if j else (0.8 - 0.5 * k)))
        + stats.norm.logpdf(y, 0.4 + k - 2 * j)
        for k in (0, 1)
        for j in (0, 1)
    ]
    np.testing.assert_allclose(found["y"], np.logaddexp.reduce(joint), rtol=1e-10)
    np.testing.assert_allclose(found["free"], stats.norm.logpdf(2.0, 0.4), rtol=1e-10)
    total = found["y"].sum() + found["free"] + stats.norm.logpdf(0.4)
    np.testing.assert_allclose(own.log_density([0.4]), total, rtol=1e-10)


def test_groups_for_arviz(schools):
    data = exported(schools, posterior_predictive=True, log_likelihood=True)
    assert data["posterior"]["theta"].dims == ("chain", "draw", "school")
    for group in ("posterior_predictive", "log_likelihood"):
        assert list(data[group].data_vars) == ["obs"]
        assert data[group]["obs"].dims == ("chain", "draw", "school")
        assert data[group].attrs["seed"] == "1"
    assert list(data["observed_data"].data_vars) == ["obs"]
    assert data["observed_data"]["obs"].dims == ("school",)
    np.testing.assert_array_equal(data["observed_data"]["obs"].values, Y)
    assert list(data["constant_data"].data_vars) == ["sigma"]
    latent = {name: schools.draws[name] for name in ("mu", "tau", "z")}
    expected = log_likelihood(eight_schools, latent, 8, SIGMA, y=Y)["obs"]
    np.testing.assert_allclose(data["log_likelihood"]["obs"].values[0], expected, rtol=1e-12)
    assert not hasattr(exported(schools), "posterior_predictive")


def test_predictions_have_their_distribution():
    # All draws of the pool once, as those that are chosen twice have the same predictions.
    result = pathfinder.fit(made("eight_schools"), **FEW | {"num_draws": 500}).weighted()
    predicted = exported(result, posterior_predictive=True)["posterior_predictive"]["obs"].values[0]
    scaled = (predicted - result.draws["theta"]) / SIGMA
    assert stats.kstest(scaled.ravel(), "norm").pvalue > 1e-3
    assert abs(np.corrcoef(scaled[:, 0], scaled[:, 1])[0, 1]) < 0.2


def test_groups_of_weighted_draws_and_of_chains(schools):
    data = exported(schools.weighted(), log_likelihood=True)
    assert data["log_likelihood"]["obs"].shape == (1, 120, 8)
    chains = pathfinder.fit(made("eight_schools"), chains=8, **FEW | {"num_psis_draws": 80})
    data = exported(chains, log_likelihood=True, posterior_predictive=True)
    assert data["posterior"].sizes["chain"] == data["log_likelihood"].sizes["chain"] > 1
    theta = data["posterior"]["theta"].values
    expected = stats.norm.logpdf(Y, theta, SIGMA)
    np.testing.assert_allclose(data["log_likelihood"]["obs"].values, expected, rtol=1e-10)


def test_results_that_were_saved(schools, tmp_path):
    schools.save(tmp_path / "fit.npz")
    loaded = pathfinder.load(tmp_path / "fit.npz")
    assert exported(loaded)["observed_data"].equals(exported(schools)["observed_data"])
    with pytest.raises(ValueError, match=r"Load it with pathfinder.load\(path, model=model\)"):
        exported(loaded, log_likelihood=True)
    again = exported(pathfinder.load(tmp_path / "fit.npz", model=schools.model), posterior_predictive=True)
    expected = exported(schools, posterior_predictive=True)
    assert again["posterior_predictive"].equals(expected["posterior_predictive"])


def test_models_that_know_no_log_likelihood():
    model = Model.from_log_density(lambda params: -jnp.sum(params["x"] ** 2), {"x": 0.0})
    result = pathfinder.fit(model, **FEW)
    with pytest.raises(ValueError, match="log_likelihood=True needs a model that knows the log likelihood of each"):
        exported(result, log_likelihood=True)


def test_masked_observations_and_events():
    def model(y, seen, pairs):
        mu = numpyro.sample("mu", dist.Normal(0, 1))
        with numpyro.plate("row", 4), handlers.mask(mask=seen):
            numpyro.sample("y", dist.Normal(mu, 1), obs=y)
        numpyro.sample("pairs", dist.MultivariateNormal(jnp.zeros(2) + mu, jnp.eye(2)), obs=pairs)

    pairs = np.arange(6.0).reshape(3, 2)
    own = Model.from_numpyro(model, np.ones(4), np.array([True, False, True, True]), pairs)
    result = pathfinder.fit(own, **FEW)
    data = exported(result, log_likelihood=True, posterior_predictive=True)
    assert data["log_likelihood"]["pairs"].shape == (1, 40, 3)
    assert data["posterior_predictive"]["pairs"].shape == (1, 40, 3, 2)
    assert np.all(data["log_likelihood"]["y"].values[..., 1] == 0)
    assert len(np.unique(data["posterior_predictive"]["pairs"].values)) == 240


def test_observations_within_a_scan():
    model = made("random_walk")
    result = pathfinder.fit(model, **FEW)
    data = exported(result, log_likelihood=True, posterior_predictive=True)
    expected = stats.norm.logpdf(model.named_data["y"], result.draws["level"], 1.0)
    np.testing.assert_allclose(data["log_likelihood"]["y"].values[0], expected, rtol=1e-10)
    errors = data["posterior_predictive"]["y"].values[0] - result.draws["level"]
    assert stats.kstest(errors.ravel(), "norm").pvalue > 1e-3
