"""The same models in JAX, Stan and NumPyro have the same log density and posterior (PyMC's: `test_pymc.py`)."""

import numpy as np
import pytest

import pathfinder
from tests.pathfinder.interop import same_numpyro_models
from tests.pathfinder.interop.same_models import SAME, log_density_of


@pytest.fixture(scope="module", params=SAME)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def in_jax(name):
    return SAME[name].jax()


@pytest.fixture(scope="module")
def points(in_jax):
    """Parameters by name at twenty random points."""
    positions = np.random.default_rng(0).uniform(-1.5, 1.5, (20, in_jax.dim))
    named = map(in_jax.constrain, positions)
    return [{variable.name: np.asarray(own[variable.name]) for variable in in_jax.parameters} for own in named]


def differences(model, name, points):
    """Log densities of the common coordinates, without the constant that a library leaves out."""
    log_density = log_density_of(model, SAME[name].coordinates)
    values = np.array([log_density(named) for named in points])
    return values - values[0]


@pytest.fixture(scope="module")
def expected(in_jax, name, points):
    return differences(in_jax, name, points)


@pytest.fixture(scope="module", params=["Stan", "NumPyro"])
def model(request, name):
    if request.param == "Stan":
        return pathfinder.Model.from_stan(SAME[name].stan, SAME[name].stan_data)
    return same_numpyro_models.MODELS[name]()


def test_log_densities_are_equal(model, name, points, expected):
    np.testing.assert_allclose(differences(model, name, points), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.slow
def test_posteriors_are_equal(model, name, in_jax):
    """Means within what draws of 200 effective ones differ by, and standard deviations."""
    found, expected = (pathfinder.fit(own, seed=1, progress=False) for own in (model, in_jax))
    for variable in in_jax.parameters:
        own, other = found.draws[variable.name], expected.draws[variable.name]
        spread = other.std(axis=0)
        np.testing.assert_array_less(np.abs(own.mean(axis=0) - other.mean(axis=0)), 0.4 * spread + 1e-9)
        np.testing.assert_allclose(own.std(axis=0), spread, rtol=0.35, atol=1e-9)
