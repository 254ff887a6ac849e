"""Loops: iterations side by side where they do not depend on each other, else one after another.

The ways are tried from the fastest on: lanes; lanes after the part that is known from the data has run on the host; all
of it on the host, if it is known from the data; `lax.scan`; unrolled, if there are few iterations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pathfinder.stan._expressions.alternatives import Alternatives, distributed
from pathfinder.stan._expressions.calls import call_library
from pathfinder.stan._expressions.expressions import evaluate, read_variable, symbolic
from pathfinder.stan._library.functions import OPERATORS
from pathfinder.stan._loops.data_part import all_data, begun_iterations, data_part, on_host
from pathfinder.stan._loops.one_by_one import drop_broken, run_body, run_part, run_sequentially
from pathfinder.stan._loops.program_slice import departures
from pathfinder.stan._loops.range import DataPart, Range
from pathfinder.stan._loops.scan import ScanError, execute_scan
from pathfinder.stan._loops.side_by_side import try_lanes
from pathfinder.stan._state.errors import UntraceableError
from pathfinder.stan._state.leaving import nothing
from pathfinder.stan._state.report import LoopReport
from pathfinder.stan._state.run import Execute, Run, here
from pathfinder.stan._state.variables import OutsideWindowError
from pathfinder.stan._statements.branches import branch
from pathfinder.stan._syntax.traversal import assigned, leaves, nodes
from pathfinder.stan._syntax.tree import Break as BreakStatement
from pathfinder.stan._syntax.tree import (
    For,
    ForEach,
    Identifier,
    IntLiteral,
    Return,
    Statement,
    Variable,
    While,
)
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import At, RaggedError, UnknownSizeError
from pathfinder.stan._values.lanes import Lanes, array_of, is_static, lift
from pathfinder.stan._values.reading import read
from pathfinder.stan._values.steps import Step, settle
from pathfinder.stan._values.uneven import UnevenArray
from pathfinder.stan._values.value import Value


MOST_UNROLLED = 24
_SWITCHED_OFF = "it is switched off"
_MOST_LANES = 30_000_000  # of a loop on data: an array of them takes 240 MB
_INT = Type("int")


def execute_for(run: Run, node: For | ForEach, execute: Execute) -> None:
    """A `for` loop over a range or a container."""
    if isinstance(node, ForEach):
        container = evaluate(run, node.container)
        if isinstance(container, Alternatives):
            distributed(run, lambda given: branch(run, lambda: _for(run, node, given[0], execute)), [container])
            return
        _for(run, node, container, execute)
        return
    _for(run, node, None, execute)


def _for(run: Run, node: For | ForEach, container: Value, execute: Execute) -> None:
    loop = _range(run, node, container)
    if not np.any(loop.counts > 0):
        return
    if np.all(loop.counts == 1) and loop.holds is None:
        _single(run, node, loop, execute)
        return
    leaving = _why_left(node)
    is_data = all_data(run, node.body, loop.variable, is_known=loop.is_known)
    begun = begun_iterations(run, node, loop, execute) if leaving and not is_data else None
    if begun is None:
        _execute(run, node, loop, execute, leaving)
        return
    _execute_begun(run, node, replace(loop, counts=begun), execute, is_left=True)


def _execute_begun(run: Run, node: For | ForEach, loop: Range, execute: Execute, is_left: bool) -> None:
    """Run iterations of which, if the loop is left, each lane's last one leaves it."""
    if not is_left:
        _execute(run, node, loop, execute, "")
        return
    _execute(run, node, replace(loop, counts=np.maximum(loop.counts - 1, 0)), execute, "")
    last = replace(loop, lower=loop.lower + loop.counts - 1, counts=np.minimum(loop.counts, 1))
    run_sequentially(run, node, last, execute)
    report = run.reports.get(node.span)
    if report is not None:
        told = {"fewest": int(np.min(loop.counts)), "iterations": int(np.max(loop.counts)), "lanes": len(loop.counts)}
        run.reports[node.span] = replace(report, **told)


def _execute(run: Run, node: For | ForEach, loop: Range, execute: Execute, reason: str) -> None:
    """Run iterations in the fastest way; `reason` says why not side by side, if that is known."""
    total = int(np.sum(loop.counts))
    if not total:
        return
    restore = run.snapshot(loop.names)
    is_data, known = all_data(run, node.body, loop.variable, is_known=loop.is_known), DataPart({}, {})
    if is_data and total > _MOST_LANES:
        reason = reason or "its iterations are too many to be held at once"
    if not reason:
        conflict = _side_by_side(run, node, loop, execute, {}, restore)
        if conflict is None:
            _report(run, node, loop.counts, "lanes")
            return
        reason = conflict
        known = (
            DataPart({}, {})
            if all_data(run, node.body, loop.variable, is_known=loop.is_known)
            else data_part(run, node, loop, execute, restore)
        )
        if known.starts:
            conflict = _side_by_side(run, node, loop, execute, known.starts, restore)
            if conflict is None:
                _report(run, node, loop.counts, "lanes", "what is known from the data is computed beforehand")
                return
            reason = conflict
    if is_data:
        run_sequentially(run, node, loop, execute)
        _report(run, node, loop.counts, "data", reason)
        return
    failed: Exception | None = None
    if loop.most > 2:
        try:
            if run.loops == "unrolled":
                raise ScanError(_SWITCHED_OFF)
            execute_scan(run, node, loop, execute, known)
            _report(run, node, loop.counts, "scan", reason)
            return
        except (ScanError, OutsideWindowError, RaggedError, UnknownSizeError, UntraceableError) as error:
            restore()
            failed = error
    if loop.most > MOST_UNROLLED and run.loops == "auto":
        assert failed is not None
        raise UntraceableError(
            f"this loop of {loop.most} iterations cannot be compiled: its iterations cannot run side by side "
            f"({reason}), nor one after another in JAX ({_message(failed)})",
            node.span,
        ) from failed
    run_sequentially(run, node, loop, execute)
    cause = "" if failed is None else f"; not a scan: {_message(failed)}"
    _report(run, node, loop.counts, "unrolled", f"{reason}{cause}")


