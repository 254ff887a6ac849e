"""What steps have assigned before they read it."""

import numpy as np
import pytest

from pathfinder.stan._state.coverage import Coverage


LANES, STEPS = 2, 3
HERE = np.array([[[1], [2], [3]], [[5], [6], [7]]])  # lanes, steps, elements
BEFORE, AFTER = HERE - 1, HERE + 1


def coverage(*accesses, before=()):
    found = Coverage(np.isin(np.arange(9), before).reshape(3, 3))
    for kind, elements in accesses:
        found = getattr(found, kind)(elements)
    return found


@pytest.mark.parametrize(
    ("accesses", "before"),
    [
        ([("write", HERE), ("read", HERE)], []),
        ([("read", BEFORE), ("write", HERE)], [0, 4]),  # the first steps read what was assigned before the scan
        ([("write", HERE), ("read", BEFORE)], [0, 4]),
        ([("read", HERE)], range(9)),
        ([("write", AFTER), ("write", HERE), ("read", HERE)], []),
    ],
)
def test_read_after_it_is_assigned(accesses, before):
    written = [elements for kind, elements in accesses if kind == "write"]
    expected = np.isin(np.arange(9), np.concatenate([np.ravel(before), *map(np.ravel, written)]))
    np.testing.assert_array_equal(coverage(*accesses, before=before).afterwards(), expected.reshape(3, 3))


@pytest.mark.parametrize(
    ("accesses", "before"),
    [
        ([("read", HERE), ("write", HERE)], []),
        ([("read", BEFORE), ("write", HERE)], [0]),
        ([("read", BEFORE), ("write", HERE)], []),
        ([("write", HERE), ("read", AFTER)], [4]),
        ([("read", HERE)], []),
    ],
)
def test_read_before_it_is_assigned(accesses, before):
    assert coverage(*accesses, before=before).afterwards() is None


def test_accesses_of_a_failed_attempt_are_forgotten():
    found = coverage(("write", HERE))
    assert found.read(AFTER).afterwards() is None
    np.testing.assert_array_equal(found.afterwards(), np.isin(np.arange(9), HERE).reshape(3, 3))
