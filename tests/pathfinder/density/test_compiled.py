"""A density at the points of many lanes, of one fit or of several: the function itself, point by point."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.compiled import CompiledDensity


DIM, NUM_FITS = 3, 2
DATA = {"shift": np.array([1.0, -2.0]), "scale": np.array([[1.0, 2.0, 3.0], [0.5, 0.25, 4.0]])}


def function(x, data):
    return jnp.sum(jnp.sin(x) * data["scale"]) + data["shift"]


def own_data(fit):
    return {name: leaf[fit] for name, leaf in DATA.items()}


def one_fit():
    return CompiledDensity(function, DIM, np.float64, own_data(0))


def many_fits():
    return CompiledDensity(function, DIM, np.float64, DATA, NUM_FITS)


def positions(*shape):
    return jnp.asarray(np.random.default_rng(len(shape)).standard_normal((*shape, DIM)))


@pytest.mark.parametrize("shape", [(4,), (4, 5), (4, 5, 2)])
@pytest.mark.parametrize(
    ("density", "fits", "fit_of_lane"),
    [
        (one_fit(), None, [0, 0, 0, 0]),
        (one_fit(), [0, 0, 0, 0], [0, 0, 0, 0]),
        (many_fits(), [1, 0, 0, 1], [1, 0, 0, 1]),
        (many_fits(), None, [0, 0, 1, 1]),
    ],
)
def test_points_of_lanes(density, fits, fit_of_lane, shape):
    points = positions(*shape)
    fits = None if fits is None else np.array(fits)
    found = jax.jit(lambda density, points: density.values_and_gradients(points, fits))(density, points)
    np.testing.assert_array_equal(density.values(points, fits).shape, shape)
    for lane, fit in enumerate(fit_of_lane):
        flat = points[lane].reshape(-1, DIM)
        expected = [jax.value_and_grad(function)(point, own_data(fit)) for point in flat]
        np.testing.assert_allclose(np.ravel(found[0][lane]), [value for value, _ in expected], rtol=1e-12)
        np.testing.assert_allclose(found[1][lane].reshape(-1, DIM), [gradient for _, gradient in expected], rtol=1e-12)


def test_parts_of_many_fits():
    density, points = many_fits(), positions(2)
    own = density.of_fit(1)
    assert own.num_fits is None
    np.testing.assert_allclose(own.values(points), density.values(points, np.array([1, 1])))
    assert one_fit().of_fit(0).num_fits is None
    repeated = density.of_fits(np.array([1, 1, 0]))
    assert repeated.num_fits == 3
    np.testing.assert_allclose(repeated.values(points, np.array([0, 2])), density.values(points, np.array([1, 0])))


def test_programs_are_shared_by_data_of_the_same_shapes():
    traces = []

    def counted(x, data):
        traces.append(1)
        return jnp.sum(x) * data

    evaluate = jax.jit(lambda density, points: density.values(points))
    for data in (1.0, 2.0):
        density = CompiledDensity(counted, DIM, np.dtype(float), jnp.asarray(data))
        np.testing.assert_allclose(evaluate(density, positions(2)), data * positions(2).sum(axis=1))
    assert len(traces) == 1
