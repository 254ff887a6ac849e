import dataclasses
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, Status, constraints
from pathfinder._results.assemble import choose_rows


PLAIN = {"refine": False, "schedule": "cmdstan"}


@pytest.fixture(scope="module")
def model():
    def log_density(params):
        return -0.5 * jnp.sum((params["mu"] - 1.0) ** 2) + 2.0 * jnp.log(params["sigma"]) - params["sigma"]

    return Model.from_log_density(
        log_density,
        {"mu": np.zeros((2, 3)), "sigma": 1.0},
        constraints={"sigma": constraints.positive},
        dims={"mu": ("row", "column")},
        coords={"row": ["a", "b"], "column": [10, 20, 30]},
        name="example <1>",
    )


@pytest.fixture(scope="module")
def result(model):
    return pathfinder.fit(model, seed=7, progress=False, **PLAIN)


@pytest.fixture(scope="module")
def weighted(model):
    return pathfinder.fit(model, seed=7, psis_resample=False, num_draws=300, progress=False, **PLAIN).weighted()


def test_shapes(result):
    assert result.num_draws == 1000
    assert result.draws["mu"].shape == (1000, 2, 3)
    assert result.draws["sigma"].shape == (1000,)
    assert result.unconstrained_draws.shape == (1000, 7)
    for column in (result.log_p, result.log_q, result.path_ids, result.weights):
        assert column.shape == (1000,)
    assert len(result.pool) == 4000
    assert result.seed == 7


def test_draws_are_those_of_the_chosen_rows(result):
    np.testing.assert_allclose(result.draws["mu"].reshape(1000, 6), result.unconstrained_draws[:, :6], rtol=1e-12)
    log_p = jax.vmap(result.model.log_density)(result.unconstrained_draws)
    np.testing.assert_allclose(result.log_p, log_p, rtol=1e-9)


def test_summary_of_equally_weighted_draws(result):
    table = result.summary()
    assert list(table.index[:3]) == ["mu[1,1]", "mu[2,1]", "mu[1,2]"]
    assert table.index.name == "variable"
    values = result.draws["mu"][:, 1, 0]
    row = table.loc["mu[2,1]"]
    np.testing.assert_allclose(row["mean"], np.mean(values), rtol=1e-9)
    np.testing.assert_allclose(row["sd"], np.std(values, ddof=1), rtol=1e-9)
    quantiles = np.quantile(values, [0.05, 0.5, 0.95], method="inverted_cdf")
    np.testing.assert_allclose(row[["5%", "50%", "95%"]].to_numpy(), quantiles, rtol=1e-9)


def test_summary_uses_the_weights(weighted):
    values, weights = weighted.draws["sigma"], weighted.weights
    row = weighted.summary().loc["sigma"]
    np.testing.assert_allclose(row["mean"], np.average(values, weights=weights), rtol=1e-9)
    variance = np.average((values - row["mean"]) ** 2, weights=weights)
    np.testing.assert_allclose(row["sd"], np.sqrt(variance * 1200 / 1199), rtol=1e-9)
    median = np.quantile(values, 0.5, method="inverted_cdf", weights=weights)
    np.testing.assert_allclose(row["50%"], median, rtol=1e-9)


@pytest.mark.parametrize("method", ["systematic", "without_replacement"])
def test_what_leaves_a_fit_without_weights_is_resampled(weighted, method):
    settings = dataclasses.replace(weighted.settings, resample=method)
    is_resampled, rows = choose_rows(weighted.pool, settings, weighted.key)
    plain = dataclasses.replace(weighted, rows=rows, is_resampled=is_resampled)
    truth = weighted.weights @ weighted.draws["sigma"]
    raw = np.mean(weighted.draws["sigma"])
    exported = float(plain.to_inferencedata()["posterior"]["sigma"].mean())
    for mean in (np.mean(plain.draws["sigma"]), exported, plain.summary().loc["sigma", "mean"]):
        assert abs(mean - truth) < 0.1 * abs(raw - truth)
    np.testing.assert_array_equal(plain.draws["sigma"], plain.weighted().draws["sigma"][plain.rows])


def test_summary_of_infinite_and_huge_values(result, monkeypatch):
    sigma = result.draws["sigma"].copy()
    sigma[0] = -np.inf
    odd = {"mu": 1e300 * result.draws["mu"], "sigma": sigma}
    monkeypatch.setitem(vars(result), "draws", odd)
    table = result.summary()
    assert table.loc["sigma", "mean"] == -np.inf
    assert np.isnan(table.loc["sigma", "sd"])
    assert table.loc["sigma", "50%"] == np.quantile(sigma, 0.5, method="inverted_cdf")
    assert table.loc["mu[1,1]", "sd"] == np.inf


def test_other_draws_from_the_same_pool(result):
    other = result.resample(300, replace=False)
    assert other.num_draws == 300
    assert len(np.unique(other.rows)) == 300
    assert other.pool is result.pool
    np.testing.assert_array_equal(other.rows, result.resample(300, replace=False).rows)
    assert not np.array_equal(other.rows, result.resample(300, replace=False, seed=1).rows)
    np.testing.assert_allclose(other.log_p, result.pool.log_p[other.rows])
    assert other.draws["mu"].shape == (300, 2, 3)


