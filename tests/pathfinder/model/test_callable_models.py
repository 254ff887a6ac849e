"""Models of densities outside of JAX: called with NumPy's arrays, checked, and never compiled."""

import threading

import numpy as np
import pytest

from pathfinder import Model
from pathfinder._density.host import HostDensity


MEAN = np.array([1.0, -2.0, 3.0])


def one_by_one(position):
    assert type(position) is np.ndarray
    assert position.shape == (3,)
    residual = position - MEAN
    return -0.5 * residual @ residual, -residual


def all_at_once(positions):
    residuals = positions - MEAN
    return -0.5 * (residuals**2).sum(axis=1), -residuals


def host_density(model):
    return HostDensity(model.density, model.dim, model.dtype, model.data)


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(
    ("function", "options"),
    [(one_by_one, {}), (one_by_one, {"parallel": True}), (all_at_once, {"batched": True})],
)
def test_values_and_gradients(function, options, alone, compilations):
    value = (lambda x: function(x)[0]) if alone else None
    density = host_density(Model.from_callable(function, 3, value=value, **options))
    points = np.random.default_rng(0).standard_normal((5, 300, 3))
    expected, gradients = all_at_once(points.reshape(-1, 3))
    found = density.values_and_gradients(points)
    np.testing.assert_allclose(found[0], expected.reshape(5, 300), rtol=1e-12)
    np.testing.assert_array_equal(found[1], gradients.reshape(5, 300, 3))
    np.testing.assert_allclose(density.values(points), expected.reshape(5, 300), rtol=1e-12)
    assert density.of_fit(0) is density
    assert compilations == []


def test_the_value_alone_is_used_for_values():
    calls = []

    def value(position):
        calls.append(position)
        return 7

    density = host_density(Model.from_callable(one_by_one, 3, value=value))
    np.testing.assert_array_equal(density.values(np.zeros((2, 3))), [7.0, 7.0])
    assert density.values_and_gradients(np.zeros((2, 3)))[0][0] == -7.0
    assert len(calls) == 2


def test_threads_call_at_the_same_time():
    both = threading.Barrier(2, timeout=60)

    def waits(position):
        both.wait()
        return one_by_one(position)

    values = host_density(Model.from_callable(waits, 3, parallel=True)).values(np.stack([MEAN, MEAN + 1.0]))
    np.testing.assert_allclose(values, [0.0, -1.5])


def test_a_function_may_write_to_what_it_is_given():
    def spoils(position):
        result = one_by_one(position.copy())
        position[:] = np.nan
        return result

    points = np.ones((3, 3))
    host_density(Model.from_callable(spoils, 3)).values_and_gradients(points)
    np.testing.assert_array_equal(points, 1.0)


def test_values_that_are_not_finite_are_values():
    values, _ = host_density(Model.from_callable(lambda x: (-np.inf, np.full(3, np.nan)), 3)).values_and_gradients(
        np.zeros((2, 3))
    )
    np.testing.assert_array_equal(values, [-np.inf, -np.inf])


@pytest.mark.parametrize(
    ("returned", "options", "message"),
    [
        (None, {}, r"must return two things, a value and a gradient, but it returned None\."),
        ((1.0, np.zeros(3), 0.0), {}, r"must return two things, .* it returned a tuple of 3\."),
        ((1.0, np.zeros(2)), {}, r"floating-point numbers of shape \(3,\) as its gradient, but that is float64\[2\]"),
        ((np.zeros(1), np.zeros(3)), {}, r"must return a number as its value, but that is float64\[1\]"),
        ((1.0 + 0j, np.zeros(3)), {}, r"must return a number as its value, but that is complex128\[\]"),
        ((None, np.zeros(3)), {}, r"must return a number as its value, but that is None"),
        ((1.0, [[1.0], 2.0, 3.0]), {}, r"of shape \(3,\) as its gradient, but that is a list"),
        ((np.zeros(3), np.zeros((2, 3))), {"batched": True}, r"of shape \(2,\) as its value, but that is float64\[3\]"),
        ((np.zeros(2), np.zeros(3)), {"batched": True}, r"of shape \(2, 3\) as its gradient, but that is float64\[3\]"),
    ],
)
def test_what_is_returned_is_checked(returned, options, message):
    density = host_density(Model.from_callable(lambda x: returned, 3, **options))
    with pytest.raises(ValueError, match=r"The log density with its gradient must return .*") as raised:
        density.values_and_gradients(np.zeros((2, 3)))
    assert raised.match(message)


