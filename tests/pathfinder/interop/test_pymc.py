"""PyMC models as models of the engine: PyMC's own densities, variables, names, dims and data."""

import gc
import weakref

import jax
import numpy as np
import pytest


pytest.importorskip("pymc")

import pymc as pm  # noqa: E402
from pytensor.compile.mode import Mode  # noqa: E402

from pathfinder import Model  # noqa: E402
from tests.pathfinder.interop import pymc_models  # noqa: E402
from tests.pathfinder.interop.same_models import EIGHT_SCHOOLS, SAME, log_density_of  # noqa: E402


UNCOMPILED = Mode(linker="py", optimizer="fast_compile")


@pytest.fixture(scope="module", params=pymc_models.MODELS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def pymc_model(name):
    return pymc_models.MODELS[name]()


@pytest.fixture(scope="module")
def model(pymc_model):
    return Model.from_pymc(pymc_model)


@pytest.fixture(scope="module")
def positions(model):
    return np.random.default_rng(0).uniform(-1.5, 1.5, (20, model.dim))


def point_of(pymc_model, position):
    """A vector as PyMC has it."""
    shapes, point, begin = pymc_model.eval_rv_shapes(), {}, 0
    for variable in pymc_model.value_vars:
        size = int(np.prod(shapes[variable.name], dtype=int))
        point[variable.name] = position[begin : begin + size].reshape(shapes[variable.name])
        begin += size
    assert begin == len(position)
    return point


def assert_close(found, expected):
    """To 1e-12 of the largest element."""
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * max(1, np.abs(expected).max()))


def test_log_density_and_gradient_are_those_of_pymc(pymc_model, model, positions):
    value = pymc_model.compile_logp(mode=UNCOMPILED)
    gradient = pymc_model.compile_dlogp(mode=UNCOMPILED)
    found = jax.jit(jax.vmap(jax.value_and_grad(lambda position: model.density(position, model.data))))(positions)
    for position, own_value, own_gradient in zip(positions, *found, strict=True):
        point = point_of(pymc_model, position)
        assert_close(own_value, value(point))
        assert_close(own_gradient, gradient(point))


def test_variables_are_those_of_pymc(pymc_model, model, positions):
    variables = [*pymc_model.free_RVs, *pymc_model.deterministics]
    assert [variable.name for variable in model.variables] == [variable.name for variable in variables]
    expected = pymc_model.compile_fn(pymc_model.unobserved_value_vars, mode=UNCOMPILED)
    names = [variable.name for variable in pymc_model.unobserved_value_vars]
    for position in positions[:3]:
        values = dict(zip(names, expected(point_of(pymc_model, position)), strict=True))
        for variable, found in zip(model.variables, model.constrain(position).values(), strict=True):
            assert found.shape == variable.shape
            assert_close(found, values[variable.name])


def test_unconstrain_is_the_inverse_of_constrain(model, positions):
    for position in positions[:3]:
        named = model.constrain(position)
        found = model.unconstrain({variable.name: named[variable.name] for variable in model.parameters})
        np.testing.assert_allclose(found, position, rtol=1e-10, atol=1e-10)


def test_log_density_is_that_of_the_same_model_in_jax(name, model):
    same, other = SAME[name], SAME[name].jax()
    expected = log_density_of(other, same.coordinates)
    found = log_density_of(model, lambda named: same.coordinates(pymc_models.by_common_names(name, named)))
    differences = []
    for position in np.random.default_rng(1).uniform(-1.5, 1.5, (20, other.dim)):
        constrained = other.constrain(position)
        named = {variable.name: np.asarray(constrained[variable.name]) for variable in other.parameters}
        own = pymc_models.by_pymc_names(name, named)
        values = {variable.name: own[variable.name] for variable in model.parameters}
        differences.append(found(values) - expected(named))
    np.testing.assert_allclose(differences, differences[0], rtol=1e-8, atol=1e-8)


def test_pointwise_log_likelihood_is_that_of_pymc(pymc_model, model, positions):
    expected = pymc_model.compile_fn(pymc_model.logp(pymc_model.observed_RVs, sum=False), mode=UNCOMPILED)
    found = jax.jit(model.log_likelihood_fn)(positions[0], model.data)
    assert list(found) == [variable.name for variable in model.observed_variables]
    for own, value in zip(found.values(), expected(point_of(pymc_model, positions[0])), strict=True):
        assert_close(own, value)


