"""The same models in all libraries have the same log density and the same posterior."""

import numpy as np
import pytest

import pathfinder
from tests.pathfinder.interop.same_models import SAME, log_density_of


@pytest.fixture(scope="module", params=SAME)
def same(request):
    return SAME[request.param]


@pytest.fixture(scope="module")
def points(same):
    """Parameters by name at twenty random points."""
    model = same.jax()
    positions = np.random.default_rng(0).uniform(-1.5, 1.5, (20, model.dim))
    return [{v.name: np.asarray(model.constrain(p)[v.name]) for v in model.parameters} for p in positions]


@pytest.fixture(scope="module")
def expected(same, points):
    log_density = log_density_of(same.jax(), same.coordinates)
    values = np.array([log_density(named) for named in points])
    return values - values[0]


def test_stan_program_has_the_same_log_density(same, points, expected):
    log_density = log_density_of(pathfinder.Model.from_stan(same.stan, same.stan_data), same.coordinates)
    values = np.array([log_density(named) for named in points])
    np.testing.assert_allclose(values - values[0], expected, rtol=1e-8, atol=1e-8)
