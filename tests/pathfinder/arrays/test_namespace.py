"""One source for NumPy and JAX: what the two spell differently gives the same."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._arrays.namespace import either, fori_loop, jit_unless_numpy, namespace, put, put_rows, rows, select


def test_one_array_of_jax_makes_it_jax():
    assert namespace(np.ones(2), {"a": 1.0, "b": None}) is np
    assert namespace(np.ones(2), (None, [jnp.ones(2)])) is jnp
    assert jax.make_jaxpr(lambda x: np.float64(namespace(x) is jnp))(1.0).jaxpr.outvars[0].val == 1.0


def test_only_jax_compiles():
    traces = []

    @jit_unless_numpy("power")
    def ratio(x, *, power):
        traces.append(type(x))
        return x**power / (x - x)

    assert np.isnan(ratio(np.zeros(2), power=2)).all()  # and no warning
    assert isinstance(ratio(np.ones(2), power=2), np.ndarray)
    assert isinstance(ratio(jnp.ones(2), power=2), jax.Array)
    assert traces[:2] == [np.ndarray, np.ndarray]
    assert issubclass(traces[2], jax.core.Tracer)


@pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])
def test_select_takes_lanes(xp):
    one, other = (xp.ones((3, 2)), xp.ones(3)), (xp.zeros((3, 2)), xp.zeros(3))
    matrix, vector = select(xp.asarray([True, False, True]), one, other)
    np.testing.assert_array_equal(matrix, [[1, 1], [0, 0], [1, 1]])
    np.testing.assert_array_equal(vector, [1, 0, 1])
    np.testing.assert_array_equal(select(xp.asarray(False), one[0], other[0]), np.zeros((3, 2)))


def test_either_computes_on_the_host_only_what_is_taken():
    def never():
        raise AssertionError

    assert either(np.array([True, True]), lambda: 1, never) == 1
    assert either(np.array([False]), never, lambda: 2) == 2
    for xp in (np, jnp):
        mixed = either(xp.asarray([True, False]), lambda: 1.0, lambda: 2.0)
        np.testing.assert_array_equal(mixed, [1.0, 2.0])


@pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])
def test_loops_that_put_values(xp):
    """Fibonacci's numbers."""

    def add(number, table):
        return put(table, (..., number + 2), table[..., number] + table[..., number + 1])

    np.testing.assert_array_equal(fori_loop(5, add, xp.ones((2, 7), int)), [[1, 1, 2, 3, 5, 8, 13]] * 2)


@pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])
def test_rows_are_put_where_they_are_kept(xp):
    table, values = xp.zeros((3, 2, 2)), xp.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    result = put_rows(table, xp.asarray([0, 1, 1]), values, xp.asarray([True, False, True]))
    np.testing.assert_array_equal(result, [[[1, 2], [0, 0]], [[0, 0], [0, 0]], [[0, 0], [5, 6]]])
    np.testing.assert_array_equal(rows({"a": result}, np.array([2]))["a"], [[[0, 0], [5, 6]]])
