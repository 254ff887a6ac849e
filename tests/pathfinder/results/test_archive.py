"""Saved results, read with and without their model."""

import json
import subprocess
import sys
import warnings

import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, constraints


@pytest.fixture(scope="module")
def model():
    return Model.from_log_density(
        lambda p: -0.5 * jnp.sum((p["mu"] - 1.0) ** 2) + 2.0 * jnp.log(p["sigma"]) - p["sigma"],
        {"mu": np.zeros(2), "sigma": 1.0},
        constraints={"sigma": constraints.positive},
        dims={"mu": ("row",)},
        coords={"row": ["a", "b"]},
    )


@pytest.fixture(scope="module")
def result(model):
    return pathfinder.fit(model, seed=7, num_draws=100, num_psis_draws=50, progress=False)


@pytest.fixture(scope="module")
def path(result, tmp_path_factory):
    name = tmp_path_factory.mktemp("saved") / "fit.npz"
    result.save(name)
    return name


def test_a_fit_that_was_adapted_is_drawn_from_again(model, tmp_path):
    # More draws are wanted than can be effective.
    result = pathfinder.fit(model, seed=7, num_draws=100, num_psis_draws=5000, chains=False, progress=False)
    assert result.refinement.num_adapted == 3
    result.save(tmp_path / "fit.npz")
    loaded = pathfinder.load(tmp_path / "fit.npz")
    every, expected = loaded.weighted(), result.weighted()
    np.testing.assert_array_equal(every.unconstrained_draws, expected.unconstrained_draws)
    np.testing.assert_allclose([model.log_density(x) for x in every.unconstrained_draws[-5:]], every.log_p[-5:])
    fresh = loaded.draw(100, seed=2, constrained=False)
    np.testing.assert_array_equal(fresh, result.draw(100, seed=2, constrained=False))


def test_loaded_without_the_density(result, path):
    loaded = pathfinder.load(path)
    for name in ("mu", "sigma"):
        np.testing.assert_array_equal(loaded.draws[name], result.draws[name])
    assert list(loaded.draws) == list(result.draws)
    np.testing.assert_array_equal(loaded.unconstrained_draws, result.unconstrained_draws)
    assert loaded.settings == result.settings
    assert (loaded.seed, loaded.pareto_k, loaded.num_gradients) == (7, result.pareto_k, result.num_gradients)
    assert repr(loaded) == repr(result)
    assert loaded.summary().equals(result.summary())
    assert loaded.to_inferencedata()["posterior"].equals(result.to_inferencedata()["posterior"])
    for own, original in zip(loaded.approximations, result.approximations, strict=True):
        np.testing.assert_array_equal(own.to_dense(), original.to_dense())
    chosen, expected = loaded.resample(20, seed=3), result.resample(20, seed=3)
    np.testing.assert_array_equal(chosen.unconstrained_draws, expected.unconstrained_draws)
    fresh = loaded.draw(10, seed=2, constrained=False)
    np.testing.assert_array_equal(fresh, result.draw(10, seed=2, constrained=False))
    np.testing.assert_allclose(np.exp(fresh[:, 2]), result.draw(10, seed=2)["sigma"], rtol=1e-12)
    for needs in (lambda: chosen.draws, lambda: loaded.draw(10), lambda: loaded.model.log_density(np.zeros(3))):
        with pytest.raises(ValueError, match=r"pathfinder.load\(path, model=model\)"):
            needs()


def test_loaded_with_the_model(result, path, model):
    loaded = pathfinder.load(path, model=model)
    chosen, expected = loaded.resample(20, seed=3), result.resample(20, seed=3)
    np.testing.assert_array_equal(chosen.draws["sigma"], expected.draws["sigma"])
    np.testing.assert_array_equal(loaded.draw(10)["mu"], result.draw(10)["mu"])
    other = Model.from_log_density(lambda p: -jnp.sum(p["x"] ** 2), {"x": np.zeros(3)})
    with pytest.raises(ValueError, match="`model` is not the one of the saved result: its variables"):
        pathfinder.load(path, model=other)


def test_loaded_in_another_process(result, path):
    program = f"import pathfinder; print(repr(float(pathfinder.load({str(path)!r}).draws['sigma'].sum())))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) == float(result.draws["sigma"].sum())


