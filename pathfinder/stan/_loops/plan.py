"""The ways in which a loop is tried, decided before it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pathfinder.stan._state.report import LoopWays


MOST_UNROLLED = 24
MOST_LANES = 30_000_000  # of a loop on data: an array of them takes 240 MB
FEWEST_SCANNED = 3
SWITCHED_OFF = "it is switched off"

Way = Literal["lanes", "data", "scan", "unrolled"]


@dataclass(frozen=True)
class LoopFacts:
    """What is known of a loop from its text and from the data.

    Attributes:
        total: Number of its iterations in all lanes.
        most: Number of them in the lane that has the most.
        leaving: How it may be left before its end, at an iteration that is not known; empty if it cannot.
        is_data: Whether nothing in it depends on parameters.
    """

    total: int
    most: int
    leaving: str
    is_data: bool


@dataclass(frozen=True)
class LoopPlan:
    """The ways to try one after another.

    Whether iterations depend on each other, whether sizes can be laid out, and whether a step can be traced shows
    itself only while they run; see `steering` for what happens then.

    Attributes:
        ways: From the fastest on; the first that works is taken. None of them may work.
        data_first: Whether the part of the body that is known from the data is run beforehand, if lanes do not work
            without.
        no_lanes: Why lanes are not tried; empty if they are.
        no_scan: Why a scan is not tried where something else than that decides; empty if it is.
    """

    ways: tuple[Way, ...]
    data_first: bool
    no_lanes: str = ""
    no_scan: str = ""


def planned(facts: LoopFacts, allowed: LoopWays) -> LoopPlan:
    """How to run a loop, of the ways that are allowed."""
    refused = facts.leaving
    if not refused and facts.is_data and facts.total > MOST_LANES:
        refused = "its iterations are too many to be held at once"
    no_lanes = refused or ("" if allowed == "auto" else SWITCHED_OFF)
    ways: list[Way] = [] if no_lanes else ["lanes"]
    if facts.is_data:
        return LoopPlan((*ways, "data"), data_first=False, no_lanes=no_lanes)
    if facts.most >= FEWEST_SCANNED and allowed != "unrolled":
        ways.append("scan")
    if facts.most <= MOST_UNROLLED or allowed != "auto":
        ways.append("unrolled")
    no_scan = SWITCHED_OFF if facts.most >= FEWEST_SCANNED and allowed == "unrolled" else ""
    return LoopPlan(tuple(ways), not refused, no_lanes, no_scan)
