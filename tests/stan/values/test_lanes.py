"""Contexts, values with lanes, and how they meet."""

import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan._values.contexts import Context, common, deepest
from pathfinder.stan._values.lanes import (
    Lanes,
    aligned,
    context_of,
    freeze,
    is_static,
    lift,
    narrowed,
    over_lanes,
    take,
    wrap,
)


@pytest.fixture
def nest():
    """Three iterations, in which 2, 0 and 3 iterations of another loop run, of which some take a branch."""
    root = Context(1)
    outer = root.iterations(np.array([3]))
    inner = outer.iterations(np.array([2, 0, 3]))
    return root, outer, inner, inner.part(np.array([1, 4]))


def test_lanes_know_their_lanes_outside(nest):
    root, outer, inner, part = nest
    np.testing.assert_array_equal(inner.lane_of(inner), [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(inner.lane_of(outer), [0, 0, 2, 2, 2])
    np.testing.assert_array_equal(part.lane_of(outer), [0, 2])
    np.testing.assert_array_equal(part.lane_of(root), [0, 0])


def test_family_of_contexts(nest):
    root, outer, inner, part = nest
    other = outer.part(np.array([0]))
    assert common(part, inner) is inner
    assert common(part, other) is outer
    assert part.ancestors() == [root, outer, inner.parent, inner, part]
    assert deepest([outer, root, inner], root) is inner
    assert deepest([], root) is root
    assert part.loop is inner
    assert other.loop is outer
    assert outer.contains(part)
    assert not part.contains(outer)
    assert not inner.contains(other)


@pytest.mark.parametrize("module", [np, jnp])
def test_lift_repeats_values_of_outer_lanes(nest, module):
    root, outer, inner, _ = nest
    value = Lanes(module.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), outer)
    lifted = lift(value, inner)
    np.testing.assert_array_equal(lifted, [[1, 2], [1, 2], [5, 6], [5, 6], [5, 6]])
    assert isinstance(lifted, np.ndarray) == (module is np)
    assert lift(value, outer) is value.array
    np.testing.assert_array_equal(lift(module.array([7.0, 8.0]), outer), [[7, 8]] * 3)
    assert [np.shape(part) for part in lift((value, 1.0), inner)] == [(5, 2), (5,)]


@pytest.mark.parametrize(
    "index", [[0, 1, 2, 3], [1, 2], [2, 2, 3], [3, 0, 3], [], [0]], ids=["all", "range", "sorted", "any", "none", "one"]
)
def test_take_is_indexing(index):
    array = jnp.arange(8.0).reshape(4, 2)
    index = np.array(index, dtype=int)
    np.testing.assert_array_equal(take(array, index), np.asarray(array)[index])
    np.testing.assert_array_equal(take(array[:1], 0 * index), np.asarray(array)[0 * index])


def test_aligned_puts_scalars_beside_the_elements_of_containers(nest):
    root, outer, inner, _ = nest
    scalars = Lanes(np.array([1.0, 2.0, 3.0]), outer)
    vectors = Lanes(np.ones((5, 4)), inner)
    shapes = [np.shape(array) for array in aligned([scalars, vectors, np.zeros(4), 2.0], inner)]
    assert shapes == [(5, 1), (5, 4), (4,), ()]
    assert [np.shape(array) for array in aligned([scalars, np.zeros((2, 4))], outer)] == [(3, 1, 1), (2, 4)]


def test_static_is_what_holds_no_jax_array(nest):
    _, outer, _, _ = nest
    assert is_static((1.0, np.zeros(2), Lanes(np.zeros(3), outer)))
    assert not is_static(jnp.zeros(2))
    assert not is_static((1.0, Lanes(jnp.zeros(3), outer)))


def test_context_and_wrapping(nest):
    root, outer, inner, _ = nest
    array = np.zeros(3)
    assert wrap(array, root) is array
    assert wrap(array, outer).context is outer
    assert context_of((1.0, wrap(array, outer)), root) is outer


def test_narrowed_leaves_out_lanes_that_do_not_run(nest):
    _, outer, inner, part = nest
    value = Lanes(np.arange(5), inner)
    np.testing.assert_array_equal(narrowed(value, part).array, [1, 4])
    assert narrowed(value, inner) is value
    of_outer = Lanes(np.arange(3), outer)
    np.testing.assert_array_equal(narrowed(of_outer, inner).array, [0, 2])  # the second one has no iterations
    assert narrowed(of_outer, outer.iterations(np.array([2, 1, 3]))) is of_outer
    np.testing.assert_array_equal(narrowed(of_outer, part).array, [0, 2])


def test_over_lanes_maps_over_those_that_have_some(nest):
    _, outer, inner, _ = nest
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    vectors = np.arange(10.0).reshape(5, 2)
    found = over_lanes(jnp.dot, [matrix, Lanes(vectors, inner)], inner)
    assert isinstance(found.array, np.ndarray)  # of data only
    np.testing.assert_allclose(found.array, vectors @ matrix.T)
    traced = over_lanes(jnp.dot, [Lanes(jnp.stack([matrix] * 3), outer), Lanes(vectors, inner)], inner)
    np.testing.assert_allclose(traced.array, vectors @ matrix.T)


def test_frozen_arrays_cannot_be_written_to_not_even_through_their_base():
    array = np.zeros((2, 2))
    freeze(array[0])
    with pytest.raises(ValueError, match="read-only"):
        array[1, 1] = 1
