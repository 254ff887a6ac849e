"""What iterations that run side by side do to the variables around them.

Every access is logged, and where iterations would have to wait for each other, an exception says so. A variable that
each iteration assigns before it reads it gets a copy for every iteration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pathfinder.stan._state.coverage import Coverage
from pathfinder.stan._state.dependence import Access, Journal
from pathfinder.stan._state.frame import Frame
from pathfinder.stan._state.steering import ConflictError
from pathfinder.stan._state.storage import flagged, gather, put, storage
from pathfinder.stan._state.variables import Cell, LaneLoop, NewPrivateError, OutsideWindowError, Scope
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import At, Between, Many, Position, at_all_steps, flat_positions, resolve, step_in
from pathfinder.stan._values.lanes import is_static
from pathfinder.stan._values.steps import Scan


MOST_LOGGED = 10_000_000  # lanes times steps


class AccessLog:
    """What the iterations of the loops under way touch.

    Args:
        frame: Where the evaluation stands.
    """

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def note_read(self, cell: Cell, positions: Sequence[Position]) -> None:
        """Log that a variable or elements of it are read.

        Raises:
            ConflictError: If iterations that run side by side would have to run one after another.
        """
        whole = cell if cell.window is None else cell.window.whole
        if whole.covered is not None:
            self._require_covered(whole, positions)
        self._log_both("read", cell, positions)

    def note_write(self, cell: Cell, positions: Sequence[Position]) -> Cell:
        """Log that a variable or elements of it are assigned; gives the copy that the iterations have of their own."""
        if cell.window is not None:
            if self.is_logged(cell.window.whole):
                self._private(cell.window.whole, positions)
            if self.is_logged(cell) and self._private(cell, cell.window.inside(positions, self.frame.root)) is not None:
                raise OutsideWindowError(cell.window.whole)
        elif self.is_logged(cell):
            cell = self._private(cell, positions) or cell
        self._log_both("write", cell, positions)
        whole = cell if cell.window is None else cell.window.whole
        if whole.covered is not None:
            self._cover(whole, positions)
        return cell

    def is_logged(self, cell: Cell) -> bool:
        """Whether iterations side by side may depend on each other through a variable."""
        here = self.frame.context
        return cell.name in self.frame.watched and cell.owner is not here and cell.owner.loop is not here.loop

    def elements(self, cell: Cell, positions: Sequence[Position]) -> np.ndarray:
        """Flat positions in the variable's storage that the lanes of the present context may touch at some step."""
        shape = cell.storage_shape(self.frame.root)
        first = 0 if cell.owner is self.frame.root else 1
        indices: dict[int, At | Many] = {}
        for axis, position in enumerate(positions, first):
            if step_in(position) is not None:
                continue
            found = resolve(position, shape[axis])
            if is_static(found.index):
                indices[axis] = found  # an index that is not known counts as all of the axis
        places, _ = flat_positions(shape, indices, cell.owner, self.frame.context)
        return np.asarray(places)

    def _elements_of_all_steps(self, cell: Cell, positions: Sequence[Position], scan: Scan) -> np.ndarray:
        """As `elements`, exactly those of all steps of a scan; shape [lanes, steps, ...]."""
        lanes = self.frame.context
        shape = cell.storage_shape(self.frame.root)
        if lanes.size * scan.length > MOST_LOGGED:
            return self.elements(cell, positions)[:, None]
        context = lanes.iterations(np.full(lanes.size, scan.length))
        first = 0 if cell.owner is self.frame.root else 1
        indices: dict[int, At | Many] = {}
        known = [Between() if _is_of_other(position, scan) else position for position in positions]
        for axis, position in enumerate(at_all_steps(known, scan, context, shape[first:]), first):
            found = resolve(position, shape[axis])
            if is_static(found.index):
                indices[axis] = found
        places, _ = flat_positions(shape, indices, cell.owner, context)
        return np.asarray(places).reshape(lanes.size, scan.length, -1)

    def _log_both(self, kind: str, cell: Cell, positions: Sequence[Position]) -> None:
        """Log an access for the loops around the scan, and for those inside of a step."""
        if cell.window is None:
            if self.is_logged(cell):
                self.log(kind, cell, positions)
            return
        if self.is_logged(cell.window.whole):
            self._log_steps(kind, cell.window.whole, positions, cell.window.scan)
        if self.is_logged(cell):
            elements = self.elements(cell, cell.window.inside(positions, self.frame.root))
            self._record(cell, Access(kind, self.frame.context, elements, self.frame.scans, cell.window.scan.context))

    def log(self, kind: str, cell: Cell, positions: Sequence[Position]) -> None:
        """Log an access to a variable.

        Raises:
            ConflictError: If iterations that run side by side would have to run one after another.
        """
        scan = _scan_of(positions)
        if scan is not None:
            self._log_steps(kind, cell, positions, scan)
        within = None if scan is None else scan.context
        self._record(cell, Access(kind, self.frame.context, self.elements(cell, positions), self.frame.scans, within))

    def _log_steps(self, kind: str, cell: Cell, positions: Sequence[Position], scan: Scan) -> None:
        elements = self._elements_of_all_steps(cell, positions, scan)
        lanes = self.frame.context.lane_of(scan.context)
        self._record(cell, Access(kind, scan.context, elements, self.frame.scans, lanes=lanes))

    def _record(self, cell: Cell, access: Access) -> None:
        if cell.journal is None:
            cell.journal = Journal(cell.name, cell.owner, int(np.prod(cell.storage_shape(self.frame.root))))
        cell.journal = cell.journal.with_access(access)

    def _private(self, cell: Cell, positions: Sequence[Position]) -> Cell | None:
        """A copy of a variable for each lane of a loop, if lanes of it assign the same elements.

        `real s; for (i in 1:N) { s = x[i]; y[i] = s * s; }`: as declared, `s` would be carried from one iteration to
        the next, but each assigns it before it reads it. With a copy each, iterations can run side by side, and the
        last copy is what `s` holds after the loop. That nothing is read before is checked at every read (`covered`).
        """
        scan = _scan_of(positions)
        elements = self.elements(cell, positions)
        for loop in self.frame.loops:
            if loop.context.depth <= cell.owner.depth or not loop.context.contains(self.frame.context):
                continue
            if scan is not None and loop.context.contains(scan.context):
                touched = self._elements_of_all_steps(cell, positions, scan)
            else:
                touched = elements
            if not _shared(touched, self.frame.context.lane_of(loop.context)):
                continue  # each lane has its own elements: they need no copies
            if cell.journal is not None and any(loop.context.contains(a.context) for a in cell.journal.accesses):
                raise ConflictError(loop.context, cell.name, "is carried from one iteration to the next")
            if self.frame.scans and loop.context.depth <= self.frame.scans[-1].context.depth:
                # The scan carries what is assigned in it, and has begun without this copy.
                raise NewPrivateError(loop.scope, cell.name, loop.context)
            copy = self.private_copy(cell, loop.scope, loop.context)
            # loops inside of this one may need copies of the copy
            return (self._private(copy, positions) if self.is_logged(copy) else None) or copy
        return None

    def private_copy(self, cell: Cell, scope: Scope, context: Context) -> Cell:
        """A copy of a variable for each lane of a loop, of which nothing has been assigned yet."""
        copy = Cell(cell.name, cell.type, cell.value, context)
        copy.covered = np.zeros(copy.storage_shape(self.frame.root), dtype=bool)
        scope.cells[cell.name] = copy
        return copy

    def _require_covered(self, cell: Cell, positions: Sequence[Position]) -> None:
        assert cell.covered is not None
        scan = _scan_of(positions)
        if scan is not None:
            scan.coverage[cell] = _coverage(cell, scan).read(self._elements_of_all_steps(cell, positions, scan))
        elif not np.all(cell.covered.reshape(-1)[self.elements(cell, positions)]):
            # perhaps earlier iterations of a loop inside of these assign it
            inside = [loop.context for loop in self.frame.loops if loop.context.depth > cell.owner.depth]
            blamed = next((context for context in inside if context.contains(self.frame.context)), cell.owner)
            raise ConflictError(blamed, cell.name, "is carried from one iteration to the next")

    def _cover(self, cell: Cell, positions: Sequence[Position]) -> None:
        assert cell.covered is not None
        scan = _scan_of(positions)
        others = [position for position in positions if step_in(position) is None]
        is_known = all(is_static(index) for position in others for index in _ends(position))
        is_small = scan is None or self.frame.context.size * scan.length <= MOST_LOGGED
        if not is_known or not is_small or any(scan is not None and _is_of_other(at, scan) for at in positions):
            raise ConflictError(cell.owner, cell.name, "is assigned at an index that is not known from the data")
        if scan is not None:
            scan.coverage[cell] = _coverage(cell, scan).write(self._elements_of_all_steps(cell, positions, scan))
        else:
            cell.covered = flagged(cell.covered, self.elements(cell, positions))

    def cover_scanned(self, scan: Scan) -> None:
        """What all steps of a scan have assigned counts as assigned from now on.

        Raises:
            ConflictError: If a step reads what an iteration of a loop around has not assigned before.
        """
        for cell, coverage in scan.coverage.items():
            covered = coverage.afterwards()
            if covered is None:
                raise ConflictError(cell.owner, cell.name, "is carried from one iteration to the next")
            assert cell.covered is not None
            cell.covered = cell.covered | covered

    def leave(self, loop: LaneLoop) -> None:
        """End a loop: what its iterations had of their own goes to the variables outside as the last one left it."""
        for copy in loop.scope.cells.values():
            if copy.covered is None:
                continue
            outside = loop.scope.parent.find(copy.name) if loop.scope.parent else None
            assert outside is not None
            self._write_back(copy, outside)

    def _write_back(self, copy: Cell, outside: Cell) -> None:
        assert copy.covered is not None
        shape = outside.storage_shape(self.frame.root)
        size = int(np.prod(copy.covered.shape[1:]))
        covered = copy.covered.reshape(copy.owner.size, size)
        owner_lane = copy.owner.lane_of(outside.owner)
        targets = owner_lane[:, None] * size + np.arange(size)
        source = np.full(int(np.prod(shape)), -1)
        source[targets[covered]] = np.flatnonzero(covered.ravel())
        changed = np.flatnonzero(source >= 0)
        if outside.covered is not None:
            outside.covered = flagged(outside.covered, changed)
        elif self.is_logged(outside):
            self._log_elements(outside, copy.owner, covered, targets)
        put(outside, changed, gather(storage(copy), source[changed]))

    def _log_elements(self, cell: Cell, context: Context, covered: np.ndarray, targets: np.ndarray) -> None:
        if not np.all(covered == covered[0]):
            raise ConflictError(context, cell.name, "is assigned in some iterations only")
        self._record(cell, Access("write", context, targets[:, covered[0]], self.frame.scans))

    def refuse_lanes(self, what: str) -> None:
        """Loops around have to run one iteration after another.

        Raises:
            ConflictError: If they do not.
        """
        if self.frame.loops:
            raise ConflictError(self.frame.loops[0].context, what, "depends on the order of the iterations")


