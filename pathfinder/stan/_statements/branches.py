"""Conditions: decided by the data where they can be, lane by lane, or by running both branches and selecting.

Where a condition depends on parameters, both branches run; what each assigns, adds and returns counts where its side
of the condition holds, and no gradient flows through the side that was not taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pathfinder.stan._expressions.alternatives import selected
from pathfinder.stan._expressions.expressions import evaluate
from pathfinder.stan._state.leaving import Break, Continue, Leave, Return, Then, nothing
from pathfinder.stan._state.run import Execute, Run, as_type
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
    machine = run.machine
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
            truth = lift(Lanes(truth, condition.context), machine.context)
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
            with machine.within(machine.context.part(lanes)):
                _side(run, side, execute, inside)
    else:
        for holds, side in zip((machine.truth(condition), machine.negation(condition)), sides, strict=True):
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
    machine = run.machine
    if isinstance(leave, Continue):
        return
    if isinstance(leave, Break):
        run.broken[-1].append((machine.context, machine.mask))
        return
    assert isinstance(leave, Return)
    for broken in run.broken[run.returns[-1].loops :]:
        broken.append((machine.context, machine.mask))
    run.returns[-1].values.append((machine.context, machine.mask, leave.value))


def returned(run: Run, definition: FunctionDefinition, body: Callable[[], None]) -> Value:
    """What a function returns, put together from its branches."""
    machine = run.machine
    run.returns.append(Returns(len(run.broken)))
    try:
        body()
    except Return as leave:
        run.returns[-1].values.append((machine.context, machine.mask, leave.value))
    finally:
        returns = run.returns.pop()
    if definition.return_type is None or not returns.values:
        return None
    type_ = declared_type(definition.return_type)
    values = [(context, mask, as_type(type_, value)) for context, mask, value in returns.values]
    if len(values) == 1:
        return values[0][2]
    return _joined(run, type_, values)


def _joined(run: Run, type_: Any, values: list[tuple[Context, Value | None, Value]]) -> Value:
    machine = run.machine
    if any(element_shape(part) != element_shape(values[0][2]) for _, _, part in values if not isinstance(part, tuple)):
        return _of_different_sizes(run, values)
    cell = Cell("", type_, _blank(values[0][2]), machine.context)
    outer = machine.mask
    for context, mask, value in values:
        machine.mask = None if mask is outer else mask
        with machine.within(context):
            machine.assign(cell, (), value)
    machine.mask = outer
    return cell.value


def _of_different_sizes(run: Run, values: list[tuple[Context, Value | None, Value]]) -> Value:
    """Values returned under conditions, of which each holds where those before it do not."""
    machine = run.machine
    if any(context is not machine.context for context, _, _ in values):
        kinds = np.zeros(machine.context.size, np.int64)
        for kind, (context, _, _) in enumerate(values):
            kinds[context.lane_of(machine.context)] = kind
        raise RaggedError(machine.context, kinds)
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


class Returns:
    """What the branches of a function under way have returned.

    Args:
        loops: Number of loops around the call.
    """

    def __init__(self, loops: int) -> None:
        self.loops = loops
        self.values: list[tuple[Context, Value | None, Value]] = []
