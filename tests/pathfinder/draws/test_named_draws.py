"""Draws as variables: by one program for any number of draws, or by functions outside of JAX."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

import pathfinder
from pathfinder import Model, constraints
from pathfinder._arrays.streams import fold_in
from pathfinder._draws.named_draws import named_draws


class Source:
    """Draws that are there, in parts of different sizes."""

    def __init__(self, positions):
        self.values = positions

    def positions(self, lanes, indices):
        for rows in np.array_split(np.arange(len(lanes)), [3, 200, 201]):
            yield rows, self.values[lanes[rows], indices[rows]]


def model_of(data=None):
    return Model.from_log_density(
        lambda params, data: -jnp.sum(params["mu"] ** 2) - params["sigma"] * data,
        {"sigma": 1.0, "mu": np.zeros(2)},
        constraints={"sigma": constraints.positive},
        data=2.0 if data is None else data,
        transformed=lambda params, data: {"scaled": params["mu"] * data},
        generated=lambda key, params, data: {"noise": jax.random.normal(key, (), params["mu"].dtype) + data},
    )


POSITIONS = np.random.default_rng(0).standard_normal((2, 700, 3))
KEYS = np.array([[1, 2], [3, 4]], np.uint32)


def test_variables_of_draws():
    lanes, indices = np.repeat([0, 1], 300), np.arange(650, 50, -1)
    found = named_draws(model_of(), Source(POSITIONS), lanes, indices, KEYS)
    positions = POSITIONS[lanes, indices]
    assert list(found) == ["sigma", "mu", "scaled", "noise"]
    np.testing.assert_allclose(found["sigma"], np.exp(positions[:, 0]), rtol=1e-12)
    np.testing.assert_array_equal(found["mu"], positions[:, 1:])
    np.testing.assert_allclose(found["scaled"], 2.0 * positions[:, 1:], rtol=1e-12)
    for row in (0, 299, 300, 599):
        key = jax.random.wrap_key_data(jnp.asarray(fold_in(KEYS[lanes[row]], np.asarray(indices[row]))))
        np.testing.assert_allclose(found["noise"][row], 2.0 + jax.random.normal(key, (), float), rtol=1e-12)


def test_each_draw_has_the_data_of_its_fit():
    many = dataclasses.replace(model_of(), data=np.array([2.0, 5.0]))
    lanes, indices = np.array([0, 1, 1]), np.array([0, 1, 2])
    found = named_draws(many, Source(POSITIONS), lanes, indices, KEYS, fits=np.array([1, 0, 1]))
    np.testing.assert_allclose(found["scaled"], found["mu"] * np.array([[5.0], [2.0], [5.0]]), rtol=1e-12)


def test_one_program_for_any_number_of_draws(compilations):
    model = model_of()
    source, all_rows = Source(POSITIONS), {}
    for count in (600, 1, 130):
        rows = np.arange(count)
        draws = named_draws(model, source, np.zeros(count, int), rows, KEYS)
        all_rows = all_rows or draws
        for name, values in draws.items():
            np.testing.assert_array_equal(values, all_rows[name][:count])
    assert compilations == ["jit(variables)"]


def test_a_fit_outside_of_jax_compiles_nothing(compilations):
    mean, scale = np.array([1.0, -2.0, 0.5]), np.array([0.5, 1.0, 3.0])

    def value_and_grad(position):
        residual = (position - mean) / scale
        return -0.5 * residual @ residual, -residual / scale

    def constrain(position):
        return {"rate": np.exp(position[0]), "shift": position[1:]}

    model = Model.from_callable(value_and_grad, 3, constrain=constrain, unconstrain=lambda values: mean)
    result = pathfinder.fit(model, seed=1, progress=False)
    draws = result.draws
    assert compilations == []
    assert result.pareto_k < 0.5
    assert list(draws) == ["rate", "shift"]
    np.testing.assert_array_equal(draws["rate"], np.exp(result.unconstrained_draws[:, 0]))
    np.testing.assert_allclose(result.unconstrained_draws.mean(axis=0), mean, atol=5 * scale.max() / np.sqrt(500))
    assert "rate" in result.summary().index
