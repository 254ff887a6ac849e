"""Our example programs against Stan itself, compiled by httpstan; run by `make test-stan-oracle`.

Each program is compiled once, which takes minutes, and kept in httpstan's cache. Constants are kept on both sides: Stan
is given `target += f_lpdf(...)` in place of `~`.
"""

import asyncio
import json
from pathlib import Path

import jax
import numpy as np
import pytest

from pathfinder import Model
from tests.stan.oracle import explicit


pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore::DeprecationWarning")]  # httpstan's own

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
PROGRAMS = {
    "bernoulli": "bernoulli",
    "eight_schools_noncentered": "eight_schools",
    "hidden_markov": "hidden_markov",
    "mixture": "mixture",
}
QUICKLY = ["-O0", "-std=c++14", "-w"]  # as httpstan has it, without the optimisations that take most of the time


def compiled(program):
    """The module of a program in Stan."""
    models = pytest.importorskip("httpstan.models", reason="httpstan, which there is for few platforms, is missing")
    name = models.calculate_model_name(program)
    try:
        return models.import_services_extension_module(name)
    except KeyError:
        asyncio.run(models.build_services_extension_module(program, QUICKLY))
        return models.import_services_extension_module(name)


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", PROGRAMS)
def test_example(name):
    program = (EXAMPLES / f"{name}.stan").read_text()
    data = json.loads((EXAMPLES / f"{PROGRAMS[name]}.data.json").read_text())
    stan = compiled(explicit(program))
    model = Model.from_stan(program, data, simplex="stick_breaking")  # Stan 2.35 has the transform before 2.37
    assert stan.constrained_param_names(data) == model.columns()
    value_and_gradient = jax.jit(jax.value_and_grad(lambda position: model.density(position, model.data)))
    for position in np.random.default_rng(5).uniform(-1, 1, (5, model.dim)):
        value, gradient = value_and_gradient(position)
        expected = np.array(stan.log_prob_grad(data, position.tolist(), True))
        np.testing.assert_allclose(value, stan.log_prob(data, position.tolist(), True), 1e-10)
        np.testing.assert_allclose(gradient, expected, 1e-9, 1e-10 * np.abs(expected).max())
        values = [np.asarray(part).flatten(order="F") for part in model.constrain(position).values()]
        np.testing.assert_allclose(
            np.concatenate(values), stan.write_array(data, position.tolist(), True, False), 1e-11, 1e-14
        )
