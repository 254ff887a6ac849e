"""All iterations of a loop at once, as long as they do not depend on each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pathfinder.stan._loops.one_by_one import run_body
from pathfinder.stan._loops.range import Range
from pathfinder.stan._state.errors import UntraceableError
from pathfinder.stan._state.run import Execute, Run
from pathfinder.stan._state.steering import ConflictError
from pathfinder.stan._state.variables import Cell
from pathfinder.stan._syntax.tree import For, ForEach
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import RaggedError, UnknownSizeError
from pathfinder.stan._values.lanes import Lanes


MOST_GROUPS = 16


def try_lanes(
    run: Run, node: For | ForEach, loop: Range, execute: Execute, starts: dict[str, Any], restore: Callable[[], None]
) -> str | None:
    """Run all iterations at once; the state is put back and the reason returned if that is not right."""
    frame = run.machine.frame
    context = frame.context.iterations(loop.counts)
    flat = frame.flat_ranges
    keys: list[np.ndarray] = []
    most = MOST_GROUPS
    while True:
        try:
            with frame.changed("flat_ranges", flat):
                _lanes(run, node, loop, context, execute, starts, _groups(keys))
            return None
        except ConflictError as conflict:
            restore()
            if not context.contains(conflict.context):
                raise
            return str(conflict)
        except (UnknownSizeError, UntraceableError):
            if not flat:
                raise
            # something needs vectors of one size: groups after all, however many
            restore()
            keys.clear()
            flat, most = False, context.size
        except RaggedError as ragged:
            restore()
            if not context.contains(ragged.context):
                raise
            before = len(_groups(keys))
            keys.append(_size_by_lane(ragged, context))
            after = len(_groups(keys))
            if after <= max(before, 1):
                return "sizes differ within an iteration"
            if after > most and flat:
                return f"sizes take more than {most} values"
            if after > most:
                # too many groups: the vectors are laid out one after another instead
                keys.clear()
                flat = True


def _size_by_lane(ragged: RaggedError, context: Context) -> np.ndarray:
    """A number for each iteration that tells apart those whose sizes differ."""
    lanes = ragged.context.lane_of(context)
    if len(lanes) and np.all(np.diff(lanes) > 0):
        key = np.full(context.size, -1)
        key[lanes] = ragged.sizes
        return key
    # several sizes in one iteration: an inner loop could not make groups of them
    raise ragged


def _groups(keys: list[np.ndarray]) -> list[np.ndarray]:
    if not keys:
        return []
    _, inverse = np.unique(np.stack(keys), axis=1, return_inverse=True)
    return [np.flatnonzero(inverse.ravel() == group) for group in range(int(np.max(inverse)) + 1)]


def _lanes(
    run: Run,
    node: For | ForEach,
    loop: Range,
    context: Context,
    execute: Execute,
    starts: dict[str, Any],
    groups: list[np.ndarray],
) -> None:
    machine = run.machine
    within = np.arange(context.size) - np.repeat(np.cumsum(loop.counts) - loop.counts, loop.counts)
    index = Lanes(loop.lower[context.lane_of(machine.frame.context)] + within, context)
    with machine.looping(context, loop.names) as side_by_side:
        for name, values in starts.items():
            outside = machine.variables.find(name)
            copy = Cell(name, outside.type, Lanes(values, context), context)
            copy.covered = np.ones((context.size, *np.shape(values)[1:]), dtype=bool)
            side_by_side.scope.cells[name] = copy
        with machine.nested():
            machine.variables.declare(loop.variable, loop.type, loop.element(index))
            for lanes in groups or [None]:
                part = context if lanes is None else context.part(lanes)
                with machine.within(part):
                    run_body(run, node, execute, None if loop.holds is None else loop.holds(index))