def test_more_draws_than_there_are_without_replacement(result):
    with pytest.raises(ValueError, match="Cannot choose 4001 draws without replacement"):
        result.resample(4001, replace=False)


def test_resampling_weighted_draws(weighted):
    chosen = weighted.resample(1000, method="multinomial")
    assert chosen.is_resampled
    np.testing.assert_allclose(chosen.weights, 1e-3)


def test_fresh_draws_come_from_the_approximations(result):
    fresh, same, other = result.draw(2000), result.draw(2000), result.draw(2000, seed=1)
    np.testing.assert_array_equal(fresh["mu"], same["mu"])
    assert not np.any(fresh["mu"] == other["mu"])
    assert list(fresh) == ["mu", "sigma"]
    assert not set(fresh["sigma"]) & set(result.draws["sigma"])
    shares = np.array([path.weight for path in result.paths])
    mean = shares @ np.stack([path.approximation.mean[:6] for path in result.paths])
    np.testing.assert_allclose(fresh["mu"].reshape(2000, 6).mean(axis=0), mean, atol=5 * 1.2 / np.sqrt(2000))


def test_approximations_can_be_used_on_their_own(result):
    normal = result.approximations[0]
    assert normal.dim == 7
    assert normal.to_dense().shape == (7, 7)
    assert np.isfinite(normal.log_density(jnp.zeros(7)))
    np.testing.assert_allclose(normal.variance, np.diag(normal.to_dense()), rtol=1e-10)


def test_words(result):
    text = repr(result)
    assert text.startswith("Pathfinder fit of 'example <1>': 7 parameters, 4 of 4 paths succeeded")
    assert "k-hat" in text
    assert f"{result.num_gradients} gradients, {result.num_densities} densities" in text
    for path in result.paths:
        assert path.status.name.replace("_", " ").lower() in text
        assert f"{path.elbo:.2f}" in text


def test_words_as_html(result):
    page = result._repr_html_()
    assert "example &lt;1&gt;" in page
    assert page.count("<tr>") == 5


def test_many_paths_are_not_all_listed(model):
    result = pathfinder.fit(model, seed=0, num_paths=12, num_draws=25, num_psis_draws=25, progress=False, **PLAIN)
    assert "... and 2 more paths" in repr(result)


def test_seconds_are_told_by_stage(result):
    assert set(result.seconds) == {"paths", "elbo", "draws", "total"}
    parts = sum(result.seconds[stage] for stage in ("paths", "elbo", "draws"))
    assert 0 < parts <= result.seconds["total"] * 1.01


def test_results_cannot_be_changed(result):
    with pytest.raises(AttributeError):
        result.seed = 3


@pytest.fixture(scope="module")
def inferencedata(result):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ArviZ announces its refactoring when imported
        return result.to_inferencedata()


def test_groups_for_arviz(result, inferencedata):
    posterior, stats = inferencedata["posterior"], inferencedata["sample_stats"]
    assert posterior["mu"].dims == ("chain", "draw", "row", "column")
    np.testing.assert_array_equal(posterior["mu"].values[0], result.draws["mu"])
    assert list(posterior["row"].values) == ["a", "b"]
    for name, values in {
        "lp": result.log_p,
        "lp_approx": result.log_q,
        "path": result.path_ids,
        "weight": result.weights,
    }.items():
        np.testing.assert_array_equal(stats[name].values, values[None])


def test_attributes_for_arviz(result, inferencedata):
    for group in ("posterior", "sample_stats"):
        attributes = inferencedata[group].attrs
        assert attributes["inference_library"] == "pathfinder-vi"
        assert attributes["settings_num_paths"] == 4
        assert attributes["settings_weights"] == "mixture"
        assert attributes["seed"] == "7"
        np.testing.assert_allclose(attributes["pareto_k"], result.pareto_k)


def test_inferencedata_is_the_same_after_writing_and_reading(inferencedata, tmp_path):
    pytest.importorskip("h5netcdf")
    pytest.importorskip("h5py")
    import arviz

    inferencedata.to_netcdf(str(tmp_path / "fit.nc"))
    read = arviz.from_netcdf(str(tmp_path / "fit.nc"))
    for group in ("posterior", "sample_stats"):
        assert set(read[group].data_vars) == set(inferencedata[group].data_vars)
        for name, values in inferencedata[group].data_vars.items():
            assert read[group][name].dims == values.dims
            np.testing.assert_array_equal(read[group][name].values, values.values)
        assert dict(read[group].attrs) == dict(inferencedata[group].attrs)


def test_iterations_are_a_table(result):
    for path in result.paths:
        lengths = {len(column) for column in path.iterations}
        assert lengths == {path.num_iterations}
        assert np.all(path.iterations.num_finite == 25)
        assert path.status != Status.RUNNING
