"""Statements and bodies of functions.

A block is run with what comes after it, so that a condition that differs between lanes (or depends on parameters) and
leaves by `return`, `break` or `continue` can be followed to the end in each of its branches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax.core import Tracer

from pathfinder.stan._expressions.alternatives import distributed
from pathfinder.stan._expressions.argument_checks import check_arguments
from pathfinder.stan._expressions.distribution_calls import distribution_value
from pathfinder.stan._expressions.expressions import evaluate
from pathfinder.stan._loops import strategy
from pathfinder.stan._state.errors import NotFiniteError, StanRejectError, UntraceableError
from pathfinder.stan._state.run import Run, as_type
from pathfinder.stan._state.steering import LeaveFunction, LeaveIteration, LeaveLoop, Then, nothing
from pathfinder.stan._state.variables import Scope
from pathfinder.stan._statements import branches
from pathfinder.stan._statements.assignments import assign
from pathfinder.stan._statements.declarations import declare
from pathfinder.stan._statements.print_statements import execute_print, message
from pathfinder.stan._statements.truncation import truncated_value
from pathfinder.stan._syntax.traversal import leaves
from pathfinder.stan._syntax.tree import (
    Assignment,
    Block,
    Break,
    CallStatement,
    Continue,
    Declaration,
    FatalError,
    For,
    ForEach,
    FunctionDefinition,
    If,
    JacobianIncrement,
    Print,
    Profile,
    Reject,
    Return,
    Sampling,
    Skip,
    Statement,
    TargetIncrement,
    While,
)
from pathfinder.stan._types.types import declared_type
from pathfinder.stan._values.value import Value


def execute(run: Run, statement: Statement, then: Then = nothing) -> None:
    """Run a statement and what comes after it."""
    if isinstance(statement, If):
        branches.execute_if(run, statement, execute, then)
    elif isinstance(statement, Block):
        _block(run, statement, then)
    elif isinstance(statement, Profile):
        _block(run, statement.body, then)
    elif isinstance(statement, For | ForEach | While):
        _loop(run, statement, then)
    else:
        with run.at(statement):
            _EXECUTE[type(statement)](run, statement)
        then()


def _loop(run: Run, statement: For | ForEach | While, then: Then) -> None:
    """A loop, and what comes after it for the lanes that have not returned from inside of it."""
    machine = run.machine
    frame, conditions = machine.frame, machine.conditions
    before = len(frame.returns[-1].values) if frame.returns else 0
    if isinstance(statement, While):
        strategy.execute_while(run, statement, execute)
    else:
        strategy.execute_for(run, statement, execute)
    returned = frame.returns[-1].values[before:] if frame.returns else ()
    if not returned:
        then()
        return
    gone = [where.lane_of(frame.context) for where, mask, _ in returned if mask is frame.mask]
    left = np.setdiff1d(np.arange(frame.context.size), np.concatenate([*gone, np.zeros(0, np.int64)]))
    if not len(left):
        return
    part = frame.context if len(left) == frame.context.size else frame.context.part(left)
    rest = frame.mask
    for _, mask, _ in returned:
        if mask is not frame.mask:
            rest = conditions.both(rest, conditions.negation(mask))
    with machine.masked(rest), machine.within(part):
        branches.branch(run, then)


def execute_all(run: Run, statements: Sequence[Statement], then: Then = nothing) -> None:
    """Run statements in the present scope, one after another."""
    for position, statement in enumerate(statements):
        if isinstance(statement, If | Block | Profile | For | ForEach | While) and run.remembered(leaves, statement):
            rest = statements[position + 1 :]
            execute(run, statement, lambda rest=rest: execute_all(run, rest, then))
            return
        execute(run, statement)
    then()


def _block(run: Run, block: Block, then: Then) -> None:
    if not run.remembered(_declares, block):
        execute_all(run, block.statements, then)
        return
    outer = run.machine.frame.scope

    def after():
        with run.machine.nested(outer):
            then()

    with run.machine.nested():
        execute_all(run, block.statements, after)


def _declares(block: Block) -> bool:
    return any(isinstance(statement, Declaration) for statement in block.statements)


def call_user(run: Run, definition: FunctionDefinition, values: list[Value]) -> Value:
    """The value of a user's function, its body evaluated in place."""
    machine = run.machine
    body = definition.body
    assert body is not None
    scope = Scope()
    with machine.nested(scope):
        for argument, value in zip(definition.arguments, values, strict=True):
            if argument.type.base == "function":
                continue
            type_ = declared_type(argument.type)
            machine.variables.declare(argument.name.text, type_, as_type(type_, value))
        try:
            return branches.returned(run, definition, lambda: execute(run, body))
        except RecursionError as error:
            if machine.frame.returns:
                raise  # the outermost call tells
            raise UntraceableError(
                f"`{definition.name.text}` calls itself too many times; what ends a recursion has to be known from the "
                "data, and after fewer than some fifty calls",
                definition.name.span,
            ) from error


def _sampling(run: Run, node: Sampling) -> None:
    definition = run.checked.definition(node)
    expressions = (node.outcome, *node.arguments)
    values = [evaluate(run, expression) for expression in expressions]
    distributed(run, lambda given: _sample(run, node, definition, list(given)), values)


def _sample(run: Run, node: Sampling, definition: FunctionDefinition | None, values: list[Value]) -> None:
    types = [run.type_of(expression) for expression in (node.outcome, *node.arguments)]
    if node.truncation is not None:
        value = truncated_value(run, node, types, values)
    elif definition is not None:
        value = run.call_user(run, definition, values)
    else:
        with run.at(node):
            check_arguments(run, node.distribution.text, values, node)
            value = distribution_value(run, node.distribution.text, "lupdf", types, values)
    _increment(run, node, value)


def _increment(run: Run, node: Statement, value: Value) -> None:
    machine, frame = run.machine, run.machine.frame
    machine.target.increment(value)
    if run.on_data and not isinstance(frame.target, Tracer) and not np.isfinite(frame.target):
        raise NotFiniteError(f"It becomes {float(frame.target)} here", node.span)


def _target_increment(run: Run, node: TargetIncrement) -> None:
    distributed(
        run, lambda given: _increment(run, node, run.machine.conditions.gate(given[0])), [evaluate(run, node.value)]
    )


def _jacobian_increment(run: Run, node: JacobianIncrement) -> None:
    value = evaluate(run, node.value)
    if run.jacobian:
        _increment(run, node, value)


def _call_statement(run: Run, node: CallStatement) -> None:
    evaluate(run, node.call)


def _return(run: Run, node: Return) -> None:
    raise LeaveFunction(None if node.value is None else evaluate(run, node.value))


def _break(run: Run, node: Break) -> None:
    raise LeaveLoop


def _continue(run: Run, node: Continue) -> None:
    raise LeaveIteration


def _reject(run: Run, node: Reject | FatalError) -> None:
    machine, frame = run.machine, run.machine.frame
    if frame.mask is None and run.on_data:
        raise StanRejectError(message(run, node.arguments), node.span, said=True)
    if frame.context.size:
        machine.target.require(False)


_EXECUTE: dict[type, Callable[[Run, Any], Any]] = {
    Declaration: declare,
    Assignment: assign,
    Sampling: _sampling,
    TargetIncrement: _target_increment,
    JacobianIncrement: _jacobian_increment,
    CallStatement: _call_statement,
    Print: execute_print,
    Reject: _reject,
    FatalError: _reject,
    Return: _return,
    Break: _break,
    Continue: _continue,
    Skip: lambda run, node: None,
}
