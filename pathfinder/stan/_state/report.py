"""The ways loops may run, and how one ran and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


# "auto" tries the fastest first: side by side as lanes, one after another in JAX, one after another in Python.
# "scan" leaves out lanes, "unrolled" also JAX; what these two compute is the same, so that tests compare them.
LoopWays = Literal["auto", "scan", "unrolled"]


@dataclass(frozen=True)
class LoopReport:
    """How a loop was compiled.

    Attributes:
        line: Where it stands in the program.
        fewest: Number of iterations in the lane around it that has the fewest.
        iterations: Number of them in the lane around it that has the most.
        lanes: How many lanes around it run it side by side; 1 if there are none.
        how: "lanes", "scan", "unrolled", or "data" where all of it is known from the data.
        reason: Why not in a faster way; empty if there is none.
    """

    line: int
    fewest: int
    iterations: int
    lanes: int
    how: str
    reason: str = ""