def _coverage(cell: Cell, scan: Scan) -> Coverage:
    """What the steps of a scan have done to a copy so far."""
    assert cell.covered is not None
    return scan.coverage.get(cell) or Coverage(cell.covered.copy())


def _scan_of(positions: Sequence[Position]) -> Scan | None:
    """The outermost scan whose steps occur in positions."""
    scans = [step.scan for position in positions if (step := step_in(position)) is not None]
    return min(scans, key=lambda scan: scan.depth, default=None)


def _is_of_other(position: Position, scan: Scan) -> bool:
    step = step_in(position)
    return step is not None and step.scan is not scan


def _ends(position: Position) -> list[Any]:
    if isinstance(position, At | Many):
        return [position.index]
    assert isinstance(position, Between)
    return [end for end in (position.lower, position.upper) if end is not None]


def _shared(elements: np.ndarray, lanes: np.ndarray) -> bool:
    """Whether lanes with different numbers touch the same element."""
    flat = elements.reshape(len(lanes), -1)
    if not flat.size:
        return False
    order = np.argsort(flat.ravel(), kind="stable")
    sorted_elements = flat.ravel()[order]
    sorted_lanes = np.repeat(lanes, flat.shape[1])[order]
    same = sorted_elements[1:] == sorted_elements[:-1]
    return bool(np.any(same & (sorted_lanes[1:] != sorted_lanes[:-1])))
