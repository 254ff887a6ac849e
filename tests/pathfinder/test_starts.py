"""The search for initial points, on its own, against that of a fit."""

import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import InitialPoints, Model, PathfinderError
from pathfinder._starts import find_starts


NUM_PATHS = 6


@pytest.fixture(scope="module")
def model():
    """Positive only where the first coordinate is."""

    def half_normal(params):
        return jnp.where(params["x"][0] > 0, -0.5 * jnp.sum(params["x"] ** 2), -jnp.inf)

    return Model.from_log_density(half_normal, {"x": jnp.zeros(2)})


def box(center, radius):
    return InitialPoints(np.full((NUM_PATHS, 2), center), np.full((NUM_PATHS, 2), radius))


def test_starts_are_those_of_a_fit(model):
    points = box(0.0, 2.0)
    starts = find_starts(model, points, 3)
    result = pathfinder.fit(model, init=points, seed=3, num_paths=NUM_PATHS, num_draws=20, progress=False)
    assert starts.usable.all()
    assert starts.num_tries.max() > 1
    found = [path.initial_log_density for path in result.paths]
    np.testing.assert_allclose(starts.log_density, found, rtol=1e-12)
    np.testing.assert_allclose(starts.gradient, -starts.position, rtol=1e-12)
    np.testing.assert_allclose(starts.log_density, -0.5 * np.sum(starts.position**2, axis=1), rtol=1e-12)


def test_points_that_are_given(model):
    starts = find_starts(model, box(0.5, 0.0), 3)
    np.testing.assert_array_equal(starts.position, np.full((NUM_PATHS, 2), 0.5))
    assert (starts.num_tries == 1).all()


def test_the_search_ends(model):
    points = box(-5.0, 1.0)
    starts = find_starts(model, points, 3)
    assert not starts.usable.any()
    assert (starts.num_tries == 100).all()
    assert (starts.log_density == -np.inf).all()
    with pytest.raises(PathfinderError):
        pathfinder.fit(model, init=points, seed=3, num_paths=NUM_PATHS, progress=False)


def test_a_gradient_that_is_not_finite():
    model = Model.from_log_density(lambda params: jnp.sqrt(jnp.sum(params["x"] ** 2)), {"x": jnp.zeros(2)})
    starts = find_starts(model, box(0.0, 0.0), 3)
    assert (starts.log_density == 0).all()
    assert np.isnan(starts.gradient).all()
    assert not starts.usable.any()
