"""Iterations one after another, those of all lanes at the same time."""

from __future__ import annotations

from typing import Any

import numpy as np

from pathfinder.stan._loops.range import Range
from pathfinder.stan._state.run import Execute, Run
from pathfinder.stan._state.steering import LeaveIteration, LeaveLoop, nothing
from pathfinder.stan._statements.branches import branch
from pathfinder.stan._syntax.tree import For, ForEach, While
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.lanes import Lanes
from pathfinder.stan._values.value import Value


def run_body(run: Run, node: For | ForEach | While, execute: Execute, condition: Value | None = None) -> bool:
    """Run the body once, where a condition holds; False if `break` ends the loop."""
    try:
        with run.machine.where(condition):
            execute(run, node.body, nothing)
    except LeaveIteration:
        return True
    except LeaveLoop:
        return False
    return True


def run_part(
    run: Run, node: For | ForEach | While, execute: Execute, is_whole: bool, condition: Value | None = None
) -> bool:
    """As `run_body`; where only some of the lanes run it, the others do not leave with them."""
    if is_whole:
        return run_body(run, node, execute, condition)
    with run.machine.where(condition):
        branch(run, lambda: execute(run, node.body, nothing))
    return True


def run_sequentially(run: Run, node: For | ForEach, loop: Range, execute: Execute, before: Any = nothing) -> None:
    """Run the iterations one after another, those of all lanes at the same time."""
    machine, frame = run.machine, run.machine.frame
    context = frame.context
    active = np.arange(context.size)
    fewest, first = int(np.min(loop.counts, initial=loop.most)), loop.first
    with machine.leavable():
        for number in range(loop.most):
            if number >= fewest:
                active = active[loop.counts[active] > number]
                if not len(active):
                    return
            part = context if len(active) == context.size else context.part(active)
            index = first + number if first is not None else Lanes(loop.lower[active] + number, part)
            with machine.within(part), machine.nested():
                if before is not nothing:
                    before(number, part, active)
                machine.variables.declare(loop.variable, loop.type, loop.element(index))
                condition = None if loop.holds is None else loop.holds(index)
                going = run_part(run, node, execute, part is context, condition)
            if not going:
                return
            active = drop_broken(run, context, active)


def drop_broken(run: Run, context: Context, active: np.ndarray) -> np.ndarray:
    """Leave out what has left the loop: lanes, or under a condition on parameters the part of the mask."""
    frame, conditions = run.machine.frame, run.machine.conditions
    if not frame.broken[-1]:
        return active
    for where, mask in frame.broken[-1]:
        if mask is frame.mask or mask is None:
            active = np.setdiff1d(active, where.lane_of(context))
        else:
            frame.mask = conditions.both(frame.mask, conditions.negation(mask))
    frame.broken = (*frame.broken[:-1], ())
    return active
