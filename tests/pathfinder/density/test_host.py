"""A density evaluated from the host: as compiled programs evaluate it, with two compilations for all data."""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._density.kept_programs import drop_programs
from pathfinder._density.programs import density_programs, points_per_group
from pathfinder._density.stored import Kept


DIM, NUM_FITS = 3, 2
DATA = {"shift": np.array([1.0, -2.0]), "scale": np.array([[1.0, 2.0, 3.0], [0.5, 0.25, 4.0]])}


def function(x, data):
    return jnp.sum(jnp.sin(x) * data["scale"]) + data["shift"]


def own_data(fit):
    return {name: leaf[fit] for name, leaf in DATA.items()}


def positions(*shape):
    return np.random.default_rng(len(shape)).standard_normal((*shape, DIM))


@pytest.mark.parametrize("shape", [(4,), (6, 5), (4, 50, 3)])
@pytest.mark.parametrize(
    ("data", "num_fits", "fits"),
    [(own_data(0), None, None), (own_data(0), None, [0, 0]), (DATA, NUM_FITS, [1, 0]), (DATA, NUM_FITS, None)],
)
def test_values_are_those_of_the_compiled_density(data, num_fits, fits, shape):
    host = HostDensity(function, DIM, np.float64, data, num_fits)
    compiled = CompiledDensity(function, DIM, np.float64, data, num_fits)
    points = positions(*shape)
    fits = None if fits is None else np.resize(fits, shape[0])
    values, gradients = host.values_and_gradients(points, fits)
    expected = compiled.values_and_gradients(jnp.asarray(points), fits)
    for found in (values, gradients, host.values(points, fits)):
        assert type(found) is np.ndarray
        assert found.flags.writeable
    np.testing.assert_allclose(values, expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradients, expected[1], rtol=1e-12)
    np.testing.assert_allclose(host.values(points, fits), expected[0], rtol=1e-12)


@pytest.mark.parametrize("shape", [(0,), (4, 0)])
def test_no_points(shape):
    density = HostDensity(function, DIM, np.float64, own_data(0))
    values, gradients = density.values_and_gradients(positions(*shape))
    assert values.shape == density.values(positions(*shape)).shape == shape
    assert gradients.shape == (*shape, DIM)


def test_parts_of_many_fits(compilations):
    density, points = HostDensity(function, DIM, np.float64, DATA, NUM_FITS), positions(4)
    of_each = [density.values(points, np.full(4, fit)) for fit in range(NUM_FITS)]
    gradients = density.values_and_gradients(points, np.array([1, 1, 0, 0]))[1]
    compilations.clear()
    own = density.of_fit(1)
    assert own.num_fits is None
    np.testing.assert_array_equal(own.values(points), of_each[1])
    assert own.of_fit(0) is own
    some = density.of_fits(np.array([1, 0, 1]))
    assert some.num_fits == 3
    np.testing.assert_array_equal(some.values_and_gradients(points, np.array([0, 2, 1, 1]))[1], gradients)
    np.testing.assert_array_equal(some.of_fit(1).values(points), of_each[0])
    assert compilations == []


def test_two_programs_and_one_trace_for_all_data_of_the_same_shapes(compilations):
    traces = []

    def counted(x, data):
        traces.append(1)
        return jnp.sum(jnp.cos(x)) * data["a"] + jnp.sum(data["b"])

    for seed in range(3):
        data = {"a": np.float64(seed), "b": np.full(5, 1.0 + seed)}
        density = HostDensity(counted, DIM, np.float64, data)
        for count in (1, 4, 130):
            points = positions(count) + seed
            expected = seed * np.cos(points).sum(axis=1) + 5 * (1 + seed)
            np.testing.assert_allclose(density.values(points), expected, rtol=1e-12)
            np.testing.assert_allclose(density.values_and_gradients(points)[1], -seed * np.sin(points), rtol=1e-12)
    assert sorted(compilations) == ["jit(values)", "jit(values_and_gradients)"]
    assert len(traces) == 1
    HostDensity(counted, DIM, np.float64, {"a": np.float64(1.0), "b": np.ones(6)}).values(positions(1))
    assert len(traces) == 2


