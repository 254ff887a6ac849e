"""What `fit` takes for a model."""

import sys
from pathlib import Path

import numpy as np
import pytest

from pathfinder import Model, fit
from pathfinder._fitting.arguments import model_of


EXAMPLES = Path(__file__).parents[3] / "examples"


def model_like(module, name):
    """An object whose class has the name of that of a library."""
    return type(name, (), {"__module__": module})()


@pytest.mark.parametrize(
    ("model", "adapter"),
    [
        (model_like("pymc.model.core", "Model"), "from_pymc"),
        (model_like("bridgestan.model", "StanModel"), "from_bridgestan"),
    ],
)
def test_models_of_libraries_go_to_their_adapters(monkeypatch, model, adapter):
    adapted = Model.from_log_density(lambda x: -(x**2), 0.0)
    monkeypatch.setattr(Model, adapter, {model: adapted}.__getitem__)
    before = set(sys.modules)
    assert model_of(model, None, None, None) is adapted
    assert set(sys.modules) == before


def test_the_path_of_a_stan_program_is_compiled():
    program, data = EXAMPLES / "bernoulli.stan", EXAMPLES / "bernoulli.data.json"
    options = {"seed": 1, "num_draws": 50, "num_psis_draws": 20, "refine": False, "progress": False}
    expected = fit(Model.from_stan(program, data), **options)
    for path in (program, str(program)):
        found = fit(path, data=data, **options)
        assert found.model.name == "bernoulli"
        np.testing.assert_array_equal(found.draws["theta"], expected.draws["theta"])


@pytest.mark.parametrize("model", ["bernoulli.data.json", "data { }", 3, None, dict, model_like("other", "Model")])
def test_everything_else_is_refused_with_what_is_taken(model):
    with pytest.raises(ValueError, match=r"pathfinder.Model, a log density with `example`, a pymc.Model, a bridgestan"):
        fit(model)


def test_other_arguments_go_with_log_densities():
    with pytest.raises(ValueError, match="Stan program declares its own"):
        fit(EXAMPLES / "bernoulli.stan", constraints={})
