"""Recurrences: loops whose iterations run one after another in JAX, as one `lax.scan`.

What the body assigns is carried. Of an array that is only touched at fixed distances from the loop variable, a window
is carried instead of all of it: what leaves the window comes out of the scan as its output, so that a gradient costs
the same for each step however long the series is. Arrays that are only read so go in as inputs of the scan.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._loops.distributed_scan import distributed_scan
from pathfinder.stan._loops.program_slice import changed_names
from pathfinder.stan._loops.range import DataPart, Range
from pathfinder.stan._loops.survey import Survey
from pathfinder.stan._loops.windows import enter, prepare, reassemble, shifted, windows_of
from pathfinder.stan._state.run import Execute, Run
from pathfinder.stan._state.steering import Leave, LeaveIteration, ScanError, nothing
from pathfinder.stan._state.storage import storage
from pathfinder.stan._state.variables import NewPrivateError, OutsideWindowError, Scope
from pathfinder.stan._statements.print_statements import emit
from pathfinder.stan._syntax.tree import For, ForEach
from pathfinder.stan._values.lanes import Lanes, entering, freeze, traced, wrap
from pathfinder.stan._values.steps import Scan, Step, settle, step_of
from pathfinder.stan._values.value import Value


def execute_scan(run: Run, node: For | ForEach, loop: Range, execute: Execute, known: DataPart) -> None:
    """Run a loop as a scan; `known` is what the data say about its variables.

    Raises:
        ScanError: If it leaves the loop early.
        UntraceableError: If a size or a bound in it depends on the iteration.
    """
    machine, frame = run.machine, run.machine.frame
    lanes = np.flatnonzero(loop.counts)
    first = np.cumsum(loop.counts) - loop.counts
    part = frame.context if len(lanes) == frame.context.size else frame.context.part(lanes)
    loop = replace(loop, lower=loop.lower[lanes], counts=loop.counts[lanes])
    steps = first[lanes][:, None] + loop.steps
    tables = {name: values[steps] for name, values in known.starts.items()}
    restore = machine.snapshot(loop.names)
    whole: frozenset[str] = frozenset()
    while True:
        try:
            with machine.within(part):
                _scan(run, node, loop, execute, tables, whole)
            break
        except NewPrivateError as new:
            restore()
            outside = new.scope.find(new.name)
            assert outside is not None
            machine.log.private_copy(outside, new.scope, new.context)
            restore = machine.snapshot(loop.names)
        except OutsideWindowError as error:
            if error.whole.name in whole or frame.scope.find(error.whole.name) is not error.whole:
                raise
            restore()
            whole |= {error.whole.name}
    for name, value in known.ends.items():
        machine.variables.assign(machine.variables.find(name), (), value)


def _scan(
    run: Run,
    node: For | ForEach,
    loop: Range,
    execute: Execute,
    tables: dict[str, np.ndarray],
    whole: frozenset[str],
) -> None:
    """Run a loop as a scan.

    Args:
        run: The evaluation.
        node: The loop.
        loop: Its iterations.
        execute: Runs statements.
        tables: What variables known from the data are at the beginning of each step; shape [lanes, steps, ...].
        whole: Arrays that have no window.
    """
    machine, frame, variables = run.machine, run.machine.frame, run.machine.variables
    outer = frame.saved()
    scan = Scan(frame.context, loop.most, loop.names, depth=len(frame.scans))
    changed = [
        cell for name in changed_names(node.body) if name not in tables and (cell := frame.scope.find(name)) is not None
    ]
    windows = windows_of(
        machine, scan, loop, [cell for cell in changed if cell.name not in whole], _uses(run, node, loop, scan, tables)
    )
    carried = [cell for cell in changed if all(cell is not window.cell for window in windows)]
    touched: list[np.ndarray] = []

    def step(carry, number, fresh):
        values, held, target, ok = carry
        scan.number = number
        frame.restore(outer)
        frame.scope, frame.scans, frame.printed = Scope(outer.scope), (*outer.scans, scan), ()
        frame.target, frame.ok = target, ok
        if outer.random_key is not None:
            frame.random_key = jax.random.fold_in(outer.random_key, number)
        for cell, value in zip(carried, values, strict=True):
            cell.value = wrap(value, cell.owner)
        seen = [
            enter(frame.scope, window, window.table(loop), rest, new, frame.root)
            for window, rest, new in zip(windows, held, fresh, strict=True)
        ]
        for name, table in tables.items():
            variables.declare(name, variables.find(name).type, _at_step(scan, table))
        index = _index(loop, scan)
        variables.declare(loop.variable, loop.type, index if isinstance(node, For) else loop.element(settle(index)))
        condition = None
        if np.any(loop.counts != loop.most):
            condition = Lanes(number < jnp.asarray(loop.counts), frame.context)
            scan.ends_early = outer.mask is None
        elif loop.holds is not None:
            condition = loop.holds(settle(index))
        with machine.leavable():
            try:
                with machine.where(condition):
                    scan.mask = frame.mask
                    execute(run, node.body, nothing)
            except LeaveIteration:
                pass
            except Leave as leave:
                raise ScanError(f"it leaves the loop by `{leave.statement}`") from leave
            if frame.broken[-1]:
                raise ScanError("it leaves the loop by `break` or `return`")
        emit(run)
        new_values = [_like(storage(cell), value) for cell, value in zip(carried, values, strict=True)]
        touched[:] = [cell.touched for cell in seen if cell.touched is not None]
        left = [shifted(window, cell, rest) for window, cell, rest in zip(windows, seen, held, strict=True)]
        out = (new_values, [rest for rest, _ in left], _like(frame.target, target), jnp.asarray(frame.ok))
        return out, [leaving for _, leaving in left]

    prepared = [prepare(window, frame.root) for window in windows]
    start = (
        [traced(storage(cell)) for cell in carried],
        [held for held, _ in prepared],
        jnp.asarray(entering(outer.target), jnp.zeros(()).dtype),
        jnp.asarray(True),
    )
    (values, held, target, ok), left = distributed_scan(step, start, [fresh for _, fresh in prepared], loop.most)
    random_calls = frame.random_calls
    frame.restore(outer)
    frame.target, frame.random_calls = target, random_calls
    frame.ok = ok if outer.ok is True else jnp.logical_and(outer.ok, ok)
    for cell, value in zip(carried, values, strict=True):
        cell.value = wrap(value, cell.owner)
    for window, rest, leaving, elements in zip(windows, held, left, touched, strict=True):
        reassemble(machine, window, rest, leaving, elements)
    machine.log.cover_scanned(scan)


def _uses(run: Run, node: For | ForEach, loop: Range, scan: Scan, tables: dict[str, np.ndarray]) -> dict[str, Any]:
    """Where the body will touch arrays."""
    machine = run.machine
    survey = Survey(run, loop.names)
    frame = machine.frame
    outer = frame.saved()
    frame.watched, frame.scans = frozenset(), (*frame.scans, scan)
    frame.mask = True  # iterations may be left out by conditions
    try:
        with machine.nested():
            for name, table in tables.items():
                if table.ndim == 2:
                    machine.variables.declare(name, machine.variables.find(name).type, _at_step(scan, table))
                    survey.know(name)
            machine.variables.declare(loop.variable, loop.type, _index(loop, scan) if isinstance(node, For) else 0)
            if isinstance(node, For):
                survey.visit(node.body)
    finally:
        frame.restore(outer)
    return survey.uses


def _at_step(scan: Scan, table: np.ndarray) -> Value:
    """The value at the present step, by a table of shape [lanes, steps, ...]."""
    is_root = scan.context.is_root
    if table.ndim == 2:
        return step_of(scan, table[0] if is_root else Lanes(table, scan.context))
    return wrap(scan.entry(table[0] if is_root else table.swapaxes(0, 1)), scan.context)


def _index(loop: Range, scan: Scan) -> Value:
    """The index of the iterations at every step; lanes that have no more of them stay at their last one."""
    if loop.first is not None and np.all(loop.counts == loop.most):
        return Step(scan, loop.first + np.arange(loop.most))
    return Step(scan, Lanes(loop.lower[:, None] + loop.steps, scan.context))


def _like(value: Any, model: Any) -> Any:
    """A value with the shapes and types of another."""
    return jax.tree_util.tree_map(
        lambda new, old: jnp.broadcast_to(jnp.asarray(new, old.dtype), old.shape), freeze(value), model
    )
