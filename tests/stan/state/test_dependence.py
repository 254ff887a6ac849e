"""Each rule by which iterations may or may not run side by side."""

import numpy as np
import pytest

from pathfinder.stan._state.dependence import Access, Journal
from pathfinder.stan._state.steering import ConflictError
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.steps import Scan


ROOT = Context(1)
LOOP = ROOT.iterations(np.array([4]))
FIRST, SECOND = LOOP.part(np.array([0, 1])), LOOP.part(np.array([2, 3]))
INNER = LOOP.iterations(np.array([2, 2, 2, 2]))
OWN = [0, 1, 2, 3]
BEFORE = [0, 0, 1, 2]
AFTER = [1, 2, 3, 4]
ONE = [2, 2, 2, 2]


def record(*accesses, owner=ROOT, size=40):
    journal = Journal("x", owner, size)
    for kind, elements, context, *scans in accesses:
        journal = journal.with_access(Access(kind, context, np.array(elements).reshape(context.size, -1), tuple(scans)))


@pytest.mark.parametrize(
    "accesses",
    [
        [("write", OWN, LOOP), ("read", OWN, LOOP)],
        [("read", OWN, LOOP), ("write", OWN, LOOP)],
        [("read", ONE, LOOP), ("read", BEFORE, LOOP)],
        [("add", ONE, LOOP), ("add", BEFORE, LOOP)],
        [("write", OWN, LOOP), ("read", BEFORE, LOOP)],  # assigned earlier in the text and by an earlier iteration
        [("read", AFTER, LOOP), ("write", OWN, LOOP)],  # assigned by a later iteration
        [("write", OWN[:2], FIRST), ("read", OWN[2:], SECOND)],
        [("write", [4, 5], FIRST), ("read", [4, 5], SECOND)],  # the lanes of the first part come before
    ],
)
def test_no_conflict(accesses):
    record(*accesses)


@pytest.mark.parametrize(
    ("accesses", "why"),
    [
        ([("read", BEFORE, LOOP), ("write", OWN, LOOP)], "read in one iteration and assigned in another"),
        ([("write", OWN, LOOP), ("read", AFTER, LOOP)], "assigned in one iteration and read in another"),
        ([("write", OWN, LOOP), ("write", AFTER, LOOP)], "assigned in one iteration and assigned in another"),
        ([("add", ONE, LOOP), ("read", ONE, LOOP)], "added to in one iteration and read in another"),
        ([("add", ONE, LOOP), ("write", OWN, LOOP)], "added to in one iteration and assigned in another"),
        ([("read", [4, 5], SECOND), ("write", [4, 5], FIRST)], "read in one iteration and assigned in another"),
    ],
)
def test_conflict(accesses, why):
    with pytest.raises(ConflictError, match=why) as raised:
        record(*accesses)
    assert raised.value.context is LOOP
    assert raised.value.variable == "x"


def test_the_outermost_loop_that_must_be_sequential_is_named():
    # the inner iterations of one outer iteration depend on each other, those of different ones do not
    own = [4 * lane + step for lane in range(4) for step in (1, 2)]
    before = [4 * lane + step for lane in range(4) for step in (0, 1)]
    with pytest.raises(ConflictError) as raised:
        record(("read", before, INNER), ("write", own, INNER))
    assert raised.value.context is INNER
    along = [lane + step for lane in range(4) for step in (0, 1)]
    with pytest.raises(ConflictError) as raised:
        record(("read", along, INNER), ("write", [1 + at for at in along], INNER))
    assert raised.value.context is LOOP


def test_what_belongs_to_the_iterations_themselves_cannot_conflict():
    record(("read", [0, 0, 1, 2], LOOP), ("write", OWN, LOOP), owner=LOOP)


def test_a_sequential_loop_inside_repeats_both_accesses():
    scan = Scan(LOOP)
    record(("write", OWN, LOOP, scan), ("read", OWN, LOOP, scan))
    record(("write", OWN, LOOP), ("read", BEFORE, LOOP, scan))
    with pytest.raises(ConflictError):
        record(("write", OWN, LOOP, scan), ("read", BEFORE, LOOP, scan))
    with pytest.raises(ConflictError):
        record(("write", ONE, LOOP, scan))
