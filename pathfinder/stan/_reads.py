"""Which variables an expression reads."""

from collections.abc import Iterator

from pathfinder.stan._syntax import (
    ArrayLiteral,
    Binary,
    Call,
    Conditional,
    Expression,
    Index,
    RowVectorLiteral,
    Slice,
    Transpose,
    TupleElement,
    TupleLiteral,
    Unary,
    Variable,
)


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
