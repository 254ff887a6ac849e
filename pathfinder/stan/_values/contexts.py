"""Contexts: which loops the lanes of a value are iterations of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(eq=False)
class Context:
    """Iterations that run side by side.

    Attributes:
        size: Number of lanes.
        parent: The context around it; None for the root, which has one lane and whose values have no axis of lanes.
        parent_lane: Lane of the parent that each lane belongs to, in ascending order of iterations.
        is_loop: Whether its lanes are iterations of a loop, and not some of the parent's lanes.
    """

    size: int
    parent: Context | None = None
    parent_lane: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    is_loop: bool = True
    depth: int = field(init=False)
    stretches: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)  # see `ragged`
    _maps: dict[int, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.depth = 0 if self.parent is None else self.parent.depth + 1

    @property
    def is_root(self) -> bool:
        """Whether nothing is around it."""
        return self.parent is None

    def iterations(self, counts: np.ndarray) -> Context:
        """Iterations of a loop inside this one, `counts` of them for each lane.

        Lanes without any are left out, so that an index which is wrong in them only is not used and not complained of.
        """
        running = np.flatnonzero(counts)
        if 0 < len(running) < self.size:
            return self.part(running).iterations(counts[running])
        parent_lane = np.repeat(np.arange(self.size), counts)
        return Context(len(parent_lane), self, parent_lane)

    def part(self, lanes: np.ndarray) -> Context:
        """Some of the lanes of this context."""
        return Context(len(lanes), self, lanes, is_loop=False)

    @property
    def loop(self) -> Context:
        """The loop that this is a part of; the root counts as one."""
        at = self
        while not at.is_loop and at.parent is not None:
            at = at.parent
        return at

    def ancestors(self) -> list[Context]:
        """This context and those around it, from the root inwards."""
        chain: list[Context] = []
        at: Context | None = self
        while at is not None:
            chain.append(at)
            at = at.parent
        return chain[::-1]

    def contains(self, other: Context) -> bool:
        """Whether `other` is this context or lies inside of it."""
        while other.depth > self.depth:
            assert other.parent is not None
            other = other.parent
        return other is self

    def lane_of(self, outer: Context) -> np.ndarray:
        """For each lane, the lane of `outer` that it belongs to; shape [size]."""
        found = self._maps.get(outer.depth)
        if found is None:
            if outer is self:
                found = np.arange(self.size)
            else:
                assert self.parent is not None
                found = self.parent.lane_of(outer)[self.parent_lane]
            self._maps[outer.depth] = found
        return found


def common(left: Context, right: Context) -> Context:
    """The innermost context that both lie in."""
    while left is not right:
        if left.depth < right.depth:
            left, right = right, left
        assert left.parent is not None
        left = left.parent
    return left


def deepest(contexts: Sequence[Context], root: Context) -> Context:
    """The innermost of contexts that lie in each other."""
    return max(contexts, key=lambda context: context.depth, default=root)
