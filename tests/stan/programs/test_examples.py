"""The Stan programs in examples/: their densities agree with Stan's own."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from pathfinder import Model
from pathfinder.stan import explain
from tests.stan.oracle import Oracle


EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.stan"))
TOLERANCE = {
    "logistic_growth": 1e-4,  # two solvers of differential equations with relative tolerances of 1e-6
    "gaussian_process": 1e-7,  # the covariance has a condition number of about 1e7
}


def data_file(path):
    return path.with_name(f"{path.stem.removesuffix('_centered').removesuffix('_noncentered')}.data.json")


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_density_and_gradient_are_stans(path):
    model = Model.from_stan(path, data_file(path))
    oracle = Oracle(path.read_text(), json.loads(data_file(path).read_text()))
    value_and_gradient = jax.jit(jax.value_and_grad(lambda position: model.density(position, model.data)))
    tolerance = TOLERANCE.get(path.stem, 1e-9)
    for position in np.random.default_rng(1).uniform(-1, 1, (4, model.dim)):
        value, gradient = value_and_gradient(position)
        expected, expected_gradient = oracle.log_density_and_gradient(position)
        np.testing.assert_allclose(value, expected, rtol=tolerance)
        scale = np.abs(expected_gradient).max()
        np.testing.assert_allclose(gradient, expected_gradient, rtol=tolerance, atol=tolerance * scale)


def test_no_loop_of_the_examples_is_unrolled():
    for path in PROGRAMS:
        lines = explain(path, data_file(path)).splitlines()[1:]
        assert not [line for line in lines if "unrolled" in line], path.stem


def test_each_example_has_a_program():
    assert len(PROGRAMS) >= 9
    assert all(data_file(path).exists() for path in PROGRAMS)