@pytest.mark.parametrize("parallel", [False, True])
def test_errors_say_at_which_point(parallel):
    def fails(position):
        if position[0] > 0.5:
            raise OSError("no answer")
        return one_by_one(position)

    points = np.array([[0.0, 1.0, 2.0], [0.75, 1.0, 2.0]])
    density = host_density(Model.from_callable(fails, 3, parallel=parallel))
    with pytest.raises(ValueError, match=r"raised OSError: no answer. It was called at the point \[0.75, 1.0, 2.0\]"):
        density.values_and_gradients(points)
    density = host_density(Model.from_callable(one_by_one, 3, value=fails))
    with pytest.raises(ValueError, match=r"The log density alone raised OSError"):
        density.values(points[1:])
    density = host_density(Model.from_callable(lambda x: x.item(), 3, batched=True))
    with pytest.raises(ValueError, match=r"called at 2 points, of which the first is \[0.0, 1.0, 2.0\]"):
        density.values(points)


# Parameters


def test_the_position_is_a_parameter_by_default(compilations):
    model = Model.from_callable(one_by_one, 3, dims={"x": ("case",)}, coords={"case": ["a", "b", "c"]})
    assert model.columns() == ["x.1", "x.2", "x.3"]
    assert (model.name, model.is_callable, model.dtype) == ("one_by_one", True, np.float64)
    np.testing.assert_array_equal(model.constrain([1.0, 2.0, 3.0])["x"], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(model.unconstrain({"x": MEAN}), MEAN)
    np.testing.assert_array_equal(model.unconstrain(MEAN), MEAN)
    np.testing.assert_allclose(model.log_density([0.0, 0.0, 0.0]), -7.0)
    assert compilations == []


def test_names_make_parameters_of_elements():
    model = Model.from_callable(one_by_one, 3, names=["a", "b", "c"])
    assert model.columns() == ["a", "b", "c"]
    assert model.constrain(MEAN) == {"a": 1.0, "b": -2.0, "c": 3.0}
    np.testing.assert_array_equal(model.unconstrain({"c": 3.0, "a": 1.0, "b": -2.0}), MEAN)


def test_constrain_gives_parameters():
    model = Model.from_callable(
        one_by_one,
        3,
        constrain=lambda x: {"sigma": np.exp(x[0]), "beta": x[1:]},
        unconstrain=lambda values: np.array([np.log(values["sigma"]), *values["beta"]]),
        dims={"beta": ("k",)},
    )
    assert [(variable.name, variable.shape, variable.dims) for variable in model.variables] == [
        ("sigma", (), None),
        ("beta", (2,), ("k",)),
    ]
    parameters = model.constrain(MEAN)
    np.testing.assert_allclose(parameters["sigma"], np.e)
    np.testing.assert_allclose(model.unconstrain(parameters), MEAN)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ["a", "b"]}, r"`names` must be 3 different names"),
        ({"names": "abc"}, r"`names` must be 3 different names"),
        ({"names": ["a", "b", "a"]}, r"`names` must be 3 different names"),
        ({"names": ["a", "b", "c"], "constrain": dict}, r"Give `names` or `constrain`"),
        ({"constrain": lambda x: x}, r"`constrain` must return a dictionary of arrays by name, .* a numpy.ndarray"),
        ({"dims": {"y": ("k",)}}, r"`dims` names 'y', which the model does not have"),
        ({"dims": {"x": ("k", "l")}}, r"`dims` gives `x` 2 names of axes, but its shape is \[3\]"),
    ],
)
def test_parts_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        Model.from_callable(one_by_one, 3, **options)


def test_model_without_parameters():
    with pytest.raises(ValueError, match="has 0 parameters"):
        Model.from_callable(one_by_one, 0)


def test_given_parameters_that_do_not_fit():
    model = Model.from_callable(one_by_one, 3, constrain=lambda x: {"beta": x})
    with pytest.raises(ValueError, match=r"a dictionary by name of beta"):
        model.unconstrain({"alpha": 1.0})
    with pytest.raises(ValueError, match=r"Parameter 'beta' has shape \(3,\), but a value of shape \(2,\)"):
        model.unconstrain({"beta": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"Give Model.from_callable the inverse of `constrain`"):
        model.unconstrain({"beta": MEAN})
    wrong = Model.from_callable(one_by_one, 3, constrain=lambda x: {"beta": x}, unconstrain=lambda values: 1.0)
    with pytest.raises(ValueError, match=r"`unconstrain` must return an array of shape \(3,\), but it returned \[\]"):
        wrong.unconstrain({"beta": MEAN})
