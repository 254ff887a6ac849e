"""Mistakes in what users give are told in a sentence: what was given, what was expected, what to do."""

import dataclasses
import math
import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.stats
import xarray as xr

import pathfinder
from pathfinder import Model, constraints


@dataclasses.dataclass
class Plain:
    x: float = 0.0


def density(params, data=0.0):
    return -0.5 * jnp.sum((params["x"] - data) ** 2)


def branches(params):
    if params["x"] > 0:
        return -params["x"]
    return params["x"]


EXAMPLE = {"x": 0.0}


@pytest.mark.parametrize(
    ("function", "example", "words"),
    [
        (branches, EXAMPLE, r"cannot branch .* in branches:\n +if params\[.x.\] > 0:\n.*jnp.where.*jax.lax.cond"),
        (lambda p: np.asarray(p["x"]).sum(), EXAMPLE, r"NumPy cannot .*np.asarray.*jax.numpy"),
        (lambda p: float(p["x"]), EXAMPLE, r"no Python number.*float\(p.*leave out float"),
        (lambda p: p["x"] + math.exp(p["x"]), EXAMPLE, r"no Python number.*math.exp"),
        (lambda p: p["x"][p["x"] > 0].sum(), {"x": np.zeros(3)}, r"x\[condition\].*jnp.where"),
        (lambda p: sum(p["x"] for _ in range(p["x"])), EXAMPLE, r"Python integer.*range.*constants"),
        (lambda p: jnp.unique(p["x"]).sum(), EXAMPLE, r"number of elements.*`size=`"),
        (lambda p: p["x"][jnp.nonzero(p["x"])].sum(), {"x": np.zeros(3)}, r"number of elements.*`size=`"),
        (lambda p: jnp.zeros(p["x"].astype(int)).sum(), EXAMPLE, r"a shape would depend on values.*x\.shape"),
        (lambda p: jnp.ones(3)[: p["x"].astype(int)].sum(), EXAMPLE, r"bounds of a slice.*dynamic_slice"),
        (lambda p: p["x"].__setitem__(0, 1.0), {"x": np.zeros(3)}, r"cannot be assigned to.*x\.at\[i\]\.set"),
        (lambda p: np.zeros(3).__setitem__(0, p["x"]), EXAMPLE, r"NumPy cannot.*x\.at\[i\]\.set"),
        (lambda p: f"{p['x']:.2f}", EXAMPLE, r"written as text.*jax\.debug\.print"),
        (lambda p: {0: 1.0}[p["x"]], EXAMPLE, r"key of a dictionary.*jnp\.array"),
        (lambda p: scipy.stats.norm.logpdf(p["x"]).sum(), EXAMPLE, r"NumPy cannot.*test_user_functions.py.*jax\.scipy"),
        (lambda p: 3, EXAMPLE, "returned int.* floating-point number"),
        (lambda p: None, EXAMPLE, "returned None. Does it end without `return`"),
        (lambda p: Plain(), EXAMPLE, "one real number .* it returned a tests.Plain"),
        (lambda p: "text", EXAMPLE, "one real number .* it returned a str"),
        (lambda p: (p["x"],), EXAMPLE, "one real number"),
    ],
)
def test_density_that_jax_cannot_trace(function, example, words):
    with pytest.raises(ValueError, match=re.compile(words, re.DOTALL)) as raised:
        Model.from_log_density(function, example)
    assert "without_jacobian" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_the_place_is_the_users_line_in_every_function():
    for argument in ("transformed", "generated"):
        with pytest.raises(ValueError, match=f"(?s)`{argument}` cannot be traced .*test_user_functions.py"):
            Model.from_log_density(density, EXAMPLE, **{argument: lambda *given: {"a": 1 if given[-1]["x"] > 0 else 2}})
    with pytest.raises(ValueError, match="cannot branch"):
        pathfinder.fit_batch(lambda p, d: p["x"] if d > 0 else -p["x"], np.ones(2), EXAMPLE)


@pytest.mark.parametrize(("argument", "value"), [("transformed", [1]), ("generated", 3.0)])
def test_functions_that_return_no_dictionary(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must return a dictionary .* but it returned a "):
        Model.from_log_density(density, EXAMPLE, **{argument: lambda *_: value})


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("transformed", lambda p, d: {"a": 1.0}, r"called as transformed\(params\), but it has the signature"),
        ("generated", lambda p: {"a": 1.0}, r"called as generated\(key, params\), but"),
        ("generated", {"a": 1.0}, r"`generated` must be a function generated\(key, params\), but it is a dict"),
        ("transformed", lambda p: {1: 1.0}, "dictionary by name, but a key is 1"),
    ],
)
def test_functions_of_other_forms(argument, value, words):
    with pytest.raises(ValueError, match=words):
        Model.from_log_density(density, EXAMPLE, **{argument: value})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pd.DataFrame({"y": [1.0]}), "`data` is a pandas.DataFrame, .* dictionary of arrays.*to_numpy"),
        ({"y": pd.DataFrame({"y": [1.0]})}, r"`data\['y'\]` is a pandas.DataFrame"),
        ({"y": np.array(["a", "b"])}, r"`data\['y'\]` holds text.*np.unique"),
        ({"y": np.array([1, None], object)}, r"`data\['y'\]` holds Python objects"),
        ("text", "`data` holds text"),
        (Plain(), "`data` is a tests.Plain, a dataclass that JAX does not know.*register_dataclass"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), "`data` is a masked array .*filled"),
        (xr.Dataset({"y": ("row", [1.0])}), "`data` is a xarray.Dataset, .*dictionary of arrays"),
        ({"f": density}, r"`data\['f'\]` is a function"),
    ],
)
def test_data_that_are_no_arrays(data, words):
    for fitted in (lambda: Model.from_log_density(density, EXAMPLE, data=data), lambda: fit_batch_of(data)):
        with pytest.raises(ValueError, match=words):
            fitted()


