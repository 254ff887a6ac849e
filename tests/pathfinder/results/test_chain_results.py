"""Results whose draws are states of chains."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, constraints


CHAINS = 40
OPTIONS = {"seed": 3, "num_draws": 200, "chains": CHAINS, "max_chain_gradients": 20_000, "progress": False}


@pytest.fixture(scope="module")
def model():
    return Model.from_log_density(
        lambda p: -0.5 * jnp.sum((p["mu"] - 1.0) ** 2) + 2.0 * jnp.log(p["sigma"]) - p["sigma"],
        {"mu": np.zeros(2), "sigma": 1.0},
        constraints={"sigma": constraints.positive},
        generated=lambda key, p: {"y": p["mu"] + jax.random.normal(key, (2,))},
        dims={"mu": ("row",)},
        coords={"row": ["a", "b"]},
    )


@pytest.fixture(scope="module")
def result(model):
    return pathfinder.fit(model, num_psis_draws=410, **OPTIONS)


def exported(result):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ArviZ announces its refactoring when imported
        return result.to_inferencedata()


def test_draws_are_states_of_the_chains(result):
    assert result.draws_from == "chains"
    assert result.num_draws == 410
    states = result.chains.states.reshape(-1, 3)[result.rows]
    np.testing.assert_array_equal(result.unconstrained_draws, states)
    np.testing.assert_allclose(result.draws["mu"], states[:, :2], rtol=1e-12)
    np.testing.assert_allclose(result.draws["sigma"], np.exp(states[:, 2]), rtol=1e-12)
    np.testing.assert_allclose(result.log_p, jax.vmap(result.model.log_density)(states), rtol=1e-9)
    np.testing.assert_allclose(result.weights, 1 / 410)
    noise = result.draws["y"] - result.draws["mu"]
    assert len(np.unique(noise)) == noise.size  # of each draw its own
    assert abs(noise.std() - 1) < 0.1


def test_chains_and_paths_of_draws(result):
    chains = result.chain_ids
    assert np.all(np.diff(chains) >= 0)
    assert set(np.bincount(chains)) == {10, 11}
    np.testing.assert_array_equal(result.path_ids, result.pool.paths[result.chains.start_rows[chains]])
    assert len(np.unique(result.chains.start_rows)) == result.chains.num_superchains


def test_log_q_is_that_of_the_approximation_that_a_chain_started_from(result):
    lanes = result.pool.lanes[result.chains.start_rows[result.chain_ids]]
    approximations = result.source.approximations
    for lane in np.unique(lanes):
        own = jax.tree_util.tree_map(lambda leaf, k=lane: leaf[k], approximations)
        expected = own.log_density(result.unconstrained_draws[lanes == lane])
        np.testing.assert_allclose(result.log_q[lanes == lane], expected, rtol=1e-9)
    assert np.all(np.isfinite(result.log_q))


def test_the_report(result):
    text = repr(result)
    assert "410 draws of 40 chains\nChains agree: the largest nested R-hat is" in text
    assert f"{result.chains.num_iterations} iterations, {result.chains.num_gradients} gradients" in text
    assert "They started from weighted draws with k-hat" in text
    assert result.is_reliable
    assert result.reliability in text
    assert "410 draws of 40 chains<br>Chains agree" in result._repr_html_()


def test_summary_has_nested_rhat(result):
    table = result.summary()
    assert list(table.columns) == ["mean", "sd", "5%", "50%", "95%", "ess", "nested_rhat"]
    assert np.all(table["ess"] > 100)
    assert np.all((table["nested_rhat"] >= 1) & (table["nested_rhat"] < 1.1))
    assert abs(table.loc["mu[1]", "mean"] - 1) < 5 / np.sqrt(table.loc["mu[1]", "ess"])


def test_weighted_draws_are_those_of_the_pool(result):
    weighted = result.weighted()
    assert (weighted.draws_from, weighted.chain_ids) == ("weights", None)
    assert weighted.num_draws == len(result.pool)
    assert "nested_rhat" not in weighted.summary().columns
    assert weighted.reliability.startswith("Pareto k-hat")
    chosen = weighted.resample(50)
    np.testing.assert_array_equal(chosen.log_p, result.pool.log_p[chosen.rows])


def test_other_states_of_the_chains(result):
    chosen = result.resample(205, seed=4)
    assert (chosen.draws_from, chosen.num_draws) == ("chains", 205)
    assert len(np.unique(chosen.rows)) == 205
    assert set(np.bincount(chosen.chain_ids)) == {5, 6}
    np.testing.assert_array_equal(chosen.rows, result.resample(205, seed=4).rows)
    assert not np.array_equal(chosen.rows, result.resample(205, seed=5).rows)
    assert len(set(chosen.rows // CHAINS)) > 5  # from everywhere in the chains


def test_more_states_than_there_are(result):
    available = result.chains.num_states
    assert len(np.unique(result.resample(available, replace=False).rows)) == available
    more = result.resample(available + 80)
    np.testing.assert_array_equal(np.unique(more.rows), np.arange(available))
    assert set(np.bincount(more.chain_ids)) == {available // CHAINS + 2}
    with pytest.raises(ValueError, match=f"Cannot choose {available + 1} draws without replacement: the chains have"):
        result.resample(available + 1, replace=False)


def test_fresh_draws_are_those_of_the_approximations(result, model):
    plain = pathfinder.fit(model, num_psis_draws=410, **{**OPTIONS, "chains": False})
    np.testing.assert_array_equal(result.draw(20)["mu"], plain.draw(20)["mu"])


def test_chains_for_arviz(result):
    import arviz

    data = exported(result)
    posterior, stats = data["posterior"], data["sample_stats"]
    assert posterior["mu"].shape == (CHAINS, 10, 2)
    assert posterior["mu"].dims == ("chain", "draw", "row")
    for chain in (0, 7, CHAINS - 1):
        own = result.chain_ids == chain
        np.testing.assert_array_equal(posterior["mu"].values[chain], result.draws["mu"][own][-10:])
        np.testing.assert_array_equal(stats["lp"].values[chain], result.log_p[own][-10:])
        np.testing.assert_array_equal(stats["superchain"].values[chain], chain // (CHAINS // 8))
    assert set(stats.data_vars) == {"lp", "lp_approx", "path", "weight", "superchain"}
    rhat = arviz.rhat(data["posterior"])
    assert np.all(np.asarray(rhat["mu"]) < 1.3)  # of halves of ten draws each, which depend on each other
    table = arviz.summary(data)
    assert len(table) == 5
    np.testing.assert_allclose(table["mean"].astype(float)["sigma"], posterior["sigma"].values.mean(), rtol=0.1)


def test_attributes_for_arviz(result):
    attributes = exported(result)["sample_stats"].attrs
    assert attributes["draws_from"] == "chains"
    assert attributes["is_reliable"] == 1
    assert attributes["nested_rhat_max"] == result.chains.nested_rhat
    assert attributes["ess_min"] == result.chains.effective_sample_size
    assert (attributes["num_chains"], attributes["num_superchains"]) == (CHAINS, 8)
    assert attributes["num_chain_gradients"] == result.chains.num_gradients
    assert attributes["chains_ended"] == "mixed"


def test_fewer_draws_than_chains_are_one_chain(result):
    few = result.resample(30)
    assert exported(few)["posterior"]["mu"].shape == (1, 30, 2)
    assert np.isnan(few.summary()["nested_rhat"]).all()
    assert np.all(few.summary()["ess"] > 10)


def test_saved_and_loaded(result, model, tmp_path):
    result.save(tmp_path / "fit.npz")
    loaded = pathfinder.load(tmp_path / "fit.npz")
    assert repr(loaded) == repr(result)
    assert loaded.summary().equals(result.summary())
    np.testing.assert_array_equal(loaded.chains.states, result.chains.states)
    np.testing.assert_array_equal(loaded.chains.mixing.drift, result.chains.mixing.drift)
    assert exported(loaded)["posterior"].equals(exported(result)["posterior"])
    chosen = loaded.resample(80, seed=1)
    np.testing.assert_array_equal(chosen.unconstrained_draws, result.resample(80, seed=1).unconstrained_draws)
    with pytest.raises(ValueError, match=r"pathfinder.load\(path, model=model\)"):
        chosen.draws  # noqa: B018
    named = pathfinder.load(tmp_path / "fit.npz", model=model).resample(80, seed=1).draws
    for name, values in result.resample(80, seed=1).draws.items():
        np.testing.assert_array_equal(named[name], values)
