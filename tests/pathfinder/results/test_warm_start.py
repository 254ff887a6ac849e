"""A warm start hands over what the fit found, to each library in its own form."""

import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, constraints
from pathfinder._results.warm_start import log_density_of, value_and_gradient_of
from tests.pathfinder.refining import QUICK, refined
from tests.problems import rotated_normal


@pytest.fixture(scope="module")
def result():
    target = rotated_normal(5, 100.0)
    return refined(target.log_density, target.dim)


def refined_model(model):
    return pathfinder.fit(model, seed=1, **QUICK)


def test_it_has_the_starts_and_the_metric_of_the_fit(result):
    start = result.warm_start(3, "diagonal", seed=4)
    np.testing.assert_array_equal(start.positions, result.initial_positions(3, seed=4))
    np.testing.assert_array_equal(start.inverse_mass_matrix, result.inverse_mass_matrix("diagonal"))
    assert start.step_size == pytest.approx(5**-0.25)


def test_what_is_handed_over_is_a_copy(result):
    start = result.warm_start()
    before = start.inverse_mass_matrix.copy()
    start.numpyro()["kernel"]["inverse_mass_matrix"][:] = 0.0
    start.numpyro()["run"]["init_params"][:] = 0.0
    start.cmdstanpy()["inv_metric"][:] = 0.0
    np.testing.assert_array_equal(start.inverse_mass_matrix, before)
    np.testing.assert_array_equal(start.positions, result.initial_positions(4))


def test_a_metric_of_low_rank_is_dense_where_no_other_is_taken(result):
    start, dense = result.warm_start(kind="low_rank"), result.inverse_mass_matrix("dense")
    for handed in (
        start.numpyro()["kernel"]["inverse_mass_matrix"],
        start.cmdstanpy()["inv_metric"],
        start.blackjax()["adaptation"]["initial_inverse_mass_matrix"],
    ):
        np.testing.assert_allclose(handed, dense, rtol=1e-9, atol=1e-12)
    assert type(start.blackjax()["parameters"]["inverse_mass_matrix"]).__name__ == "LowRankInverseMassMatrix"


def test_the_potential_is_minus_the_log_density(result):
    start = result.warm_start()
    position = start.positions[0]
    potential = start.numpyro()["kernel"]["potential_fn"]
    assert float(potential(position)) == pytest.approx(-float(result.model.log_density(position)))


def test_values_are_parameters_alone_on_their_own_scale():
    model = Model.from_log_density(
        lambda params: -0.5 * jnp.sum(params["z"] ** 2) - params["s"],
        {"z": np.zeros((2, 2)), "s": 1.0},
        constraints={"s": constraints.positive},
        transformed=lambda params: {"double": 2.0 * params["s"]},
    )
    start = refined_model(model).warm_start(2)
    for position, values in zip(start.positions, start.values, strict=True):
        assert {name: value.shape for name, value in values.items()} == {"z": (2, 2), "s": ()}
        np.testing.assert_allclose(model.unconstrain(values), position, rtol=1e-9)


def test_a_log_density_outside_of_jax():
    model = Model.from_callable(lambda x: (-0.5 * np.sum(x**2), -x), 2, name="outside")
    start = refined_model(model).warm_start()
    with pytest.raises(ValueError, match=r'outside is a function outside of JAX.*library="nutpie"'):
        start.numpyro()
    assert [list(own) for own in start.values] == [["x"]] * 4
    value, gradient = value_and_gradient_of(model)(np.array([1.0, 2.0]))
    assert (float(value), list(gradient)) == (-2.5, [-1.0, -2.0])


def test_value_and_gradient_are_those_of_the_density(result):
    value, gradient = value_and_gradient_of(result.model)(result.unconstrained_draws[0])
    assert float(value) == pytest.approx(float(log_density_of(result.model)(result.unconstrained_draws[0])))
    assert gradient.shape == (5,)
