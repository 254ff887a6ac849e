"""Which ways of running a loop are tried, in which order."""

import pytest

from pathfinder.stan._loops.plan import MOST_LANES, MOST_UNROLLED, LoopFacts, planned


MANY = MOST_UNROLLED + 1


@pytest.mark.parametrize(
    ("facts", "allowed", "ways"),
    [
        (LoopFacts(10, 10, "", False), "auto", ("lanes", "scan", "unrolled")),
        (LoopFacts(10, 2, "", False), "auto", ("lanes", "unrolled")),  # a scan of two steps is no gain
        (LoopFacts(MANY, MANY, "", False), "auto", ("lanes", "scan")),
        (LoopFacts(MANY, MANY, "", False), "scan", ("scan", "unrolled")),
        (LoopFacts(MANY, MANY, "", False), "unrolled", ("unrolled",)),
        (LoopFacts(10, 10, "it contains `break`", False), "auto", ("scan", "unrolled")),
        (LoopFacts(10, 10, "", True), "auto", ("lanes", "data")),
        (LoopFacts(10, 10, "", True), "scan", ("data",)),
        (LoopFacts(MOST_LANES + 1, 10, "", True), "auto", ("data",)),
        (LoopFacts(MOST_LANES + 1, 10, "", False), "auto", ("lanes", "scan", "unrolled")),
    ],
)
def test_ways(facts, allowed, ways):
    plan = planned(facts, allowed)
    assert plan.ways == ways
    assert bool(plan.no_lanes) == ("lanes" not in ways)


def test_the_data_part_is_run_first_where_iterations_are_all_run():
    assert planned(LoopFacts(10, 10, "", False), "auto").data_first
    assert planned(LoopFacts(10, 10, "", False), "scan").data_first
    assert not planned(LoopFacts(10, 10, "", True), "auto").data_first
    assert not planned(LoopFacts(10, 10, "it contains `break`", False), "auto").data_first