def test_files_that_are_no_saved_results(path, tmp_path):
    damaged = tmp_path / "damaged.npz"
    whole = path.read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2]):
        damaged.write_bytes(content)
        with pytest.raises(ValueError, match="is not a result that was saved by `result.save`, or it is damaged"):
            pathfinder.load(damaged)
    words = []
    for place in range(0, len(whole), len(whole) // 40):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        damaged.write_bytes(flipped)
        try:
            loaded = pathfinder.load(damaged)
        except ValueError as error:
            words.append(str(error))
        else:  # what only zip files hold, such as dates
            np.testing.assert_array_equal(loaded.unconstrained_draws, pathfinder.load(path).unconstrained_draws)
    assert len(words) > 20
    assert all("damaged" in word for word in words)
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, x=np.zeros(3))
    with pytest.raises(ValueError, match="is not a result"):
        pathfinder.load(foreign)
    newer = tmp_path / "newer.npz"
    text = json.dumps({"format": "pathfinder-vi result", "version": 99}).encode()
    np.savez(newer, **{"content.json": np.frombuffer(text, np.uint8)})
    with pytest.raises(ValueError, match="version 99 of the format"):
        pathfinder.load(newer)
    content = {"format": "pathfinder-vi result", "version": 1, "result": {"class": "os"}}
    np.savez(newer, **{"content.json": np.frombuffer(json.dumps(content).encode(), np.uint8)})
    with pytest.raises(ValueError, match="newer.npz' is damaged"):
        pathfinder.load(newer)
    with pytest.raises(ValueError, match="`model` must be the pathfinder.Model .* a str"):
        pathfinder.load(path, model="model.stan")
    with pytest.raises(FileNotFoundError):
        pathfinder.load(tmp_path / "missing.npz")


def test_files_have_the_permissions_of_others(path):
    other = path.with_name("other")
    other.write_bytes(b"")
    assert path.stat().st_mode == other.stat().st_mode


def test_a_loaded_result_is_saved_as_it_was(path, tmp_path):
    pathfinder.load(path).save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_saving_fails_without_a_trace(result, tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        result.save(tmp_path / "nowhere" / "fit.npz")
    assert not list(tmp_path.iterdir())


def _density_of_nested(params, data):
    return -0.5 * jnp.sum((params["a"]["b"] - data["y"]) ** 2) - 0.5 * params["a"]["list"][0] ** 2


def _nested(y):
    return Model.from_log_density(_density_of_nested, {"a": {"b": np.zeros(2), "list": [0.0]}}, data={"y": y})


STAN = """
data { real y; }
parameters { real mu; tuple(real<lower=0>, vector[2]) t; }
model { y ~ normal(mu, 1); t.1 ~ exponential(1); t.2 ~ std_normal(); }
generated quantities { real z = normal_rng(mu, 1); }
"""


@pytest.mark.parametrize(
    "make", [_nested, lambda y: Model.from_stan(STAN, {"y": y})], ids=["nested parameters", "Stan program"]
)
def test_other_models_are_saved_too(make, tmp_path):
    model = make(1.5)
    result = pathfinder.fit(model, seed=3, num_paths=1, num_draws=40, num_psis_draws=20, refine=False, progress=False)
    result.save(tmp_path / "fit.npz")
    loaded = pathfinder.load(tmp_path / "fit.npz")
    assert list(loaded.draws) == list(result.draws)
    for name, values in result.draws.items():
        np.testing.assert_array_equal(loaded.draws[name], values)
    assert loaded.model.named_data.keys() == {"y"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = pathfinder.load(tmp_path / "fit.npz", model=model)
    for name, values in result.resample(15, seed=1).draws.items():
        np.testing.assert_array_equal(again.resample(15, seed=1).draws[name], values)
    with pytest.warns(UserWarning, match="The data of `model` are not those of the fit: 'y' differ"):
        pathfinder.load(tmp_path / "fit.npz", model=make(2.5))


def test_precision_of_the_fit_is_missed(path):
    program = f"import pathfinder; pathfinder.load({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "fitted in double precision, but jax_enable_x64 is off" in done.stderr
