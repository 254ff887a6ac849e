"""What of a loop is known from the data: it is run first, on the host, and put back.

`pos += n[i]` carries a value from one iteration to the next, but depends on no parameter. Running that part of the body
alone gives its variables at the beginning of every iteration, and where data decide when a loop is left, the number of
iterations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pathfinder.stan._loops.one_by_one import run_sequentially
from pathfinder.stan._loops.program_slice import changed_names, data_variables, departures, pruned
from pathfinder.stan._loops.range import DataPart, Range
from pathfinder.stan._state.errors import UntraceableError
from pathfinder.stan._state.run import Execute, Run
from pathfinder.stan._state.steering import ConflictError
from pathfinder.stan._state.variables import Cell
from pathfinder.stan._syntax.traversal import assigned, mentioned
from pathfinder.stan._syntax.tree import For, ForEach, Statement
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import RaggedError
from pathfinder.stan._values.lanes import Lanes, array_of, freeze, is_static, lift


MOST_CARRIED = 20_000_000  # elements of what data-only variables hold at the beginning of all iterations


def all_data(run: Run, body: Statement, variable: str = "", *, is_known: bool = True) -> bool:
    """Whether nothing in a loop depends on parameters, of which the loop variable is known or not."""
    machine, frame = run.machine, run.machine.frame
    if frame.mask is not None:
        return False
    if run.on_data:
        return True
    kept = data_variables(machine, body, variable, is_known=is_known) | ({variable} if is_known else frozenset())
    names = assigned(body)
    for name in mentioned(body) | names:
        if name in kept:
            continue
        cell = frame.scope.find(name)
        if cell is None or not is_static(cell.value) or name in names:
            return False
    return True


def on_host(run: Run, execute: Callable[[], Any], restore: Callable[[], None]) -> bool:
    """Run what is known from the data and put the state back; False if it turns out not to be known."""
    frame = run.machine.frame
    try:
        frame.watched, frame.is_silent = frozenset(), True
        execute()
    except (ConflictError, RaggedError, UntraceableError):
        return False
    finally:
        restore()
    return True


def data_part(run: Run, node: For | ForEach, loop: Range, execute: Execute, restore: Callable[[], None]) -> DataPart:
    """What the variables that depend on nothing but data are at the beginning of every iteration."""
    machine, frame = run.machine, run.machine.frame
    nothing_known = DataPart({}, {})
    if frame.mask is not None:
        return nothing_known
    known = data_variables(machine, node.body, loop.variable, is_known=loop.is_known)
    carried = [name for name in changed_names(node.body) if name in known and frame.scope.find(name) is not None]
    body = pruned(node.body, known)
    if not carried or body is None:
        return nothing_known
    context = frame.context.iterations(loop.counts)
    cells = [machine.variables.find(name) for name in carried]
    if any(isinstance(cell.value, tuple) or cell.owner.loop is not frame.context.loop for cell in cells):
        return nothing_known
    shapes = [_element_shape(cell) for cell in cells]
    if sum(context.size * int(np.prod(shape)) for shape in shapes) > MOST_CARRIED:
        return nothing_known
    starts = {
        cell.name: np.zeros((context.size, *shape), np.asarray(array_of(cell.value)).dtype)
        for cell, shape in zip(cells, shapes, strict=True)
    }
    ends: dict[str, Any] = {}
    first = np.cumsum(loop.counts) - loop.counts

    def record(number: int, part: Context, active: np.ndarray) -> None:
        for name in carried:
            value = machine.variables.find(name).value
            starts[name][first[active] + number] = lift(value, part)

    def follow() -> None:
        run_sequentially(run, replace(node, body=body), loop, execute, record)
        ends.update((name, freeze(machine.variables.find(name).value)) for name in carried)

    return DataPart(starts, ends) if on_host(run, follow, restore) else nothing_known


def _element_shape(cell: Cell) -> tuple[int, ...]:
    shape = np.shape(array_of(cell.value))
    return shape[1:] if isinstance(cell.value, Lanes) else shape


def begun_iterations(run: Run, node: For | ForEach, loop: Range, execute: Execute) -> np.ndarray | None:
    """How many iterations of each lane are begun before the loop is left; None if that is not known from the data."""
    machine, frame = run.machine, run.machine.frame
    body = departures(machine, node.body, loop.variable, is_known=loop.is_known)
    if body is None or frame.mask is not None or loop.holds is not None:
        return None
    begun = np.zeros(frame.context.size, np.int64)

    def record(number: int, part: Context, active: np.ndarray) -> None:
        begun[active] = number + 1

    alone = replace(node, body=body)
    found = on_host(run, lambda: run_sequentially(run, alone, loop, execute, record), run.machine.snapshot(loop.names))
    return begun if found else None
