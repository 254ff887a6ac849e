"""Leave-one-out cross-validation against closed forms, and against ArviZ."""

import dataclasses
import warnings

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import pathfinder
from pathfinder import Model
from pathfinder._results.leave_one_out import estimated
from pathfinder._variables import Variable


SIGMA, PRIOR = 1.5, 4.0
Y = np.random.default_rng(0).normal(1.0, SIGMA, 12)


def posterior(y):
    """Mean and standard deviation of `mu` for normal observations."""
    precision = 1 / PRIOR**2 + len(y) / SIGMA**2
    return y.sum() / SIGMA**2 / precision, precision**-0.5


def exact_elpd():
    """Log predictive density of each observation given the others."""
    found = []
    for i, own in enumerate(Y):
        mean, sd = posterior(np.delete(Y, i))
        found.append(stats.norm(mean, np.hypot(sd, SIGMA)).logpdf(own))
    return np.array(found)


def log_likelihood(mu, y):
    return -0.5 * ((y - mu) / SIGMA) ** 2 - np.log(SIGMA) - 0.5 * np.log(2 * np.pi)


def log_density(params, data):
    return log_likelihood(params["mu"], data["y"]).sum() - 0.5 * (params["mu"] / PRIOR) ** 2


def quantities(key, params, data):
    return {"log_lik": log_likelihood(params["mu"], data["y"])}


def of_position(position, data):
    return {"y": log_likelihood(position[0], data["y"])}