def test_equal_functions_share_their_programs(compilations):
    @dataclass(frozen=True)
    class Scaled:
        scale: float

        def __call__(self, x, data):
            return self.scale * jnp.sum(x)

    for scale in (2.0, 2.0, 3.0):
        density = HostDensity(Scaled(scale), DIM, np.float64)
        np.testing.assert_allclose(density.values(np.ones((1, DIM))), [scale * DIM])
        density.values_and_gradients(np.ones((1, DIM)))
    assert len(compilations) == 4


def test_a_point_has_the_same_value_among_any_others():
    design = np.random.default_rng(5).standard_normal((37, DIM))

    def logistic(x, data):
        return -jnp.sum(jnp.logaddexp(0.0, data @ x)) - 0.5 * jnp.sum(x**2)

    density = HostDensity(logistic, DIM, np.float64, design)
    points = positions(301)
    values, (_, gradients) = density.values(points), density.values_and_gradients(points)
    order = np.random.default_rng(1).permutation(301)
    np.testing.assert_array_equal(density.values(points[order]), values[order])
    np.testing.assert_array_equal(density.values_and_gradients(points[order])[1], gradients[order])
    for few in (1, 3, 129):
        np.testing.assert_array_equal(density.values(points[-few:]), values[-few:])
        np.testing.assert_array_equal(density.values_and_gradients(points[-few:])[1], gradients[-few:])


def test_data_are_those_at_the_time_of_the_fit():
    data = np.ones(100_000)
    density = HostDensity(lambda x, data: jnp.sum(x) + jnp.sum(data), DIM, np.float64, data)
    data[:] = 5.0
    np.testing.assert_allclose(density.values(np.zeros((1, DIM))), [100_000.0])


def test_single_precision_is_kept():
    density = HostDensity(lambda x, data: jnp.sum(x**2) * data, DIM, np.float32, 2.0)
    values, gradients = density.values_and_gradients(positions(5).astype(np.float32))
    assert values.dtype == gradients.dtype == density.values(np.zeros((2, DIM), np.float32)).dtype == np.float32


def test_data_may_be_keys_of_random_numbers():
    density = HostDensity(
        lambda x, key: jnp.sum(x) + jax.random.normal(key, (), x.dtype), DIM, np.float64, jax.random.key(3)
    )
    np.testing.assert_allclose(density.values(np.zeros((1, DIM))), jax.random.normal(jax.random.key(3), (1,), float))


def test_points_may_be_views():
    density = HostDensity(function, DIM, np.float64, own_data(0))
    points = positions(6, 5)
    view = np.swapaxes(points, 0, 1)[::2]
    np.testing.assert_array_equal(density.values(view), density.values(np.ascontiguousarray(view)))


def test_leaves_as_arrays_of_the_host():
    density = HostDensity(function, DIM, np.float64, own_data(0))
    found = density.arrays({"a": jnp.ones(2), "b": 1.0})
    assert all(type(leaf) is np.ndarray for leaf in found.values())
    assert jax.tree_util.tree_leaves([density]) == [density]


def test_errors_are_those_of_the_function():
    def wrong(x, data):
        raise KeyError("mu")

    density = HostDensity(wrong, DIM, np.float64)
    for evaluate in (density.values, density.values_and_gradients):
        with pytest.raises(KeyError, match="mu"):
            evaluate(positions(1))


def test_programs_can_be_dropped(compilations):
    density = [HostDensity(function, DIM, np.float64, own_data(0)) for _ in range(2)]
    density[0].values(positions(1))
    drop_programs()
    compilations.clear()
    density[1].values(positions(1))
    assert "jit(values)" in compilations


