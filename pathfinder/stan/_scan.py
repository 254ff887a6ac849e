"""Recurrences: loops whose iterations run one after another in JAX, as one `lax.scan`.

What the body assigns is carried. Of an array that is only touched at fixed distances from the loop variable, a window
is carried instead of all of it: what leaves the window comes out of the scan as its output, so that a gradient costs
the same for each step however long the series is. Arrays that are only read so go in as inputs of the scan.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._cells import NewPrivateError, Scope
from pathfinder.stan._dependence import Scan
from pathfinder.stan._distributed_scan import distributed_scan
from pathfinder.stan._flow import Continue, Leave, nothing
from pathfinder.stan._lanes import Lanes, entering, freeze, traced, wrap
from pathfinder.stan._loop_range import Range
from pathfinder.stan._printing import emit
from pathfinder.stan._run import Execute, Run, Step, settle
from pathfinder.stan._slices import changed_names
from pathfinder.stan._syntax import For, ForEach
from pathfinder.stan._windows import axis_of, cover_whole, coverage_of, enter, prepare, reassemble, shifted, windows_of


class ScanError(Exception):
    """A loop cannot be a scan; says why."""


def execute_scan(run: Run, node: For | ForEach, loop: Range, execute: Execute) -> None:
    """Run a loop as a scan.

    Raises:
        ScanError: If it leaves the loop early.
        UntraceableError: If a size or a bound in it depends on the iteration.
    """
    restore = run.machine.snapshot(loop.names)
    while True:
        try:
            _scan(run, node, loop, execute)
            return
        except NewPrivateError as new:
            restore()
            outside = new.scope.find(new.name)
            assert outside is not None
            run.machine.private_copy(outside, new.scope, new.context)
            restore = run.machine.snapshot(loop.names)


def _scan(run: Run, node: For | ForEach, loop: Range, execute: Execute) -> None:
    machine = run.machine
    outer_scope, outer_target, outer_ok, outer_mask = machine.scope, machine.target, machine.ok, machine.mask
    outer_scans, outer_key, outer_printed = machine.scans, machine.random_key, run.printed
    changed = changed_names(node.body)
    windowed = windows_of(run, node, loop, changed)
    carried = [
        cell
        for name in changed
        if (cell := machine.scope.find(name)) is not None and all(cell is not entry.cell for entry in windowed)
    ]
    first = loop.first
    token = Scan(machine.context)

    def step(carry, number, fresh):
        values, held, target, ok = carry
        machine.scope, machine.mask = Scope(outer_scope), outer_mask
        machine.target, machine.ok = target, ok
        machine.scans = (*outer_scans, token)
        run.printed = []
        if outer_key is not None:
            machine.random_key = jax.random.fold_in(outer_key, number)
        for cell, value in zip(carried, values, strict=True):
            cell.value = wrap(value, cell.owner)
        seen = [
            enter(machine.scope, entry, window, new, covered)
            for entry, window, new, covered in zip(windowed, held, fresh, coverage, strict=True)
        ]
        index = _index(run, loop, first, number, is_range=isinstance(node, For))
        machine.declare(loop.variable, loop.type, loop.element(index))
        run.broken.append([])
        try:
            condition = None
            if np.any(loop.counts != loop.most):
                condition = Lanes(number < jnp.asarray(loop.counts), machine.context)
            elif loop.holds is not None:
                condition = loop.holds(settle(index))
            with machine.where(condition):
                execute(run, node.body, nothing)
        except Continue:
            pass
        except Leave as leave:
            raise ScanError(f"it leaves the loop by `{type(leave).__name__.lower()}`") from leave
        finally:
            broken = run.broken.pop()
        if broken:
            raise ScanError("it leaves the loop by `break` or `return`")
        emit(run)
        new_values = [_like(machine.storage(cell), value) for cell, value in zip(carried, values, strict=True)]
        for entry, cell, covered in zip(windowed, seen, coverage, strict=True):
            cover_whole(entry, cell, covered, loop, machine.context)
        left = [shifted(entry, cell, window) for entry, cell, window in zip(windowed, seen, held, strict=True)]
        out = (new_values, [rest for rest, _ in left], _like(machine.target, target), jnp.asarray(machine.ok))
        return out, [emitted for _, emitted in left]

    prepared = [prepare(entry, loop) for entry in windowed]
    coverage = [coverage_of(entry, loop) for entry in windowed]
    start = (
        [traced(machine.storage(cell)) for cell in carried],
        [window for window, _ in prepared],
        jnp.asarray(entering(outer_target), jnp.zeros(()).dtype),
        jnp.asarray(True),
    )
    (values, held, target, ok), emitted = distributed_scan(step, start, [fresh for _, fresh in prepared], loop.most)
    machine.scope, machine.mask, machine.scans, machine.random_key = outer_scope, outer_mask, outer_scans, outer_key
    run.printed = outer_printed
    machine.target = target
    machine.ok = ok if outer_ok is True else jnp.logical_and(outer_ok, ok)
    for cell, value in zip(carried, values, strict=True):
        cell.value = wrap(value, cell.owner)
    for entry, window, out in zip(windowed, held, emitted, strict=True):
        if entry.is_written:
            length = entry.cell.storage_shape(machine.root)[axis_of(entry)]
            entry.cell.value = wrap(reassemble(entry, loop, length, window, out), entry.cell.owner)


def _index(run: Run, loop: Range, first: int | None, number: Any, *, is_range: bool) -> Any:
    if first is not None:
        return Step(loop.variable, number + first, (first, first + loop.most - 1)) if is_range else number + first
    return Lanes(jnp.asarray(loop.lower) + number, run.machine.context)


def _like(value: Any, model: Any) -> Any:
    """A value with the shapes and types of another."""
    return jax.tree_util.tree_map(
        lambda new, old: jnp.broadcast_to(jnp.asarray(new, old.dtype), old.shape), freeze(value), model
    )