def quietly(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # ArviZ announces its refactoring when imported
        warnings.simplefilter("ignore", DeprecationWarning)  # and uses what pandas will remove
        return function(*arguments, **options)


def parts(loo):
    """What ArviZ's estimates hold, by the names of version 1."""
    if hasattr(loo, "elpd_i"):
        return {name: getattr(loo, name) for name in dir(loo) if not name.startswith("_")}
    renamed = {"elpd_loo": "elpd", "p_loo": "p", "loo_i": "elpd_i"}
    return {renamed.get(name, name): value for name, value in loo.items()}


@pytest.fixture(scope="module")
def model():
    made = Model.from_log_density(
        log_density,
        {"mu": 0.0},
        data={"y": Y},
        generated=quantities,
        dims={"log_lik": ("week",)},
        coords={"week": np.arange(2001, 2013)},
    )
    return dataclasses.replace(
        made, log_likelihood_fn=of_position, observed_variables=(Variable("y", (12,), ("week",)),)
    )


@pytest.fixture(scope="module")
def result(model):
    return pathfinder.fit(model, seed=1, num_paths=2, num_draws=4000, progress=False)


def test_estimates_of_a_fit_are_the_exact_ones(result):
    loo = parts(quietly(result.loo))
    np.testing.assert_allclose(loo["elpd_i"].values, exact_elpd(), atol=0.03)
    assert loo["elpd"] == pytest.approx(exact_elpd().sum(), abs=0.1)
    assert loo["se"] == pytest.approx(np.sqrt(12 * exact_elpd().var()), rel=0.05)
    mean, sd = posterior(Y)
    predictive = stats.norm(mean, np.hypot(sd, SIGMA)).logpdf(Y).sum()
    assert loo["p"] == pytest.approx(predictive - exact_elpd().sum(), abs=0.1)
    assert loo["n_samples"] == len(result.pool)
    assert loo["n_data_points"] == 12
    assert not loo["warning"]
    assert list(loo["elpd_i"]["week"].values) == list(range(2001, 2013))
    assert loo["pareto_k"].dims == ("week",)
    assert "elpd_loo" in str(quietly(result.loo))


def test_a_generated_quantity_and_a_function_of_the_model_are_the_same(result):
    by_function, by_quantity = parts(quietly(result.loo)), parts(quietly(result.loo, "log_lik"))
    np.testing.assert_allclose(by_function["elpd_i"].values, by_quantity["elpd_i"].values, rtol=1e-10)
    only_quantity = dataclasses.replace(
        result, model=dataclasses.replace(result.model, log_likelihood_fn=None, observed_variables=())
    )
    np.testing.assert_array_equal(parts(quietly(only_quantity.loo))["elpd_i"].values, by_quantity["elpd_i"].values)


def test_the_weights_hold_the_density_that_draws_come_from():
    """Draws of a normal that is too wide and off, corrected and not."""
    rng, (mean, sd) = np.random.default_rng(1), posterior(Y)
    proposal = stats.norm(mean + 0.3, 1.5 * sd)
    mu = proposal.rvs(20_000, random_state=rng)
    own = log_likelihood(mu[:, None], Y)
    found = estimated(own, stats.norm(mean, sd).logpdf(mu) - proposal.logpdf(mu))
    np.testing.assert_allclose(found.elpd, exact_elpd(), atol=0.01)
    np.testing.assert_allclose(found.log_predictive, stats.norm(mean, np.hypot(sd, SIGMA)).logpdf(Y), atol=0.01)
    assert np.abs(estimated(own, None).elpd - exact_elpd()).max() > 0.03


def test_the_density_of_the_mixture_counts_and_not_that_of_the_own_approximation(result):
    expected = parts(quietly(result.loo))["elpd_i"].values
    for name, is_same in {"log_q": True, "log_proposal": False}.items():
        other = getattr(result.pool, name) + np.linspace(0, 1, len(result.pool))
        changed = dataclasses.replace(result, pool=dataclasses.replace(result.pool, **{name: other}))
        found = parts(quietly(changed.loo))["elpd_i"].values
        assert np.allclose(found, expected, rtol=1e-8) == is_same


def test_without_weights_it_is_what_arviz_has(model):
    import arviz

    rng, (mean, sd) = np.random.default_rng(2), posterior(Y)
    own = log_likelihood(rng.normal(mean, sd, 1000)[:, None], Y)
    found = estimated(own, None)
    groups = {"posterior": {"mu": np.zeros((1, 1000))}, "log_likelihood": {"y": own[None]}}
    is_new = int(arviz.__version__.split(".")[0]) >= 1
    data = arviz.from_dict(groups) if is_new else quietly(arviz.from_dict, **groups)
    theirs = parts(arviz.loo(data, pointwise=True, reff=1.0))
    rounding = 1e-3 if is_new else 1e-6  # later versions take another length of the tail
    np.testing.assert_allclose(found.elpd, theirs["elpd_i"].values, rtol=rounding)
    np.testing.assert_allclose(found.pareto_k, theirs["pareto_k"].values, atol=100 * rounding)
    assert found.log_predictive.sum() - found.elpd.sum() == pytest.approx(theirs["p"], rel=rounding)
    assert found.threshold == pytest.approx(theirs["good_k"])


def test_draws_without_weight_do_not_matter():
    rng, (mean, sd) = np.random.default_rng(3), posterior(Y)
    mu = rng.normal(mean, sd, 2000)
    own, ratios = log_likelihood(mu[:, None], Y), np.zeros(2000)
    own[::10], ratios[::10] = np.nan, -np.inf
    ratios[5] = np.nan
    assert np.isfinite(estimated(own, ratios).elpd).all()
    own[1, 3] = np.nan
    with pytest.raises(ValueError, match="of 1 of 12 observations is not finite at 1 of 2000 draws"):
        estimated(own, ratios)


def test_observations_in_parts_are_the_same(monkeypatch):
    mu = np.random.default_rng(4).normal(size=(300, 1, 1))
    own = log_likelihood(mu, Y.reshape(3, 4))
    whole = estimated(own, None)
    monkeypatch.setattr("pathfinder._results.leave_one_out.MOST_NUMBERS", 1500)
    parts = estimated(own, None)
    assert whole.elpd.shape == (3, 4)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


def test_models_are_compared_by_arviz(result):
    import arviz

    def fixed(params, data):
        return log_likelihood(0.0, data["y"]).sum() - 0.5 * params["mu"] ** 2

    def its_quantities(key, params, data):
        return {"log_lik": log_likelihood(0.0, data["y"]) + 0.0 * params["mu"]}

    other = Model.from_log_density(fixed, {"mu": 0.0}, data={"y": Y}, generated=its_quantities)
    without = pathfinder.fit(other, seed=1, num_paths=1, progress=False)
    table = quietly(arviz.compare, {"mean": quietly(result.loo), "zero": quietly(without.loo)})
    exact = log_likelihood(0.0, Y)
    assert table.loc["zero"].filter(regex="^elpd(_loo)?$").item() == pytest.approx(
        exact.sum(), abs=0.5
    )  # some versions round
    assert table["elpd_diff"].abs().max() == pytest.approx(abs(exact_elpd().sum() - exact.sum()), abs=0.1)


def test_chains_leave_out_with_all_their_states(model):
    result = pathfinder.fit(model, seed=1, num_paths=1, chains=True, num_psis_draws=50, progress=False)
    assert result.uses_chains
    loo = parts(quietly(result.loo))
    assert loo["n_samples"] == result.chains.num_states > 50
    np.testing.assert_allclose(loo["elpd_i"].values, exact_elpd(), atol=0.1)


def test_unreliable_weights_are_said(model):
    far = dataclasses.replace(model, data={"y": jnp.asarray(np.append(Y[:-1], 40.0))})
    result = pathfinder.fit(far, seed=1, num_paths=1, progress=False)
    with pytest.warns(
        UserWarning, match=r"k-hat of 1 of 12 observations is above 0\.\d+: leaving these out by weights"
    ):
        loo = parts(quietly(result.loo))
    assert loo["warning"]


def test_what_is_missing_is_said(result, model):
    bare = Model.from_log_density(lambda params: -(params["mu"] ** 2), {"mu": 0.0})
    fitted = pathfinder.fit(bare, seed=1, num_paths=1, num_draws=50, refine=False, progress=False)
    with pytest.raises(ValueError, match="has no pointwise log likelihood. Give a generated quantity `log_lik`"):
        fitted.loo()
    with pytest.raises(
        ValueError, match="`var_name` is 'z', but observed variables and generated quantities are 'y', 'log_lik'"
    ):
        result.loo("z")
    several = dataclasses.replace(model, observed_variables=(*model.observed_variables, Variable("x", (2,))))
    with pytest.raises(ValueError, match="several observed variables; choose one with `var_name`: y, x"):
        dataclasses.replace(result, model=several).loo()
    without = pathfinder.fit(model, seed=1, num_paths=1, calculate_lp=False, refine=False, progress=False)
    with pytest.raises(ValueError, match="needs the log density at the draws; fit with calculate_lp=True"):
        without.loo()


def test_the_pool_is_exported_with_its_weights(result):
    data = quietly(result.to_inferencedata, draws="pool")
    statistics = data.sample_stats
    assert statistics.sizes["draw"] == len(result.pool)
    weights = np.exp(statistics["log_weight"].values[0])
    np.testing.assert_allclose(weights, statistics["weight"].values[0], rtol=1e-10)
    assert weights @ data.posterior["mu"].values[0] == pytest.approx(posterior(Y)[0], abs=0.02)
    np.testing.assert_array_equal(statistics["log_proposal"].values[0], result.pool.log_proposal)
    assert data.posterior.attrs["is_resampled"] == 0
    assert data.log_likelihood["log_lik"].shape == (1, len(result.pool), 12)
    assert "log_weight" not in quietly(result.to_inferencedata).sample_stats
    with pytest.raises(ValueError, match="`draws` must be 'returned' or 'pool', but 'all' was given"):
        result.to_inferencedata(draws="all")
