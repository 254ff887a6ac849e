"""Loops: iterations side by side where they do not depend on each other, else one after another.

What can be decided beforehand is decided by `planned`. Then the ways are tried from the fastest on: lanes; lanes after
the part that is known from the data has run on the host; all of it on the host, if it is known from the data;
`lax.scan`; unrolled, if there are few iterations. What a try has changed is put back before the next one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pathfinder.stan._expressions.alternatives import Alternatives, distributed
from pathfinder.stan._expressions.expressions import evaluate
from pathfinder.stan._loops.data_part import all_data, begun_iterations, data_part, on_host
from pathfinder.stan._loops.one_by_one import drop_broken, run_body, run_part, run_sequentially
from pathfinder.stan._loops.plan import LoopFacts, planned
from pathfinder.stan._loops.program_slice import departures
from pathfinder.stan._loops.range import DataPart, Range, range_of
from pathfinder.stan._loops.scan import execute_scan
from pathfinder.stan._loops.side_by_side import try_lanes
from pathfinder.stan._state.errors import UntraceableError
from pathfinder.stan._state.report import LoopReport
from pathfinder.stan._state.run import Execute, Run
from pathfinder.stan._state.steering import ScanError, nothing
from pathfinder.stan._state.variables import OutsideWindowError
from pathfinder.stan._statements.branches import branch
from pathfinder.stan._syntax.traversal import assigned, leaves, nodes
from pathfinder.stan._syntax.tree import (
    Break,
    For,
    ForEach,
    Identifier,
    IntLiteral,
    Return,
    Statement,
    While,
)
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import RaggedError, UnknownSizeError
from pathfinder.stan._values.lanes import Lanes, is_static, lift
from pathfinder.stan._values.value import Value


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
    loop = range_of(run, node, container)
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


def _execute(run: Run, node: For | ForEach, loop: Range, execute: Execute, leaving: str) -> None:
    """Run iterations in the fastest way that works; `leaving` is how the loop may be left, if it may."""
    total = int(np.sum(loop.counts))
    if not total:
        return
    is_data = all_data(run, node.body, loop.variable, is_known=loop.is_known)
    plan = planned(LoopFacts(total, loop.most, leaving, is_data), run.loops)
    restore = run.machine.snapshot(loop.names)
    known, reason = DataPart({}, {}), plan.no_lanes
    if "lanes" in plan.ways:
        conflict = try_lanes(run, node, loop, execute, {}, restore)
        if conflict is None:
            _report(run, node, loop.counts, "lanes")
            return
        reason = conflict
    if plan.data_first:
        known = data_part(run, node, loop, execute, restore)
        if known.starts and "lanes" in plan.ways:
            conflict = try_lanes(run, node, loop, execute, known.starts, restore)
            if conflict is None:
                _report(run, node, loop.counts, "lanes", "what is known from the data is computed beforehand")
                return
            reason = conflict
    if "data" in plan.ways:
        run_sequentially(run, node, loop, execute)
        _report(run, node, loop.counts, "data", reason)
        return
    no_scan = plan.no_scan
    if "scan" in plan.ways:
        try:
            execute_scan(run, node, loop, execute, known)
            _report(run, node, loop.counts, "scan", reason)
            return
        except (ScanError, OutsideWindowError, RaggedError, UnknownSizeError, UntraceableError) as error:
            restore()
            no_scan = _message(error)
            if "unrolled" not in plan.ways:
                raise UntraceableError(
                    f"this loop of {loop.most} iterations cannot be compiled: its iterations cannot run side by side "
                    f"({reason}), nor one after another in JAX ({no_scan})",
                    node.span,
                ) from error
    run_sequentially(run, node, loop, execute)
    _report(run, node, loop.counts, "unrolled", f"{reason}; not a scan: {no_scan}" if no_scan else reason)


def _message(error: Exception) -> str:
    return error.diagnostic.message if isinstance(error, UntraceableError) else str(error)


def _report(run: Run, node: Statement, counts: np.ndarray, how: str, reason: str = "") -> None:
    """Tell how a loop ran, of `counts` iterations in the lanes around it."""
    fewest, most = int(np.min(counts)), int(np.max(counts))
    run.reports[node.span] = LoopReport(node.span.line, fewest, most, len(counts), how, reason)


def _why_left(node: For | ForEach) -> str:
    """How a loop may be left before its end."""
    for inner in nodes(node.body):
        if isinstance(inner, Return):
            return "it contains `return`"
        if isinstance(inner, Break) and leaves(node.body):
            return "it contains `break`"
    return ""


def _single(run: Run, node: For | ForEach, loop: Range, execute: Execute) -> None:
    """A loop of one iteration in every lane."""
    with run.machine.nested():
        lower = loop.lower
        index = int(lower[0]) if np.all(lower == lower[0]) else Lanes(lower, run.machine.frame.context)
        run.machine.variables.declare(loop.variable, loop.type, loop.element(index))
        run_body(run, node, execute)


def execute_while(run: Run, node: While, execute: Execute) -> None:
    """A `while` loop, whose condition has to be known from the data."""
    machine, frame = run.machine, run.machine.frame
    body = departures(machine, node.body, "", node.condition) if frame.mask is None and not run.on_data else None
    if body is None or all_data(run, node.body):
        _report(run, node, _while(run, node, execute), "unrolled", "it is a `while` loop")
        return
    begun = np.zeros(frame.context.size, np.int64)

    def record(number: int, part: Context, active: np.ndarray) -> None:
        begun[active] = number + 1

    names = assigned(node.body)
    if not on_host(run, lambda: _while(run, replace(node, body=body), execute, record), run.machine.snapshot(names)):
        _report(run, node, _while(run, node, execute), "unrolled", "it is a `while` loop")
        return
    # the iterations are known, and are those of a loop over their numbers
    ends = (IntLiteral(1, span=node.span), IntLiteral(1, span=node.span))
    counted = For(Identifier("", span=node.span), *ends, node.body, span=node.span)
    loop = Range("", _INT, np.ones(frame.context.size, np.int64), begun, lambda index: index, names)
    _execute_begun(run, counted, loop, execute, leaves(node.body))


def _while(run: Run, node: While, execute: Execute, before: Any = nothing) -> np.ndarray:
    """Run the iterations of a `while` loop one after another; gives their number in each lane."""
    machine, frame = run.machine, run.machine.frame
    context = frame.context
    active = np.arange(context.size)
    number, counts = 0, np.zeros(context.size, np.int64)
    with machine.leavable():
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
    return counts