def fit_batch_of(data):
    return pathfinder.fit_batch(density, data, EXAMPLE)


def test_numbers_in_any_container_are_data():
    series = Model.from_log_density(density, EXAMPLE, data=pd.Series([1.0, 2.0]))
    assert float(series.log_density(np.zeros(1))) == -2.5
    plain = Model.from_log_density(lambda p, d: density(p, jnp.array(d)), EXAMPLE, data=[1, 2.0])
    assert float(plain.log_density(np.zeros(1))) == -2.5


def test_a_dataclass_as_example():
    with pytest.raises(ValueError, match="`example` is a tests.Plain, a dataclass"):
        Model.from_log_density(density, Plain())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"x": "positive"}, "string 'positive'; give the object pathfinder.constraints.positive"),
        ("positive", "must be a dictionary by parameter name"),
        ({"x": 3}, "is 3, but must be one of pathfinder.constraints"),
        ({"x": constraints.interval}, "must be one of pathfinder.constraints"),
    ],
)
def test_constraints_that_are_none(given, words):
    with pytest.raises(ValueError, match=words):
        Model.from_log_density(density, EXAMPLE, constraints=given)


@pytest.mark.parametrize("bounds", [(2, 1), (1, 1), (math.nan, 1), (0, math.inf), ([0, 2], [1, 1]), ("a", 1), ("0", 1)])
def test_intervals_without_room(bounds):
    with pytest.raises(ValueError, match="bound"):
        constraints.interval(*map(np.array, bounds))


def test_an_interval_has_two_bounds():
    with pytest.raises(ValueError, match=r"lower bound is None.*less_than"):
        constraints.interval(None, 1)


def test_intervals_of_numpyro_are_checked_too():
    from numpyro.distributions.constraints import interval

    with pytest.raises(ValueError, match="parameter 'x': the lower bound 2 is not below the upper bound 1"):
        Model.from_log_density(density, EXAMPLE, constraints={"x": interval(2, 1)})


def test_other_arguments_of_fit():
    with pytest.raises(FileNotFoundError, match="model.stan"):
        pathfinder.fit("model.stan")
    with pytest.raises(TypeError, match="'num_path'. Did you mean 'num_paths'"):
        pathfinder.fit(density, EXAMPLE, num_path=2)
    with pytest.raises(TypeError, match="Did you mean 'seed'"):
        pathfinder.fit(density, EXAMPLE, sede=2)
    with pytest.raises(ValueError, match="`settings` must be a pathfinder.Settings"):
        pathfinder.fit(density, EXAMPLE, settings={"num_paths": 1})
    with pytest.raises(ValueError, match="`max_time` must be a positive number"):
        pathfinder.fit(density, EXAMPLE, max_time="long")


def test_a_value_kept_from_an_earlier_call():
    kept = []

    def leaks(params):
        kept.append(params["x"])
        return kept[0]

    with pytest.raises(ValueError, match="kept from an earlier call"):
        pathfinder.fit(leaks, EXAMPLE, progress=False)
    assert isinstance(kept[0], jax.core.Tracer)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda p, d: p["aa"], "raised KeyError: 'aa'.*parameters are 'a', 'b'; the data are 'y'"),
        (lambda p, d: d["x"], "raised KeyError: 'x'.*the data are 'y'"),
        (lambda p, d: p.a, "'dict' object has no attribute 'a'.*parameters are 'a', 'b'"),
        (lambda p, d: jnp.sum(p["b"] ** 2), r"`example\['b'\]` is a list, which JAX takes for a container"),
    ],
)
def test_names_and_lists_that_are_not_what_was_given(function, message):
    with pytest.raises(ValueError, match=f"(?s)The log density.*{message}"):
        Model.from_log_density(function, {"a": 0.0, "b": [[1.0, 2.0], [3.0]]}, data={"y": 1.0})


def test_errors_of_the_users_own_dictionaries_are_left_alone():
    table = {}
    with pytest.raises(KeyError):
        Model.from_log_density(lambda p: table["a"] * p["a"], {"a": 0.0})


@pytest.mark.parametrize("function", [lambda p, d: jnp.sum(d["y"]), lambda p, d: jnp.zeros(())])
def test_constrained_densities_that_ignore_their_parameters_are_warned_of(function):
    with pytest.warns(UserWarning, match="does not depend on its parameters"):
        Model.from_log_density(function, {"a": 0.5}, data={"y": 1.0}, constraints={"a": constraints.unit_interval})


def test_densities_that_use_their_parameters_are_not():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Model.from_log_density(lambda p: -jnp.log(p["a"]), {"a": 0.5}, constraints={"a": constraints.unit_interval})
