import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder import InitialPoints, Model, constraints
from pathfinder._fitting.initial_points import initial_points


@pytest.fixture(scope="module")
def model():
    def log_density(params):
        return -jnp.sum(params["mu"] ** 2) - params["sigma"]

    example = {"mu": np.zeros(2), "sigma": 1.0}
    return Model.from_log_density(log_density, example, constraints={"sigma": constraints.positive})


def point(mu=(1.0, 2.0), sigma=np.e):
    return {"mu": np.array(mu), "sigma": sigma}


def test_without_init_boxes_are_around_the_origin(model):
    points = initial_points(model, None, 3, None)
    np.testing.assert_array_equal(points.center, np.zeros((3, 3)))
    np.testing.assert_array_equal(points.radius, np.full((3, 3), 2.0))
    np.testing.assert_array_equal(points.max_tries, [100, 100, 100])


def test_one_point_for_all_paths(model):
    points = initial_points(model, point(), 3, None)
    np.testing.assert_allclose(points.center, np.tile([1.0, 2.0, 1.0], (3, 1)))
    np.testing.assert_array_equal(points.radius, np.zeros((3, 3)))
    np.testing.assert_array_equal(points.max_tries, [1, 1, 1])


def test_around_a_point(model):
    points = initial_points(model, point(), 2, 0.5)
    np.testing.assert_allclose(points.center[1], [1.0, 2.0, 1.0])
    np.testing.assert_array_equal(points.radius, np.full((2, 3), 0.5))
    np.testing.assert_array_equal(points.max_tries, [100, 100])


@pytest.mark.parametrize("sequence", [list, tuple])
def test_a_point_for_each_path(model, sequence):
    points = initial_points(model, sequence([point(), point((3.0, 4.0), 1.0)]), 2, None)
    np.testing.assert_allclose(points.center, [[1.0, 2.0, 1.0], [3.0, 4.0, 0.0]])


def test_a_leading_axis_of_paths(model):
    stacked = {"mu": np.array([[1.0, 2.0], [3.0, 4.0]]), "sigma": np.array([np.e, 1.0])}
    points = initial_points(model, stacked, 2, None)
    np.testing.assert_allclose(points.center, [[1.0, 2.0, 1.0], [3.0, 4.0, 0.0]])


def test_two_paths_and_two_parameters_are_not_confused(model):
    """A vector of two with two paths: shapes tell a point for all from a point for each."""
    points = initial_points(model, point(), 2, None)
    np.testing.assert_allclose(points.center[0], points.center[1])


def test_bare_arrays():
    bare = Model.from_log_density(lambda x: -jnp.sum(x**2), np.zeros(3))
    np.testing.assert_array_equal(initial_points(bare, np.ones(3), 2, None).center, np.ones((2, 3)))
    each = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(initial_points(bare, each, 2, None).center, each)


def test_boxes_are_passed_through(model):
    boxes = InitialPoints(np.ones((2, 3)), np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    points = initial_points(model, boxes, 2, None)
    assert points is boxes
    np.testing.assert_array_equal(points.max_tries, [1, 100])


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ([point()], r"`init` has 1 points for 2 paths"),
        ({"mu": np.zeros(2)}, r"Its parameters are mu\[2\], sigma\[\]; `init` has something else"),
        ({"mu": np.zeros(5), "sigma": 1.0}, r"`init` has mu\[5\], sigma\[\]"),
        ([point(), point(sigma=-1.0)], r"`init` of path 1: The given value of parameter 'sigma' violates"),
        (point(sigma=0.0), r"`init` of path 0: The given value of parameter 'sigma'"),
        (point(mu=(np.nan, 0.0)), r"`init` of path 0: The given value of parameter 'mu' is not finite"),
        (InitialPoints(np.zeros((3, 3)), np.zeros((3, 3))), r"`init` must have shape \(2, 3\), but has \(3, 3\)"),
        ([], r"`init` does not fit the model"),
    ],
)
def test_points_that_do_not_fit_are_named(model, init, message):
    with pytest.raises(ValueError, match=message):
        initial_points(model, init, 2, None)
