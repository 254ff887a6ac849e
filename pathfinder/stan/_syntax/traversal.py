"""Which variables a piece of program reads and assigns, and whether it leaves its loop or function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from pathfinder.stan._syntax.tree import (
    ArrayLiteral,
    Assignment,
    Binary,
    Break,
    Call,
    Conditional,
    Continue,
    Declaration,
    Expression,
    For,
    ForEach,
    Index,
    Node,
    Return,
    RowVectorLiteral,
    Slice,
    Statement,
    Transpose,
    TupleElement,
    TupleLiteral,
    Unary,
    Variable,
    While,
)


def nodes(node: Any) -> Iterator[Node]:
    """A node and all that is inside of it."""
    stack: list[Any] = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, tuple):
            stack.extend(reversed(at))
        elif isinstance(at, Node):
            yield at
            stack.extend(getattr(at, field.name) for field in reversed(fields(at)) if field.name != "span")
        elif is_dataclass(at):  # bounds, types and truncations are no nodes
            stack.extend(getattr(at, field.name) for field in reversed(fields(at)))


def target_name(target: Expression) -> Iterator[str]:
    """Names of the variables that an assignment changes."""
    if isinstance(target, TupleLiteral):
        for element in target.elements:
            yield from target_name(element)
        return
    while isinstance(target, Index | TupleElement):
        target = target.base
    if isinstance(target, Variable):
        yield target.name


def assigned(statement: Statement) -> frozenset[str]:
    """Names that a statement assigns to, those it declares included."""
    found: set[str] = set()
    for node in nodes(statement):
        if isinstance(node, Assignment):
            found.update(target_name(node.target))
        elif isinstance(node, Declaration):
            found.add(node.name.text)
    return frozenset(found)


def mentioned(node: Any) -> frozenset[str]:
    """Names of the variables that appear in a piece of program, those only assigned to included."""
    return frozenset(at.name for at in nodes(node) if isinstance(at, Variable))


def leaves(statement: Statement) -> bool:
    """Whether a statement contains `return`, or a `break` or `continue` of a loop around it."""
    return _leaves(statement, inside_loop=False)


def _leaves(node: Any, inside_loop: bool) -> bool:
    if isinstance(node, Return):
        return True
    if isinstance(node, Break | Continue):
        return not inside_loop
    if isinstance(node, tuple):
        return any(_leaves(element, inside_loop) for element in node)
    if isinstance(node, Node):
        inside = inside_loop or isinstance(node, For | ForEach | While)
        return any(_leaves(getattr(node, field.name), inside) for field in fields(node) if field.name in _BODIES)
    return False


_BODIES = ("statements", "body", "if_true", "if_false")


SIZE_FUNCTIONS = ("size", "num_elements", "rows", "cols", "dims")


def children(node: Expression | Slice) -> tuple[Expression | Slice, ...]:
    """The parts of an expression, from left to right."""
    match node:
        case Binary():
            return node.left, node.right
        case Unary() | Transpose():
            return (node.operand,)
        case Conditional():
            return node.condition, node.if_true, node.if_false
        case Call():
            return node.arguments
        case ArrayLiteral() | RowVectorLiteral() | TupleLiteral():
            return node.elements
        case Index():
            return node.base, *node.indices
        case TupleElement():
            return (node.base,)
        case Slice():
            return tuple(end for end in (node.lower, node.upper) if end is not None)
    return ()


def variables_read(expression: Expression) -> Iterator[Variable]:
    """The variables in an expression whose values it needs, from left to right; asking for a size needs none."""
    rest: list[Expression | Slice] = [expression]
    while rest:
        node = rest.pop()
        if isinstance(node, Variable):
            yield node
        if not (isinstance(node, Call) and node.function.text in SIZE_FUNCTIONS):
            rest.extend(reversed(children(node)))
