"""Reading, writing and adding to elements, against loops over the lanes."""

import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import At, Between, IndexRangeError, Many, RaggedError, UnknownSizeError
from pathfinder.stan._values.lanes import Lanes, array_of, freeze
from pathfinder.stan._values.reading import read
from pathfinder.stan._values.writing import add, write


ROOT = Context(1)
LANES = ROOT.iterations(np.array([4]))
INNER = LANES.iterations(np.array([2, 0, 1, 2]))
MATRIX = np.arange(12.0).reshape(3, 4)
MODULES = pytest.mark.parametrize("module", [np, jnp])

POSITIONS = {
    "one": [At(2)],
    "element": [At(3), At(1)],
    "column": [Between(), At(4)],
    "range": [Between(2, 3), Between(None, 2)],
    "empty": [Between(3, 2)],
    "many": [Many(np.array([3, 1, 3])), Many(np.array([2, 4]))],
    "lanes": [At(Lanes(np.array([1, 3, 3, 2]), LANES))],
    "lanes and one": [At(2), At(Lanes(np.array([4, 1, 1, 2]), LANES))],
    "lanes and all": [Between(), At(Lanes(np.array([4, 1, 1, 2]), LANES))],
    "ranges of lanes": [
        Between(Lanes(np.array([1, 2, 1, 2]), LANES), Lanes(np.array([2, 3, 2, 3]), LANES)),
        Between(2, 3),
    ],
    "many of lanes": [Many(Lanes(np.array([[1, 2], [3, 1], [2, 2], [1, 3]]), LANES)), At(2)],
}


def key(positions, lane):
    """Indices of NumPy for one lane, one array for each axis."""
    found = []
    for position, length in zip([*positions, Between(), Between()], MATRIX.shape, strict=False):
        of_lane = {
            name: value.array[lane] if isinstance(value, Lanes) else value for name, value in vars(position).items()
        }
        if isinstance(position, Between):
            lower, upper = of_lane["lower"] or 1, length if of_lane["upper"] is None else of_lane["upper"]
            found.append(np.arange(lower - 1, upper))
        else:
            found.append(np.atleast_1d(of_lane["index"]) - 1)
    return np.ix_(*found)


def dropped(positions):
    return tuple(axis for axis, position in enumerate(positions) if isinstance(position, At))


@MODULES
@pytest.mark.parametrize("name", POSITIONS)
def test_read(name, module):
    positions = POSITIONS[name]
    found = read(module.asarray(MATRIX), positions, ROOT)
    expected = [np.squeeze(MATRIX[key(positions, lane)], dropped(positions)) for lane in range(4)]
    if isinstance(found, Lanes):
        assert found.context is LANES
        np.testing.assert_array_equal(found.array, expected)
    else:
        np.testing.assert_array_equal(found, expected[0])
    assert isinstance(array_of(found), np.ndarray | np.generic) == (module is np)


@MODULES
def test_read_of_each_lanes_own(module):
    own = np.arange(24.0).reshape(4, 3, 2)
    at = np.array([1, 3, 2, 2, 1])
    found = read(Lanes(module.asarray(own), LANES), [At(Lanes(at, INNER))], ROOT)
    np.testing.assert_array_equal(found.array, own[INNER.lane_of(LANES), at - 1])
    uniform = read(Lanes(module.asarray(own), LANES), [At(2), At(1)], ROOT)
    np.testing.assert_array_equal(uniform.array, own[:, 1, 0])


def test_read_at_traced_indices():
    vector = np.array([5.0, 6.0, 7.0])
    assert read(vector, [At(jnp.asarray(2))], ROOT) == 6
    found = read(vector, [At(Lanes(jnp.array([3, 1, 1, 2]), LANES))], ROOT)
    np.testing.assert_array_equal(found.array, [7, 5, 5, 6])


@MODULES
@pytest.mark.parametrize("name", POSITIONS)
def test_write(name, module):
    positions = POSITIONS[name]
    has_lanes = "lanes" in name
    shape = np.squeeze(MATRIX[key(positions, 0)], dropped(positions)).shape
    values = 100 + np.arange(4.0 * np.prod(shape)).reshape(4, *shape)
    context = LANES if has_lanes else ROOT
    value = Lanes(module.asarray(values), LANES) if has_lanes else module.asarray(values[0])
    before = freeze(module.array(MATRIX))
    found = write(before, ROOT, positions, value, context, ROOT)
    expected = MATRIX.copy()
    for lane in range(4 if has_lanes else 1):
        where = key(positions, lane)
        expected[where] = values[lane].reshape(expected[where].shape)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(before, MATRIX)


@MODULES
@pytest.mark.parametrize("name", [name for name in POSITIONS if "lanes" in name])
def test_add(name, module):
    positions = POSITIONS[name]
    shape = np.squeeze(MATRIX[key(positions, 0)], dropped(positions)).shape
    values = np.arange(4.0 * np.prod(shape)).reshape(4, *shape)
    before = freeze(module.array(MATRIX))
    found = add(before, ROOT, positions, Lanes(module.asarray(values), LANES), LANES)
    expected = MATRIX.copy()
    for lane in range(4):
        where = key(positions, lane)
        np.add.at(expected, where, values[lane].reshape(expected[where].shape))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(before, MATRIX)


@pytest.mark.parametrize("storage", [1, np.int64(1), np.array(1)])
def test_counters_of_data_stay_data(storage):
    found = add(storage, ROOT, [], Lanes(np.array([1, 1, 2, 1]), LANES), LANES)
    assert isinstance(found, np.ndarray)
    assert found == 6


@MODULES
def test_write_to_each_lanes_own(module):
    own = freeze(module.array(np.zeros((4, 3))))
    at, values = np.array([1, 3, 2, 2, 1]), np.arange(1.0, 6)
    found = write(own, LANES, [At(Lanes(at, INNER))], Lanes(module.asarray(values), INNER), INNER, ROOT)
    np.testing.assert_array_equal(found, [[1, 0, 2], [0, 0, 0], [0, 3, 0], [5, 4, 0]])
    summed = add(own, LANES, [At(1)], Lanes(module.asarray(values), INNER), INNER)
    np.testing.assert_array_equal(summed[:, 0], [3, 0, 3, 9])


def test_a_writeable_array_is_changed_in_place_and_a_shared_one_is_not():
    mine = np.zeros(3)
    assert write(mine, ROOT, [At(2)], 5.0, ROOT, ROOT) is mine
    freeze(mine)
    assert write(mine, ROOT, [At(1)], 7.0, ROOT, ROOT) is not mine
    np.testing.assert_array_equal(mine, [0, 5, 0])


@pytest.mark.parametrize("position", [At(0), At(4), Many(np.array([1, 5])), Between(0, 2), Between(3, 4)])
def test_indices_out_of_range(position):
    with pytest.raises(IndexRangeError, match=r"1.*3|out of range"):
        read(np.zeros(3), [position], ROOT)


def test_ranges_of_different_sizes():
    with pytest.raises(RaggedError) as raised:
        read(np.zeros(5), [Between(1, Lanes(np.array([1, 0, 3, 5]), LANES))], ROOT)
    assert raised.value.context is LANES
    np.testing.assert_array_equal(raised.value.sizes, [1, 0, 3, 5])


def test_ranges_of_unknown_size():
    with pytest.raises(UnknownSizeError, match="depends on parameters"):
        read(np.zeros(5), [Between(1, jnp.asarray(3))], ROOT)