def test_names_axes_and_data_are_those_of_pymc():
    pymc_model = pymc_models.eight_schools()
    model = Model.from_pymc(pymc_model)
    assert {variable.name: variable.dims for variable in model.variables} == {
        "mu": None,
        "tau": None,
        "theta_tilde": ("school",),
        "theta": ("school",),
    }
    assert [variable.block for variable in model.variables] == ["parameters"] * 3 + ["transformed parameters"]
    assert [(own.name, own.shape, own.dims) for own in model.observed_variables] == [("effect", (8,), ("school",))]
    np.testing.assert_array_equal(model.coords["school"], list("ABCDEFGH"))
    assert model.observed == ("effect",)
    assert set(model.named_data) == {"effect", "sigma"}
    np.testing.assert_array_equal(model.named_data["effect"], EIGHT_SCHOOLS["y"])
    np.testing.assert_array_equal(model.named_data["sigma"], EIGHT_SCHOOLS["sigma"])
    assert model.data_dims == {"effect": ("school",), "sigma": ("school",)}


def test_a_model_without_name_is_called_model_and_others_as_they_are():
    with pm.Model(name="schools"):
        pm.Normal("x")
        model = Model.from_pymc()
    assert model.name == "schools"
    assert [variable.name for variable in model.variables] == ["schools::x"]
    with pm.Model():
        pm.Normal("x")
        assert Model.from_pymc().name == "model"
        assert Model.from_pymc(name="other").name == "other"


def test_other_data_of_the_same_shapes_share_the_functions():
    pymc_model = pymc_models.eight_schools()
    before = Model.from_pymc(pymc_model)
    with pymc_model:
        pm.set_data({"y": EIGHT_SCHOOLS["y"] + 1})
    after = Model.from_pymc(pymc_model)
    assert after.density is before.density
    assert after.constrain_fn is before.constrain_fn
    assert after.log_likelihood_fn == before.log_likelihood_fn
    np.testing.assert_array_equal(after.named_data["effect"], EIGHT_SCHOOLS["y"] + 1)
    position = np.linspace(-1, 1, 10)
    point = point_of(pymc_model, position)
    np.testing.assert_allclose(after.log_density(position), pymc_model.compile_logp(mode=UNCOMPILED)(point), rtol=1e-12)
    assert after.log_density(position) != before.log_density(position)  # which has the data of its time


def test_data_of_other_shapes_and_new_variables_are_converted_anew():
    pymc_model = pymc_models.eight_schools()
    before = Model.from_pymc(pymc_model)
    with pymc_model:
        pm.set_data({"y": np.ones(3), "sigma": np.ones(3)}, coords={"school": list("abc")})
    shorter = Model.from_pymc(pymc_model)
    assert (before.dim, shorter.dim) == (10, 5)
    assert list(shorter.coords["school"]) == list("abc")
    with pymc_model:
        pm.Normal("further")
    assert Model.from_pymc(pymc_model).dim == 6


def test_lengths_of_dims_alone_may_change():
    with pm.Model(coords={"n": range(3)}) as pymc_model:
        pm.Normal("x", dims="n")
    assert Model.from_pymc(pymc_model).dim == 3
    pymc_model.set_dim("n", 5, range(5))
    assert Model.from_pymc(pymc_model).dim == 5


def test_the_functions_do_not_keep_the_model():
    pymc_model = pymc_models.eight_schools()
    Model.from_pymc(pymc_model)
    there = weakref.ref(pymc_model)
    del pymc_model
    gc.collect()
    assert there() is None


def test_predictions_are_conditioned_on_the_draws_and_have_the_data_of_their_time():
    with pm.Model(coords={"n": range(3)}) as pymc_model:
        x = pm.Data("x", [1.0, 10.0, 100.0], dims="n")
        effect = pm.Normal("effect", x, 1000.0, dims="n")  # depends on data: PyMC alone would draw it anew
        pm.Normal("y", effect, 1e-3, observed=np.zeros(3), dims="n")
    model = Model.from_pymc(pymc_model)
    with pymc_model:
        pm.set_data({"x": np.zeros(2)}, coords={"n": range(2)})
    effect = np.random.default_rng(0).normal(size=(50, 3))
    found = model.predict_draws_fn({"effect": effect}, 1)
    assert found["y"].shape == (50, 3)
    np.testing.assert_allclose(found["y"], effect, atol=0.01)
    np.testing.assert_array_equal(model.predict_draws_fn({"effect": effect}, 1)["y"], found["y"])
    assert np.any(model.predict_draws_fn({"effect": effect}, 2**64 - 1)["y"] != found["y"])
