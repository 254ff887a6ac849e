import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, constraints


def log_density(params, data):
    return -0.5 * jnp.sum((data["y"] - params["mu"]) ** 2 / params["sigma"] ** 2) - 3.0 * jnp.log(params["sigma"])


def transformed(params, data):
    return {"variance": params["sigma"] ** 2, "residuals": data["y"] - params["mu"]}


def generated(key, params, data):
    return {"prediction": params["mu"] + params["sigma"] * jax.random.normal(key, (), float)}


DATA = {"y": np.array([1.0, 2.0, 4.0])}


def make_model(**changes):
    arguments = {
        "constraints": {"sigma": constraints.positive},
        "data": DATA,
        "transformed": transformed,
        "generated": generated,
        "dims": {"residuals": ("case",)},
        "coords": {"case": ["a", "b", "c"]},
    }
    return Model.from_log_density(log_density, {"sigma": 1.0, "mu": 0.0}, **{**arguments, **changes})


@pytest.fixture(scope="module")
def model():
    return make_model()


@pytest.fixture(scope="module")
def result(model):
    return pathfinder.fit(model, seed=0, progress=False, num_draws=200, num_psis_draws=200)


def test_density_has_the_jacobian(model):
    position = np.array([0.3, -1.0])
    params = {"sigma": np.exp(0.3), "mu": -1.0}
    np.testing.assert_allclose(model.log_density(position), log_density(params, DATA) + 0.3, rtol=1e-12)


def test_variables_come_in_stan_order_of_blocks(model):
    assert [(variable.name, variable.shape, variable.block) for variable in model.variables] == [
        ("sigma", (), "parameters"),
        ("mu", (), "parameters"),
        ("variance", (), "transformed parameters"),
        ("residuals", (3,), "transformed parameters"),
        ("prediction", (), "generated quantities"),
    ]
    assert [variable.name for variable in model.parameters] == ["sigma", "mu"]
    assert model.variables[3].dims == ("case",)


def test_columns(model):
    expected = ["sigma", "mu", "variance", "residuals.1", "residuals.2", "residuals.3", "prediction"]
    assert model.columns() == expected
    assert model.columns("bracket")[3] == "residuals[1]"


def test_constrain_and_unconstrain(model):
    values = model.constrain(np.array([0.3, -1.0]))
    np.testing.assert_allclose(values["variance"], np.exp(0.6), rtol=1e-12)
    np.testing.assert_allclose(values["residuals"], DATA["y"] + 1.0)
    np.testing.assert_allclose(model.unconstrain({"mu": -1.0, "sigma": np.exp(0.3)}), [0.3, -1.0], rtol=1e-12)


def test_a_model_is_made_without_compilation(compilations):
    make_model()
    assert compilations == []


def test_constraining_by_hand_is_one_program_each(compilations):
    model = make_model(data={"y": np.arange(5.0)})
    for shift in (0.0, 1.0):
        values = model.constrain(np.array([0.3, -1.0 + shift]))
        np.testing.assert_allclose(
            model.unconstrain({name: values[name] for name in ("sigma", "mu")}), [0.3, -1 + shift]
        )
    assert list(values) == ["sigma", "mu", "variance", "residuals"]
    assert len(compilations) <= 2


def test_draws_have_all_variables(result):
    draws = result.draws
    assert list(draws) == ["sigma", "mu", "variance", "residuals", "prediction"]
    np.testing.assert_allclose(draws["sigma"], np.exp(result.unconstrained_draws[:, 0]), rtol=1e-12)
    np.testing.assert_allclose(draws["variance"], draws["sigma"] ** 2, rtol=1e-12)
    np.testing.assert_allclose(draws["residuals"], DATA["y"] - draws["mu"][:, None], rtol=1e-9, atol=1e-12)


def test_generated_quantities_are_random_and_reproducible(model, result):
    again = pathfinder.fit(model, seed=0, progress=False, num_draws=200, num_psis_draws=200)
    np.testing.assert_array_equal(again.draws["prediction"], result.draws["prediction"])
    noise = (result.draws["prediction"] - result.draws["mu"]) / result.draws["sigma"]
    distinct = len(np.unique(result.rows))
    assert len(np.unique(np.round(noise, 9))) == distinct
    assert abs(noise.mean()) < 5 / np.sqrt(distinct)
    np.testing.assert_allclose(noise.std(), 1.0, atol=5 / np.sqrt(2 * distinct))


def test_models_made_twice_share_their_programs():
    one, other = make_model(), make_model(data={"y": np.zeros(3)})
    assert one.density == other.density
    assert hash(one.density) == hash(other.density)
    assert one.constrain_fn == other.constrain_fn
    assert one.generate_fn == other.generate_fn
    different = make_model(constraints=None)
    assert one.density != different.density
    assert one.density != one.constrain_fn


def test_names_and_dtype():
    assert make_model().name == "log_density"
    assert make_model(name="mine").name == "mine"
    assert make_model().dtype == jnp.float64
    single = Model.from_log_density(lambda x: -jnp.sum(x**2), np.zeros(2, np.float32))
    assert single.dtype == jnp.float32
    assert single.log_density([1.0, 2.0]).dtype == jnp.float32


def test_data_may_be_lists_of_numbers_and_integers():
    def counts(params, data):
        return -jnp.sum(data[0] * params) - jnp.sum(params**2) * data[1]

    model = Model.from_log_density(counts, np.zeros(2), data=[np.array([1.0, 2.0]), 3.0])
    np.testing.assert_allclose(model.log_density(np.array([1.0, 1.0])), -9.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((lambda x: x, np.zeros(2)), r"must return one real number \(a scalar\), but it returned float64\[2\]"),
        ((lambda x: (x[0], x[1]), np.zeros(2)), r"must return one real number"),
        ((lambda x: jnp.sum(x) > 0, np.zeros(2)), r"must return one real number \(a scalar\), .* bool"),
        ((lambda x, data: jnp.sum(x), np.zeros(2)), r"is called as log_density\(params\), but it has the signature"),
        ((lambda x: jnp.sum(x), {}), r"has 0 parameters"),
    ],
)
def test_functions_that_are_no_log_density(arguments, message):
    with pytest.raises(ValueError, match=message):
        Model.from_log_density(*arguments)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dims": {"nothing": ("a",)}}, r"`dims` names 'nothing', which the model does not have"),
        ({"generated": lambda key, params, data: {"mu": 1.0}}, r"'mu' is returned by `generated` but already is"),
        ({"constraints": {"tau": constraints.positive}}, r"`constraints` names 'tau'"),
    ],
)
def test_parts_that_do_not_fit_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        make_model(**changes)


def test_log_density_without_data_is_told_about_data():
    with pytest.raises(ValueError, match=r"is called as log_density\(params, data\)"):
        Model.from_log_density(lambda x: -jnp.sum(x**2), np.zeros(2), data=np.zeros(2))


def test_model_without_parameters_is_refused(model):
    with pytest.raises(ValueError, match="has 0 parameters"):
        dataclasses.replace(model, dim=0)
