"""What stands in brackets, as positions in a variable, and what they read of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pathfinder.stan._expressions.ragged import RaggedUseError, Stretch, read_ragged, stretch_of
from pathfinder.stan._state.run import Run
from pathfinder.stan._state.variables import Cell
from pathfinder.stan._values.indices import At, Between, IndexRangeError, MovingRange, out_of_range
from pathfinder.stan._values.lanes import array_of, context_of, is_static, lift, wrap
from pathfinder.stan._values.steps import Step, difference, settle, step_of, table_of
from pathfinder.stan._values.value import Value


def require_parts(run: Run, cell: Cell, positions: Sequence[Any]) -> None:
    """Of a container whose sizes differ between lanes, only what has a fixed size can be taken.

    Raises:
        RaggedUseError: If something else is.
        IndexRangeError: If an index is larger than the size of its lane.
    """
    for axis, size in cell.padded.items():
        position = positions[axis] if axis < len(positions) else None
        if position is None or (isinstance(position, Between) and position.upper is None):
            raise RaggedUseError(f"the size of `{cell.name}` differs between iterations, and all of it is used")
        if isinstance(position, At) and is_static(position.index):
            context = run.machine.frame.context
            index, limit = lift(position.index, context), lift(size, context)
            if np.any(index > limit):
                at = int(np.argmax(index > limit))
                raise IndexRangeError(out_of_range(index[at], limit[at]))


def read_cell(run: Run, cell: Cell, positions: list[Any]) -> Value:
    """A variable, or elements of it."""
    if cell.padded:
        require_parts(run, cell, positions)
    if not any(isinstance(position, Stretch) for position in positions):
        return run.machine.variables.read(cell, positions)
    anywhere = [Between() if isinstance(position, Stretch) else position for position in positions]
    run.machine.log.note_read(cell, anywhere)  # counts as reading all along the axis
    return read_ragged(run.machine, cell.value, positions)


def range_position(run: Run, lower: Any, upper: Any) -> Any:
    """`lower:upper`, whose ends may move from one iteration of a sequential loop to the next."""
    lower = 1 if lower is None else lower
    scans = {end.scan for end in (lower, upper) if isinstance(end, Step)}
    if not scans:
        return stretch_of(run.machine, lower, upper) or Between(lower, upper)
    known = all(isinstance(end, Step) or (end is not None and is_static(end)) for end in (lower, upper))
    if not known or len(scans) > 1:
        return Between(settle(lower), settle(upper))
    root = run.machine.frame.root
    table = difference(table_of(upper), table_of(lower), root)
    size = step_of(scans.pop(), wrap(np.maximum(array_of(table) + 1, 0), context_of(table, root)))
    if isinstance(size, Step):
        return Stretch(lower, size)
    sizes = np.ravel(array_of(size))
    return MovingRange(lower, int(sizes[0])) if np.all(sizes == sizes[0]) else Stretch(lower, size)
