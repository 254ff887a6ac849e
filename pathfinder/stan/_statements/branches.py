"""Conditions: decided by the data where they can be, lane by lane, or by running both branches and selecting.

Where a condition depends on parameters, both branches run; what each assigns, adds and returns counts where its side
of the condition holds, and no gradient flows through the side that was not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pathfinder.stan._expressions.alternatives import selected
from pathfinder.stan._expressions.expressions import evaluate
from pathfinder.stan._state.run import Execute, Run, as_type
from pathfinder.stan._state.steering import Leave, LeaveFunction, LeaveIteration, LeaveLoop, Returns, Then, nothing
from pathfinder.stan._state.variables import Cell
from pathfinder.stan._syntax.traversal import leaves
from pathfinder.stan._syntax.tree import FunctionDefinition, If, Statement
from pathfinder.stan._types.types import declared_type
from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.indices import RaggedError
from pathfinder.stan._values.lanes import Lanes, array_of, is_static, lift
from pathfinder.stan._values.uneven import element_shape
from pathfinder.stan._values.value import Value


def execute_if(run: Run, node: If, execute: Execute, then: Then) -> None:
    """`if (c) ... else ...` and what comes after it."""
    machine, frame = run.machine, run.machine.frame
    condition = evaluate(run, node.condition)
    sides = (node.if_true, node.if_false)
    truth: Any = None
    if isinstance(condition, int | np.integer | np.floating):
        chosen = sides[0 if condition else 1]
        if chosen is None:
            then()
        else:
            execute(run, chosen, then)
        return
    if is_static(condition):
        truth = np.asarray(array_of(condition)) != 0
        if truth.ndim:
            truth = lift(Lanes(truth, condition.context), frame.context)
        if np.all(truth) or not np.any(truth):
            chosen = sides[0 if truth.size and np.ravel(truth)[0] else 1]
            if chosen is None:
                then()
            else:
                execute(run, chosen, then)
            return
    inside, after = (then, nothing) if run.remembered(leaves, node) else (nothing, then)
    if is_static(condition):
        for lanes, side in zip((np.flatnonzero(truth), np.flatnonzero(~truth)), sides, strict=True):
            with machine.within(frame.context.part(lanes)):
                _side(run, side, execute, inside)
    else:
        conditions = machine.conditions
        for holds, side in zip((conditions.truth(condition), conditions.negation(condition)), sides, strict=True):
            if side is not None or inside is not nothing:
                with machine.where(holds):
                    _side(run, side, execute, inside)
    after()


def _side(run: Run, side: Statement | None, execute: Execute, then: Then) -> None:
    branch(run, then if side is None else lambda: execute(run, side, then))


def branch(run: Run, body: Callable[[], None]) -> None:
    """Run something for some of the lanes; if they leave, the others go on."""
    try:
        body()
    except Leave as leave:
        leave_here(run, leave)


def leave_here(run: Run, leave: Leave) -> None:
    """Some lanes leave; the others go on."""
    frame = run.machine.frame
    if isinstance(leave, LeaveIteration):
        return
    if isinstance(leave, LeaveLoop):
        frame.leave_loop()
        return
    assert isinstance(leave, LeaveFunction)
    frame.leave_function(leave.value)


def returned(run: Run, definition: FunctionDefinition, body: Callable[[], None]) -> Value:
    """What a function returns, put together from its branches."""
    frame = run.machine.frame
    with frame.changed("returns", (*frame.returns, Returns(len(frame.broken)))):
        try:
            body()
        except LeaveFunction as leave:
            frame.leave_function(leave.value)
        returns = frame.returns[-1]
    if definition.return_type is None or not returns.values:
        return None
    type_ = declared_type(definition.return_type)
    values = [(context, mask, as_type(type_, value)) for context, mask, value in returns.values]
    if len(values) == 1:
        return values[0][2]
    return _joined(run, type_, values)


def _joined(run: Run, type_: Any, values: Sequence[tuple[Context, Value | None, Value]]) -> Value:
    machine, frame = run.machine, run.machine.frame
    if any(element_shape(part) != element_shape(values[0][2]) for _, _, part in values if not isinstance(part, tuple)):
        return _of_different_sizes(run, values)
    cell = Cell("", type_, _blank(values[0][2]), frame.context)
    outer = frame.mask
    for context, mask, value in values:
        with machine.masked(None if mask is outer else mask), machine.within(context):
            machine.variables.assign(cell, (), value)
    return cell.value


def _of_different_sizes(run: Run, values: Sequence[tuple[Context, Value | None, Value]]) -> Value:
    """Values returned under conditions, of which each holds where those before it do not."""
    frame = run.machine.frame
    if any(context is not frame.context for context, _, _ in values):
        kinds = np.zeros(frame.context.size, np.int64)
        for kind, (context, _, _) in enumerate(values):
            kinds[context.lane_of(frame.context)] = kind
        raise RaggedError(frame.context, kinds)
    result = values[-1][2]
    for _, mask, value in reversed(values[:-1]):
        result = selected(run, mask, value, result)
    return result


def _blank(value: Value) -> Value:
    """Zeros like one lane of a value."""
    if isinstance(value, tuple):
        return tuple(map(_blank, value))
    array = array_of(value)
    shape = np.shape(array)[1:] if isinstance(value, Lanes) else np.shape(array)
    dtype = array.dtype if hasattr(array, "dtype") else np.asarray(array).dtype
    return np.zeros(shape, np.dtype(dtype))[()]
