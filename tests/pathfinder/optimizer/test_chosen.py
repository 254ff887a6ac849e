"""Some lanes of many: whatever is made of them stands in their places, in NumPy and compiled."""

import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._optimizer.chosen import Chosen


@pytest.mark.parametrize("xp", [np, jnp])
@pytest.mark.parametrize("where", [[True, False, True], [True, True, True], [False, False, False]])
def test_what_is_made_of_lanes_stands_in_their_places(xp, where):
    lanes = Chosen(xp.asarray(where))
    tree = {"vector": xp.arange(6.0).reshape(3, 2), "number": xp.arange(3), "kept": xp.arange(3)}
    own = lanes.take(tree)
    made = {"vector": own["vector"] * 10.0, "number": own["number"] + 5, "kept": own["kept"]}
    result = lanes.put(made, tree)
    expected = np.where(where, 5, 0)
    np.testing.assert_array_equal(result["number"], np.arange(3) + expected)
    np.testing.assert_array_equal(result["vector"], np.arange(6.0).reshape(3, 2) * np.where(where, 10.0, 1.0)[:, None])
    np.testing.assert_array_equal(result["kept"], np.arange(3))
    np.testing.assert_array_equal(tree["number"], np.arange(3))  # the tree itself stays as it is


def test_on_the_host_nothing_is_computed_for_other_lanes():
    lanes = Chosen(np.array([False, True, False, True]))
    np.testing.assert_array_equal(lanes.take(np.arange(4)), [1, 3])
    np.testing.assert_array_equal(lanes.numbers, [1, 3])
    assert not lanes.is_none
    assert Chosen(np.zeros(4, bool)).is_none
    assert Chosen(np.ones(4, bool)).numbers is None


def test_leaves_of_other_lanes_are_not_mixed_up():
    lanes = Chosen(np.array([True, False]))
    first, second = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    own = lanes.take((first, second))
    np.testing.assert_array_equal(lanes.put(own, (first, second)), [first, second])
    # What was taken of another leaf is written like anything else.
    np.testing.assert_array_equal(lanes.put((own[1], own[1]), (first, second))[0], [3.0, 2.0])


@pytest.mark.parametrize("xp", [np, jnp])
def test_rows_are_put_for_these_lanes_alone(xp):
    where = xp.asarray([False, True, True])
    lanes = Chosen(where)
    rows, values, keep = lanes.take(
        (xp.asarray([0, 1, 0]), xp.asarray([7.0, 8.0, 9.0]), xp.asarray([True, True, False]))
    )
    table = lanes.put_rows(xp.zeros((3, 2)), rows, values, keep)
    np.testing.assert_array_equal(table, [[0.0, 0.0], [0.0, 8.0], [0.0, 0.0]])