def _side_by_side(
    run: Run, node: For | ForEach, loop: Range, execute: Execute, starts: dict[str, Any], restore: Callable[[], None]
) -> str | None:
    """As `try_lanes`, if that is allowed."""
    return try_lanes(run, node, loop, execute, starts, restore) if run.loops == "auto" else _SWITCHED_OFF


def _message(error: Exception) -> str:
    return error.diagnostic.message if isinstance(error, UntraceableError) else str(error)


def _range(run: Run, node: For | ForEach, container: Value) -> Range:
    machine = run.machine
    names = assigned(node.body)
    if isinstance(node, ForEach):
        return _range_of_elements(run, node, container, names)
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


def _range_of_elements(run: Run, node: ForEach, container: Value, names: frozenset[str]) -> Range:
    """Iterations over the elements of a container, those of a matrix row by row.

    As stanc3 compiles it, an element is read when its iteration begins: what the body has assigned to the container of
    a variable by then is seen. Other containers are evaluated once.
    """
    machine = run.machine
    kind = run.type_of(node.container)
    scalar = Type("complex" if kind.base.startswith("complex") else "real")

    def element(*indices: Value) -> Value:
        positions = list(map(At, indices))
        if isinstance(node.container, Variable) and node.container.name in names:
            return read_variable(run, node.container, positions)
        return read(container, positions, machine.root)

    first = container[0] if isinstance(container, tuple) else container
    shape = (len(first.elements),) if isinstance(first, UnevenArray) else np.shape(array_of(first))
    if kind.base.endswith("matrix") and not kind.dims:
        columns = shape[-1]
        count, type_ = int(np.prod(shape[-2:])), scalar

        def at(index: Value) -> Value:
            row, column = (array_of(index) - 1) // columns + 1, (array_of(index) - 1) % columns + 1
            if isinstance(index, Lanes):
                return element(Lanes(row, index.context), Lanes(column, index.context))
            return element(row, column)
    else:
        count = shape[1 if isinstance(first, Lanes) else 0]
        type_ = kind.array(-1) if kind.dims else scalar

        def at(index: Value) -> Value:
            return element(index)

    lower, counts = np.ones(machine.context.size, np.int64), np.full(machine.context.size, count)
    is_known = is_static(container)
    return Range(node.variable.text, type_, lower, counts, at, names, is_known=is_known)


def _report(run: Run, node: Statement, counts: np.ndarray, how: str, reason: str = "") -> None:
    """Tell how a loop ran, of `counts` iterations in the lanes around it."""
    fewest, most = int(np.min(counts)), int(np.max(counts))
    run.reports[node.span] = LoopReport(node.span.line, fewest, most, len(counts), how, reason)


def _why_left(node: For | ForEach) -> str:
    """How a loop may be left before its end."""
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
    body = departures(machine, node.body, "", node.condition) if machine.mask is None and not run.on_data else None
    if body is None or all_data(run, node.body):
        _report(run, node, _while(run, node, execute), "unrolled", "it is a `while` loop")
        return
    begun = np.zeros(machine.context.size, np.int64)

    def record(number: int, part: Context, active: np.ndarray) -> None:
        begun[active] = number + 1

    names = assigned(node.body)
    if not on_host(run, lambda: _while(run, replace(node, body=body), execute, record), run.snapshot(names)):
        _report(run, node, _while(run, node, execute), "unrolled", "it is a `while` loop")
        return
    # the iterations are known, and are those of a loop over their numbers
    ends = (IntLiteral(1, span=node.span), IntLiteral(1, span=node.span))
    counted = For(Identifier("", span=node.span), *ends, node.body, span=node.span)
    loop = Range("", _INT, np.ones(machine.context.size, np.int64), begun, lambda index: index, names)
    _execute_begun(run, counted, loop, execute, leaves(node.body))


def _while(run: Run, node: While, execute: Execute, before: Any = nothing) -> np.ndarray:
    """Run the iterations of a `while` loop one after another; gives their number in each lane."""
    machine = run.machine
    context, outer_mask = machine.context, machine.mask
    active = np.arange(context.size)
    run.broken.append([])
    number, counts = 0, np.zeros(context.size, np.int64)
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
            part = context if len(active) == context.size else context.part(active)
            if before is not nothing:
                before(number, part, active)
            number += 1
            counts[active] = number
            with machine.within(part), machine.nested():
                going = run_part(run, node, execute, part is context)
            if not going:
                break
            active = drop_broken(run, context, active)
    finally:
        run.broken.pop()
        machine.mask = outer_mask
    return counts
