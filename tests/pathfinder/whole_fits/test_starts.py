"""Where the paths of a fit start, and what of that is kept."""

import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import InitialPoints, Model, PathfinderError, Status
from pathfinder._arrays.streams import Stream, path_keys
from pathfinder._optimizer.start import Start, tried_points


NUM_PATHS = 6
OPTIONS = {"seed": 3, "num_paths": NUM_PATHS, "num_draws": 20, "num_psis_draws": 20, "progress": False}


@pytest.fixture(scope="module")
def model():
    """Positive only where the first coordinate is."""

    def half_normal(params):
        return jnp.where(params["x"][0] > 0, -0.5 * jnp.sum(params["x"] ** 2), -jnp.inf)

    return Model.from_log_density(half_normal, {"x": jnp.zeros(2)})


def box(center, radius):
    return InitialPoints(np.full((NUM_PATHS, 2), center), np.full((NUM_PATHS, 2), radius))


def last_reports(model, points, **options):
    """The last report of each path of a fit, and its result; None if it fails."""
    reports = {}
    try:
        result = pathfinder.fit(
            model, init=points, report=lambda new: reports.update((one.lane, one) for one in new), **OPTIONS | options
        )
    except PathfinderError:
        result = None
    return [reports[path] for path in range(NUM_PATHS)], result


@pytest.mark.parametrize("optimizer", ["lbfgs", "jaxopt"])
def test_starts(model, optimizer):
    points = box(0.0, 2.0)
    reports, result = last_reports(model, points, optimizer=optimizer)
    keys = path_keys(jnp.array([0, 3], jnp.uint32), np.arange(NUM_PATHS), Stream.INITIAL_POINT)
    for number, path in enumerate(result.paths):
        start = Start(
            keys[np.array([number])], points.center[[number]], points.radius[[number]], points.max_tries[[number]]
        )
        tried = [np.asarray(tried_points(start, np.array([attempt])))[0] for attempt in range(path.num_tries)]
        assert [point[0] > 0 for point in tried] == [False] * (path.num_tries - 1) + [True]
        np.testing.assert_allclose(path.initial_position, tried[-1], rtol=1e-6)
        np.testing.assert_allclose(path.initial_gradient, -path.initial_position, rtol=1e-6)
        assert path.initial_log_density == pytest.approx(-0.5 * np.sum(path.initial_position**2), rel=1e-6)
        assert reports[number].rejected.tolist() == [False] * (path.num_tries - 1)
    assert max(path.num_tries for path in result.paths) > 1


def test_points_that_are_given(model):
    _, result = last_reports(model, box(0.5, 0.0))
    for path in result.paths:
        np.testing.assert_array_equal(path.initial_position, [0.5, 0.5])
        assert path.num_tries == 1


def test_the_search_ends(model):
    reports, result = last_reports(model, box(-5.0, 1.0))
    assert result is None
    for report in reports:
        assert report.status == Status.INITIALIZATION_FAILED
        assert report.initial_log_density == -np.inf
        assert report.rejected.tolist() == [False] * 100


def test_a_path_that_fails_among_others(model):
    points = box(0.5, 0.0)
    points.center[2] = -3.0
    _, result = last_reports(model, points)
    assert [path.status == Status.INITIALIZATION_FAILED for path in result.paths] == [n == 2 for n in range(NUM_PATHS)]
    np.testing.assert_array_equal(result.paths[2].initial_position, [-3.0, -3.0])
    assert (result.paths[2].initial_log_density, result.paths[2].num_tries) == (-np.inf, 1)


def test_a_gradient_that_is_not_finite():
    """Zero density in one half of the box; a gradient that is NaN in half of the other."""

    def log_density(params):
        x = params["x"]
        root = jnp.sqrt(jnp.maximum(x[1], 0.0))
        return jnp.where(x[0] > 0, -0.5 * jnp.sum(x**2) + root, -jnp.inf)

    model = Model.from_log_density(log_density, {"x": jnp.zeros(2)})
    reports, result = last_reports(model, box(0.0, 2.0))
    assert all(np.isfinite(path.initial_gradient).all() for path in result.paths)
    assert {False, True} == {bool(has_density) for report in reports for has_density in report.rejected}
    reports, _ = last_reports(model, box(0.5, 0.0)._replace(center=np.tile([0.5, -0.5], (NUM_PATHS, 1))))
    assert all(report.rejected.tolist() == [True] for report in reports)
    assert all(np.isfinite(report.initial_log_density) for report in reports)


def test_fits_in_a_batch(model):
    """Each has the starts of its own fit."""
    shifted = Model.from_log_density(
        lambda params, data: jnp.where(params["x"][0] > data, -0.5 * jnp.sum(params["x"] ** 2), -jnp.inf),
        {"x": jnp.zeros(2)},
        data=0.0,
    )
    shifts = np.array([0.0, 1.0])
    batch = pathfinder.fit_batch(shifted, shifts, **OPTIONS)
    for shift, result in zip(shifts, batch, strict=True):
        for path in result.paths:
            assert path.initial_position[0] > shift
            assert path.initial_log_density == pytest.approx(-0.5 * np.sum(path.initial_position**2), rel=1e-6)