@pytest.mark.parametrize("memory", [2**26, 2**18, 2**12])
def test_groups_are_as_large_as_memory_allows(memory, compilations):
    design = np.random.default_rng(5).standard_normal((2000, DIM))

    def logistic(x, data):
        return -jnp.sum(jnp.logaddexp(0.0, data @ x)) - 0.5 * jnp.sum(x**2)

    density = HostDensity(logistic, DIM, np.float64, design, memory=memory)
    points = positions(7)
    expected = -np.logaddexp(0.0, points @ design.T).sum(axis=1) - 0.5 * (points**2).sum(axis=1)
    np.testing.assert_allclose(density.values(points), expected, rtol=1e-12)
    np.testing.assert_allclose(density.values_and_gradients(points)[0], expected, rtol=1e-12)
    sizes = density_programs(density.data, logistic, DIM, np.dtype(float), None, memory, Kept()).group_sizes
    # Of 2000 rows one intermediate result of 128 points takes 2 MB.
    assert sizes == {2**26: (4, 128), 2**12: (1, 1)}.get(memory, sizes)
    assert memory != 2**18 or 1 < sizes[1] <= 16
    assert len(compilations) == 2 + sum(np.less(sizes, (4, 128)))


def test_long_points_come_in_smaller_groups(compilations):
    programs = density_programs(None, lambda x, data: jnp.sum(x), 1000, np.dtype(float), None, 2**19)
    np.testing.assert_array_equal(programs.values(np.ones((70, 1000)), None, None), np.full(70, 1000.0))
    assert programs.group_sizes == (16, 64)
    assert len(compilations) == 2


def test_python_is_called_for_no_point_but_those_that_are_asked_for():
    seen = []

    def called(x, data):
        jax.debug.callback(lambda x: seen.append(float(x)), x[0])
        return jnp.sum(x)

    points = positions(9)
    np.testing.assert_allclose(HostDensity(called, DIM, np.float64).values(points), points.sum(axis=1))
    jax.effects_barrier()
    assert sorted(seen) == sorted(points[:, 0])


def test_python_may_compute_with_what_it_is_given():
    @jax.custom_vjp
    def squares(x):
        return jax.pure_callback(
            lambda x: np.sum(np.asarray(x) ** 2), jax.ShapeDtypeStruct((), x.dtype), x, vmap_method="sequential"
        )

    squares.defvjp(lambda x: (squares(x), x), lambda x, change: (2.0 * x * change,))
    points = positions(50)
    density = HostDensity(lambda x, data: squares(x), DIM, np.float64)
    np.testing.assert_allclose(density.values(points), (points**2).sum(axis=1))
    np.testing.assert_allclose(density.values_and_gradients(points)[1], 2.0 * points)


@pytest.mark.parametrize(
    ("num_fits", "size", "expected"),
    [(None, 8, (4, 128)), (3, 8, (4, 128)), (100, 8, (64, 128)), (1000, 8, (64, 512)), (1000, 10_000, (8, 128))],
)
def test_of_many_small_data_sets_more_points_are_evaluated_at_a_time(num_fits, size, expected):
    data = jax.ShapeDtypeStruct((size,) if num_fits is None else (num_fits, size), np.float64)
    assert points_per_group(2, np.dtype(float), data, num_fits, math.inf) == expected


@pytest.mark.parametrize(("dim", "expected"), [(100, 128), (2000, 128), (10_000, 16), (10**6, 8)])
def test_of_many_dimensions_fewer_points_are_evaluated_at_a_time(dim, expected):
    assert points_per_group(dim, np.dtype(float), None, None, math.inf) == (4, expected)


@pytest.mark.parametrize(("operations", "expected"), [(1, 32), (600, 16), (2**12, 4), (10**6, 4), (math.inf, 4)])
def test_of_a_small_density_more_gradients_are_evaluated_at_a_time(operations, expected):
    assert points_per_group(10, np.dtype(float), None, None, operations)[0] == expected


@pytest.mark.parametrize(("dim", "expected"), [(100, 16), (10**6, 8)])
def test_uneven_points_come_in_small_groups(dim, expected):
    assert points_per_group(dim, np.dtype(float), None, None, math.inf, uneven=True) == (2, expected)


def test_a_density_with_a_heavy_loop_has_small_groups():
    def slow(x, data):
        def turn(y):
            for _ in range(200):
                y = jnp.sin(y)
            return 0.5 * y

        return jax.lax.while_loop(lambda y: jnp.abs(y) > 0.1, turn, jax.lax.stop_gradient(x[0]))

    programs = density_programs(None, slow, DIM, np.dtype(float), None, 2**26, Kept())
    np.testing.assert_array_less(np.abs(programs.values(positions(40), None, None)), 0.1 + 1e-12)
    assert programs.group_sizes == (2, 16)
