"""PyMC keeps the metric that it is given, and chains begin where they are told."""

import numpy as np
import pytest

from pathfinder.interop.samplers.pymc import pymc_start


pymc = pytest.importorskip("pymc")

MATRIX = np.array([[1.0, 0.2, 0.0], [0.2, 4.0, 0.5], [0.0, 0.5, 0.25]])
VALUES = [
    {"zeta": np.array([0.1, -0.3]), "alpha": np.array(1.5)},
    {"zeta": np.array([1.0, 2.0]), "alpha": np.array(0.2)},
]


@pytest.fixture(scope="module")
def model():
    with pymc.Model() as model:
        pymc.Normal("zeta", shape=2)
        pymc.HalfNormal("alpha", sigma=2.0)
    return model


def test_chains_begin_where_they_are_told_with_a_metric_that_stays(model):
    with model:
        start = pymc_start(VALUES, MATRIX, 6, 0.8)
        found = pymc.sample(
            **start, draws=4, cores=1, random_seed=1, progressbar=False, compute_convergence_checks=False
        )
    np.testing.assert_array_equal(start["step"].potential._cov, MATRIX)
    assert found.posterior.sizes == {"chain": 2, "draw": 4, "zeta_dim_0": 2}
    assert start["initvals"][1]["alpha"] == 0.2


def test_positions_of_the_metric_are_those_of_the_value_variables(model):
    step = pymc_start(VALUES, MATRIX, 6, 0.8, model)["step"]
    assert [variable.name for variable in step.vars] == ["zeta", "alpha_log__"]
    assert step.target_accept == 0.8


def test_a_diagonal_metric(model):
    step = pymc_start(VALUES, np.array([1.0, 2.0, 3.0]), 6, 0.9, model)["step"]
    np.testing.assert_array_equal(step.potential.v, [1.0, 2.0, 3.0])


def test_another_model_is_refused(model):
    with pytest.raises(ValueError, match=r"free variables zeta, alpha, but the fit is of x\. Fit .*from_pymc"):
        pymc_start([{"x": np.zeros(3)}], MATRIX, 6, 0.8, model)
    with pytest.raises(ValueError, match="has 3 unconstrained parameters, but the fit is of 2"):
        pymc_start(VALUES, MATRIX[:2, :2], 6, 0.8, model)
