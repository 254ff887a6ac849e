"""Exact test whether iterations of a loop may run side by side.

Indices are known when a loop is evaluated, so nothing has to be proved: every access to a variable from outside of the
loop is logged with the elements and the lanes it touches, and compared with those before it. Evaluation is functional,
so that a loop that turns out to be sequential is put back to its beginning and done in another way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pathfinder.stan._state.steering import ConflictError
from pathfinder.stan._values.contexts import Context, common
from pathfinder.stan._values.steps import Scan


@dataclass(frozen=True, eq=False)
class Access:
    """Elements of a variable that the lanes of a context touch.

    Attributes:
        kind: "read", "write" or "add"; additions commute with each other.
        context: The context.
        elements: Flat positions in the variable's storage, shape [lanes, ...].
        scans: The sequential loops that repeat the access, from the outermost inwards.
        within: Only loops inside of this context are concerned; None if all are.
        lanes: The lane of the context for each row of `elements`; None if there is one row for each.
    """

    kind: str
    context: Context
    elements: np.ndarray
    scans: tuple[Scan, ...] = ()
    within: Context | None = None
    lanes: np.ndarray | None = None

    def first_and_last_lane(self, context: Context, size: int) -> tuple[np.ndarray, np.ndarray]:
        """For each element, the first and the last lane of `context` that touches it; shapes [size].

        An element that is not touched has as its first lane one beyond all, and as its last lane -1.
        """
        lanes = self.context.lane_of(context)
        lanes = lanes if self.lanes is None else lanes[self.lanes]
        elements = self.elements.reshape(len(lanes), -1)
        lanes = np.repeat(lanes, elements.shape[1])
        first, last = np.full(size, context.size), np.full(size, -1)
        flat = elements.ravel()
        last[flat] = lanes
        first[flat[::-1]] = lanes[::-1]
        return first, last


@dataclass(frozen=True, eq=False)
class Journal:
    """What has been done to one variable by the loops under way.

    Attributes:
        name: The variable's name.
        owner: The context that it belongs to.
        size: Number of elements of its storage.
        accesses: What has been done, in order.
    """

    name: str
    owner: Context
    size: int
    accesses: tuple[Access, ...] = ()

    def with_access(self, access: Access) -> Journal:
        """The journal with a further access.

        Raises:
            ConflictError: If an earlier access would come after it had the iterations run one after another.
        """
        for earlier in self.accesses:
            if access.kind == earlier.kind and access.kind in ("read", "add"):
                continue
            self._compare(earlier, access)
        if access.kind == "write" and access.scans:
            self._compare(access, access)
        return replace(self, accesses=(*self.accesses, access))

    def _compare(self, earlier: Access, later: Access) -> None:
        context = common(earlier.context, later.context)
        if any(access.within is not None and access.within.depth >= context.depth for access in (earlier, later)):
            return
        if context.depth <= self.owner.depth or earlier.kind == later.kind == "add":
            return
        first_earlier, last_earlier = earlier.first_and_last_lane(context, self.size)
        first_later, last_later = later.first_and_last_lane(context, self.size)
        touched = (last_earlier >= 0) & (last_later >= 0)
        wrong = touched & (last_earlier > first_later)
        if any(scan in earlier.scans and context.contains(scan.context) for scan in later.scans):
            # repeated for all lanes at once: the earlier one comes after the later one, too
            wrong |= touched & (last_later > first_earlier)
        elif earlier is later:
            return
        if np.any(wrong):
            element = int(np.flatnonzero(wrong)[0])
            level = self._outermost(context, int(last_earlier[element]), int(first_later[element]))
            why = f"is {_PAST[earlier.kind]} in one iteration and {_PAST[later.kind]} in another"
            raise ConflictError(level, self.name, why)

    def _outermost(self, context: Context, left: int, right: int) -> Context:
        """The outermost context whose lanes the two lanes are different ones of."""
        for level in context.ancestors():
            if level.depth <= self.owner.depth:
                continue
            lanes = context.lane_of(level)
            if lanes[left] != lanes[right]:
                return level
        return context


_PAST = {"read": "read", "write": "assigned", "add": "added to"}
