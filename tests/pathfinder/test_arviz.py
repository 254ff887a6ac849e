"""The groups of data for ArviZ; those of draws are tested with the results."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model


DATA = {"y": np.array([1.0, 2.0, 4.0]), "x": {"b": np.array([3, 4, 5]), "a": 2.0}, "z": np.array([1 + 2j])}


def density(params, data):
    return -0.5 * jnp.sum((data["y"] - params["mu"]) ** 2)


def replicate(key, params, data):
    return {"y_rep": params["mu"] + jax.random.normal(key, data["y"].shape), "other": params["mu"]}


def fitted(**options):
    model = Model.from_log_density(density, {"mu": 0.0}, data=DATA, **options)
    return pathfinder.fit(model, num_paths=1, num_draws=20, refine=False, seed=1, progress=False)


@pytest.fixture(scope="module")
def result():
    return fitted(generated=replicate)


def values(group):
    """Flat, because some versions of ArviZ give scalars an axis."""
    return {name: group[name].values.ravel().tolist() for name in group.data_vars}


CONSTANT = {"x.b": [3, 4, 5], "x.a": [2.0], "z.real": [1.0], "z.imag": [2.0]}


def test_data_that_are_replicated_are_observed(result):
    data = result.to_inferencedata()
    assert values(data["observed_data"]) == {"y": [1.0, 2.0, 4.0]}
    assert values(data["constant_data"]) == CONSTANT


@pytest.mark.parametrize(("observed", "names"), [((), []), ("x.b", ["x.b"]), (["y", "x.a"], ["y", "x.a"])])
def test_observed_data_are_chosen_by_name(result, observed, names):
    data = result.to_inferencedata(observed=observed)
    found = list(data["observed_data"].data_vars) if names else []
    assert found == names
    assert set(data["constant_data"].data_vars) == {"y", *CONSTANT} - set(names)


def test_names_of_no_data(result):
    with pytest.raises(ValueError, match="`observed` names 'yy', but the data are 'y', 'x.b', 'x.a', 'z.real'"):
        result.to_inferencedata(observed="yy")


def test_saved_results_have_their_data(result, tmp_path):
    result.save(tmp_path / "fit.npz")
    data = pathfinder.load(tmp_path / "fit.npz").to_inferencedata()
    assert values(data["observed_data"]) == {"y": [1.0, 2.0, 4.0]}
    assert values(data["constant_data"]) == CONSTANT


def test_data_without_names():
    def model(data):
        return Model.from_log_density(lambda p, d: -(p**2), 0.0, data=data)

    assert {name: v.tolist() for name, v in model(np.arange(2)).data_by_name().items()} == {"data": [0, 1]}
    pair = model((np.arange(2), 3.0)).data_by_name()
    assert {name: v.tolist() for name, v in pair.items()} == {"data_0": [0, 1], "data_1": 3.0}
    assert model({"key": jax.random.key(0), "n": 1}).data_by_name() == {"n": 1}
    assert Model.from_log_density(lambda p: -(p**2), 0.0).data_by_name() == {}


def test_each_fit_of_a_batch_has_its_own_data():
    batch = pathfinder.fit_batch(
        density, {"y": np.arange(6.0).reshape(2, 3)}, {"mu": 0.0}, num_paths=1, num_draws=10, refine=False, seed=1,
        progress=False,
    )  # fmt: skip
    assert values(batch[1].to_inferencedata(observed="y")["observed_data"]) == {"y": [3.0, 4.0, 5.0]}
