"""The part of a loop's body that is known from the data, found in its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pathfinder.stan._state.machine import Machine
from pathfinder.stan._syntax.traversal import assigned, mentioned, nodes, target_name
from pathfinder.stan._syntax.tree import (
    Assignment,
    Block,
    Break,
    Call,
    Continue,
    Declaration,
    Expression,
    For,
    ForEach,
    If,
    Profile,
    Return,
    Statement,
    TargetValue,
    While,
)
from pathfinder.stan._values.lanes import is_static


def data_variables(machine: Machine, body: Statement, loop_variable: str, *, is_known: bool = True) -> frozenset[str]:
    """Variables that a loop's body assigns and that depend on nothing but data.

    Args:
        machine: Tells which variables outside of the loop are known from the data.
        body: The body.
        loop_variable: What the iterations differ in.
        is_known: Whether it is known from the data, as an index is and an element of a parameter is not.
    """
    assignments = list(_assignments(body, _leaving(body)))
    names = {name for name, _ in assignments}
    tainted = {name for name in names if _is_traced(machine, name)}
    if not is_known:
        tainted.add(loop_variable)
    changed = True
    while changed:
        changed = False
        for name, sources in assignments:
            if name in tainted or name == loop_variable:
                continue
            for source in sources:
                if source in tainted or source == _NOT_DATA or (source not in names and _is_traced(machine, source)):
                    tainted.add(name)
                    changed = True
                    break
    return frozenset(names - tainted)


def _is_traced(machine: Machine, name: str) -> bool:
    cell = machine.frame.scope.find(name)
    return cell is not None and not is_static(cell.value)


_NOT_DATA = "target()"


def _sources(node: object) -> frozenset[str]:
    """Names that a value depends on; random numbers and the target are no data."""
    random = any(
        isinstance(at, TargetValue) or (isinstance(at, Call) and at.function.text.endswith(("_rng", "_lp")))
        for at in nodes(node)
    )
    return mentioned(node) | ({_NOT_DATA} if random else frozenset())


def _leaving(body: Statement) -> frozenset[str]:
    """What it depends on whether an iteration is left before its end."""
    found: frozenset[str] = frozenset()
    for node in nodes(body):
        if isinstance(node, If) and any(isinstance(at, Break | Continue | Return) for at in nodes(node)):
            found |= _sources(node.condition)
    return found


def _assignments(statement: Statement | None, conditions: frozenset[str]):
    """Names assigned, each with the names that its new value depends on, conditions around it included."""
    match statement:
        case Block(statements):
            for inner in statements:
                yield from _assignments(inner, conditions)
        case Profile(body=body):
            yield from _assignments(body, conditions)
        case Declaration(name=name):
            yield name.text, conditions | _sources(statement.type) | _sources(statement.value)
        case Assignment(target=target):
            for name in target_name(target):
                yield name, conditions | _sources(target) | _sources(statement.value)
        case If():
            inside = conditions | _sources(statement.condition)
            yield from _assignments(statement.if_true, inside)
            yield from _assignments(statement.if_false, inside)
        case While():
            yield from _assignments(statement.body, conditions | _sources(statement.condition))
        case For():
            bounds = _sources(statement.lower) | _sources(statement.upper)
            yield statement.variable.text, conditions | bounds
            yield from _assignments(statement.body, conditions | bounds)
        case ForEach():
            container = _sources(statement.container)
            yield statement.variable.text, conditions | container
            yield from _assignments(statement.body, conditions | container)
        case _:
            return


def pruned(statement: Statement | None, keep: frozenset[str]) -> Statement | None:
    """What is left of a statement if only assignments to some variables are kept, and the conditions around them."""
    match statement:
        case Block(statements):
            kept = tuple(part for inner in statements if (part := pruned(inner, keep)) is not None)
            return replace(statement, statements=kept) if kept else None
        case Profile():
            return pruned(statement.body, keep)
        case Declaration(name=name):
            return statement if name.text in keep else None
        case Assignment(target=target):
            return statement if set(target_name(target)) <= keep else None
        case If():
            if_true, if_false = pruned(statement.if_true, keep), pruned(statement.if_false, keep)
            if if_true is None and if_false is None:
                return None
            return replace(statement, if_true=if_true or Block((), span=statement.span), if_false=if_false)
        case While(condition=condition) if not mentioned(condition) & assigned(statement.body) <= keep:
            return None  # it would not end
        case While() | For() | ForEach():
            body = pruned(statement.body, keep)
            return None if body is None else replace(statement, body=body)
        case Break() | Continue():
            return statement
        case Return():
            return Break(span=statement.span)
        case _:
            return None


def departures(
    machine: Machine,
    body: Statement,
    loop_variable: str,
    condition: Expression | None = None,
    *,
    is_known: bool = True,
) -> Statement | None:
    """What a loop's body does to variables known from the data, and how it leaves the loop.

    Args:
        machine: Tells which variables outside of the loop are known from the data.
        body: The body.
        loop_variable: What the iterations differ in.
        condition: That of a `while` loop.
        is_known: Whether the loop variable is known from the data.

    Returns:
        A body that does that alone; None if it depends on parameters whether the loop is left, or if a loop inside of
        it leaves both.
    """
    known = data_variables(machine, body, loop_variable, is_known=is_known)
    names = {name for name, _ in _assignments(body, frozenset())}
    if is_known:
        known |= {loop_variable}
    else:
        names.add(loop_variable)
    sources = _leaving(body) | (frozenset() if condition is None else _sources(condition))
    if any(
        name == _NOT_DATA or (name not in known and (name in names or _is_traced(machine, name))) for name in sources
    ):
        return None
    for node in nodes(body):
        if isinstance(node, For | ForEach | While) and any(isinstance(at, Return) for at in nodes(node)):
            return None
    return pruned(body, known) or Block((), span=body.span)


def changed_names(statement: Statement) -> Mapping[str, None]:
    """Names that a statement assigns to without declaring them, in the order of the text."""
    found: dict[str, None] = {}
    for node in nodes(statement):
        if isinstance(node, Assignment):
            found.update(dict.fromkeys(target_name(node.target)))
    return found
