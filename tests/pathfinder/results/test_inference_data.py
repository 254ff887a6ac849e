"""The groups of data in what is given to ArviZ."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model


FEW = {"num_paths": 1, "num_draws": 20, "num_psis_draws": 10, "seed": 1, "refine": False, "progress": False}
DATA = {"y": np.arange(3.0), "J": 3, "prior": {"scale": 2.0, "knots": np.ones((2, 4))}, "z": np.ones(2) * (1 + 2j)}


def log_density(params, data):
    return -0.5 * jnp.sum((data["y"] - params["mu"]) ** 2) / data["prior"]["scale"] - params["mu"] ** 2


def exported(result, **arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ArviZ announces its refactoring when imported
        return result.to_inferencedata(**arguments)


@pytest.fixture(scope="module")
def result():
    dims, coords = {"y": ("J",), "prior.knots": ("side", "knot")}, {"J": list("abc")}
    model = Model.from_log_density(log_density, {"mu": 0.0}, data=DATA, dims=dims, coords=coords)
    return pathfinder.fit(model, **FEW)


def test_data_of_a_log_density(result):
    constant = exported(result)["constant_data"]
    # `J` is the length of an axis of that name, and has no place beside it.
    assert list(constant.data_vars) == ["y", "prior.scale", "prior.knots", "z.real", "z.imag"]
    assert constant["y"].dims == ("J",)
    assert list(constant["J"].values) == ["a", "b", "c"]
    assert constant["prior.knots"].dims == ("side", "knot")
    np.testing.assert_array_equal(constant["y"].values, DATA["y"])
    assert np.all(constant["prior.scale"].values == 2.0)
    np.testing.assert_array_equal(constant["z.imag"].values, [2.0, 2.0])


def test_observed_data_are_named(result):
    data = exported(result, observed="y")
    assert list(data["observed_data"].data_vars) == ["y"]
    assert list(data["constant_data"].data_vars) == ["J", "prior.scale", "prior.knots", "z.real", "z.imag"]
    assert data["observed_data"].attrs["seed"] == "1"
    whole = exported(result, observed=["prior"])
    assert list(whole["observed_data"].data_vars) == ["prior.scale", "prior.knots"]
    with pytest.raises(ValueError, match="`observed` names 'x', but the data are 'y', 'J', 'prior.scale'"):
        result.to_inferencedata(observed=("x", "y"))


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (np.ones(3), ["data"]),
        ([np.ones(3), np.ones(2)], ["data_0", "data_1"]),
        ({"b": 1.0, "a": jax.random.key(0)}, ["b", "a"]),
        ({"mu": np.ones(3)}, ["mu"]),  # also the name of a parameter, which has no axes
        ({"half": jnp.ones(2, jnp.bfloat16), "flag": np.array([True])}, ["half", "flag"]),
        (None, []),
    ],
)
def test_names_of_data(data, names):
    function = (lambda params: -(params["mu"] ** 2)) if data is None else lambda params, data: -(params["mu"] ** 2)
    model = Model.from_log_density(function, {"mu": 0.0}, data=data, dims={"mu": ()})
    assert list(model.named_data) == names
    groups = exported(pathfinder.fit(model, **FEW))
    assert list(groups["constant_data"].data_vars if names else []) == names
    assert names or not hasattr(groups, "constant_data")


def test_dims_of_data_fit_them():
    with pytest.raises(ValueError, match=r"`dims` gives `y` 2 names of axes, but its shape is \[3\]"):
        Model.from_log_density(log_density, {"mu": 0.0}, data=DATA, dims={"y": ("a", "b")})
    with pytest.raises(ValueError, match="`dims` names 'q', which the model does not have"):
        Model.from_log_density(log_density, {"mu": 0.0}, data=DATA, dims={"q": ("a",)})


def test_each_fit_of_a_batch_has_its_own_data():
    def density(params, data):
        return -0.5 * jnp.sum((data["y"] - params["mu"]) ** 2)

    y = np.arange(6.0).reshape(2, 3)
    first = Model.from_log_density(density, {"mu": 0.0}, data={"y": y[0]}, dims={"y": ("row",)})
    for fit, result in enumerate(pathfinder.fit_batch(first, {"y": y}, **FEW)):
        observed = exported(result, observed="y")["observed_data"]["y"]
        assert observed.dims == ("row",)
        np.testing.assert_array_equal(observed.values, y[fit])


def test_data_are_the_same_after_saving_and_writing(result, tmp_path):
    import arviz

    result.save(tmp_path / "fit.npz")
    loaded = exported(pathfinder.load(tmp_path / "fit.npz"), observed="y")
    expected = exported(result, observed="y")
    for group in ("constant_data", "observed_data"):
        assert loaded[group].equals(expected[group])
    pytest.importorskip("h5netcdf")
    pytest.importorskip("h5py")
    expected.to_netcdf(str(tmp_path / "fit.nc"))
    read = arviz.from_netcdf(str(tmp_path / "fit.nc"))
    np.testing.assert_array_equal(read["constant_data"]["prior.knots"].values, np.ones((2, 4)))
