"""Loops: iterations side by side where they do not depend on each other, else one after another.

The ways are tried from the fastest on: lanes; lanes after the part that is known from the data has run on the host; all
of it on the host, if it is known from the data; `lax.scan`; unrolled, if there are few iterations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pathfinder.stan._calls import call_library
from pathfinder.stan._cells import Cell, OutsideWindowError
from pathfinder.stan._dependence import ConflictError
from pathfinder.stan._elements import read
from pathfinder.stan._expressions import evaluate, symbolic
from pathfinder.stan._lanes import Context, Lanes, array_of, is_static, lift
from pathfinder.stan._loop_range import Range
from pathfinder.stan._names import assigned, leaves, mentioned, nodes
from pathfinder.stan._positions import At, RaggedError, UnknownSizeError
from pathfinder.stan._run import Execute, LoopReport, Run, UntraceableError, here
from pathfinder.stan._scan import ScanError, execute_scan
from pathfinder.stan._sequential import drop_broken, run_body, run_part, run_sequentially
from pathfinder.stan._side_by_side import try_lanes
from pathfinder.stan._slices import changed_names, data_variables, pruned
from pathfinder.stan._steps import Step, settle
from pathfinder.stan._syntax import Break as BreakStatement
from pathfinder.stan._syntax import For, ForEach, Return, Statement, While
from pathfinder.stan._types import Type
from pathfinder.stan.functions import OPERATORS


MOST_UNROLLED = 24
_INT = Type("int")
MOST_CARRIED = 20_000_000  # elements of what data-only variables hold at the beginning of all iterations


def execute_for(run: Run, node: For | ForEach, execute: Execute) -> None:
    """A `for` loop over a range or a container."""
    loop = _range(run, node)
    if not np.any(loop.counts > 0):
        return
    total = int(np.sum(loop.counts))
    if np.all(loop.counts == 1) and loop.holds is None:
        _single(run, node, loop, execute)
        return
    restore = run.snapshot(loop.names)
    reason = _why_not_lanes(node)
    if not reason:
        reason = try_lanes(run, node, loop, execute, {}, restore)
        if reason is None:
            _report(run, node, total, "lanes")
            return
        starts = _data_part(run, node, loop, execute, restore)
        if starts:
            again = try_lanes(run, node, loop, execute, starts, restore)
            if again is None:
                _report(run, node, total, "lanes", "what is known from the data is computed beforehand")
                return
            reason = again
    if _all_data(run, node):
        run_sequentially(run, node, loop, execute)
        _report(run, node, total, "data", reason)
        return
    most = int(np.max(loop.counts))
    if most > 2:
        try:
            execute_scan(run, node, loop, execute)
            _report(run, node, total, "scan", reason)
            return
        except (ScanError, OutsideWindowError, RaggedError, UnknownSizeError, UntraceableError) as error:
            restore()
            failed = error
    else:
        failed = None
    if most > MOST_UNROLLED:
        assert failed is not None
        raise UntraceableError(
            f"this loop of {most} iterations cannot be compiled: its iterations cannot run side by side ({reason}), "
            f"nor one after another in JAX ({_message(failed)})",
            node.span,
        ) from failed
    run_sequentially(run, node, loop, execute)
    cause = "" if failed is None else f"; not a scan: {_message(failed)}"
    _report(run, node, total, "unrolled", f"{reason}{cause}")


def _message(error: Exception) -> str:
    return error.diagnostic.message if isinstance(error, UntraceableError) else str(error)


def _range(run: Run, node: For | ForEach) -> Range:
    machine = run.machine
    names = assigned(node.body)
    if isinstance(node, ForEach):
        container = evaluate(run, node.container)
        kind = run.type_of(node.container)
        if kind.base.endswith("matrix") and not kind.dims:
            shape = np.shape(array_of(container))[-2:]

            def element(index):
                at = array_of(index) - 1
                row, column = at % shape[0] + 1, at // shape[0] + 1
                if isinstance(index, Lanes):
                    row, column = Lanes(row, index.context), Lanes(column, index.context)
                return read(container, [At(row), At(column)], machine.root)

            count, type_ = shape[0] * shape[1], Type("complex" if kind.base.startswith("complex") else "real")
        else:
            first = container[0] if isinstance(container, tuple) else container
            count = np.shape(array_of(first))[1 if isinstance(first, Lanes) else 0]
            type_ = kind.array(-1) if kind.dims else Type("complex" if kind.base.startswith("complex") else "real")

            def element(index):
                return read(container, [At(index)], machine.root)

        size = machine.context.size
        return Range(node.variable.text, type_, np.ones(size, np.int64), np.full(size, count), element, names)
    symbols = [here(run, symbolic(run, bound)) for bound in (node.lower, node.upper)]
    ends = []
    for bound, value, widest in zip((node.lower, node.upper), symbols, ("smallest", "largest"), strict=True):
        known = getattr(value, widest) if isinstance(value, Step) else value
        if not is_static(known):
            raise UntraceableError(
                "the bounds of a loop have to be known from the data, but this one depends on parameters or on the "
                "iteration of a sequential loop",
                bound.span,
            )
        ends.append(np.asarray(lift(known, machine.context)))
    counts = np.maximum(ends[1] - ends[0] + 1, 0)
    holds: Any = None
    if any(isinstance(value, Step) for value in symbols):
        low, high = map(settle, symbols)

        def inside(index):
            above = call_library(run, OPERATORS["<="], (_INT, _INT), [low, index], node)
            below = call_library(run, OPERATORS["<="], (_INT, _INT), [index, high], node)
            both = call_library(run, OPERATORS["&&"], (_INT, _INT), [above, below], node)
            return machine.truth(both)

        holds = inside

    return Range(node.variable.text, _INT, ends[0], counts, lambda index: index, names, holds)


def _report(run: Run, node: Statement, iterations: int, how: str, reason: str = "") -> None:
    run.reports[id(node)] = LoopReport(node.span.line, iterations, how, reason)


def _why_not_lanes(node: For | ForEach) -> str:
    for inner in nodes(node.body):
        if isinstance(inner, Return):
            return "it contains `return`"
        if isinstance(inner, BreakStatement) and leaves(node.body):
            return "it contains `break`"
    return ""


def _single(run: Run, node: For | ForEach, loop: Range, execute: Execute) -> None:
    """A loop of one iteration in every lane."""
    with run.machine.nested():
        lower = loop.lower
        index = int(lower[0]) if np.all(lower == lower[0]) else Lanes(lower, run.machine.context)
        run.machine.declare(loop.variable, loop.type, loop.element(index))
        run_body(run, node, execute)


def execute_while(run: Run, node: While, execute: Execute) -> None:
    """A `while` loop, whose condition has to be known from the data."""
    machine = run.machine
    context, outer_mask = machine.context, machine.mask
    active = np.arange(context.size)
    run.broken.append([])
    iterations = 0
    try:
        while True:
            part = context if len(active) == context.size else context.part(active)
            with machine.within(part):
                condition = evaluate(run, node.condition)
                if not is_static(condition):
                    raise UntraceableError(
                        "the condition of a `while` loop depends on parameters; it has to be known from the data",
                        node.condition.span,
                    )
                active = active[np.asarray(lift(condition, part)) != 0]
            if not len(active):
                break
            iterations += 1
            part = context if len(active) == context.size else context.part(active)
            with machine.within(part), machine.nested():
                going = run_part(run, node, execute, part is context)
            if not going:
                break
            active = drop_broken(run, context, active)
    finally:
        run.broken.pop()
        machine.mask = outer_mask
    _report(run, node, iterations, "unrolled", "it is a `while` loop")


def _all_data(run: Run, node: For | ForEach) -> bool:
    """Whether nothing in the loop depends on parameters."""
    machine = run.machine
    if machine.mask is not None:
        return False
    if run.on_data:
        return True
    kept = set(data_variables(machine, node.body, node.variable.text)) | {node.variable.text}
    for name in mentioned(node.body) | assigned(node.body):
        if name in kept:
            continue
        cell = machine.scope.find(name)
        if cell is None or not is_static(cell.value) or name in assigned(node.body):
            return False
    return True


def _data_part(
    run: Run, node: For | ForEach, loop: Range, execute: Execute, restore: Callable[[], None]
) -> dict[str, np.ndarray]:
    """Values at the beginning of every iteration of the variables that depend on nothing but data."""
    machine = run.machine
    if machine.mask is not None or any(isinstance(at, Return | BreakStatement) for at in nodes(node.body)):
        return {}
    known = data_variables(machine, node.body, loop.variable)
    carried = [name for name in changed_names(node.body) if name in known and machine.scope.find(name) is not None]
    body = pruned(node.body, known)
    if not carried or body is None:
        return {}
    context = machine.context.iterations(loop.counts)
    cells = [machine.find(name) for name in carried]
    if any(isinstance(cell.value, tuple) or cell.owner.loop is not machine.context.loop for cell in cells):
        return {}
    shapes = [_element_shape(cell) for cell in cells]
    if sum(context.size * int(np.prod(shape)) for shape in shapes) > MOST_CARRIED:
        return {}
    starts = {
        cell.name: np.zeros((context.size, *shape), np.asarray(array_of(cell.value)).dtype)
        for cell, shape in zip(cells, shapes, strict=True)
    }
    first = np.cumsum(loop.counts) - loop.counts

    def record(number: int, part: Context, active: np.ndarray) -> None:
        for name in carried:
            value = machine.find(name).value
            starts[name][first[active] + number] = lift(value, part)

    outer_mask, watched, print_line = machine.mask, machine.watched, run.print_line
    try:
        machine.watched, run.print_line = frozenset(), None
        run_sequentially(run, replace(node, body=body), loop, execute, record)
    except (ConflictError, RaggedError, UntraceableError):
        return {}
    finally:
        machine.mask, machine.watched, run.print_line = outer_mask, watched, print_line
        restore()
    return starts


def _element_shape(cell: Cell) -> tuple[int, ...]:
    shape = np.shape(array_of(cell.value))
    return shape[1:] if isinstance(cell.value, Lanes) else shape
