"""Text of expressions and types, with the fewest parentheses that keep their meaning."""

from collections.abc import Iterable

from pathfinder.stan._syntax.operators import (
    ADDITIVE,
    ANY,
    BINARY_POWER,
    CONDITIONAL,
    POSTFIX_POWER,
    PREFIX_POWER,
    operand_powers,
)
from pathfinder.stan._syntax.tree import (
    ArrayLiteral,
    Binary,
    Bounds,
    Call,
    Conditional,
    Expression,
    ImaginaryLiteral,
    Index,
    IntLiteral,
    RealLiteral,
    RowVectorLiteral,
    SizedType,
    Slice,
    StringLiteral,
    TargetValue,
    Transpose,
    TupleElement,
    TupleLiteral,
    Unary,
    UnsizedType,
    Variable,
)


def print_expression(node: Expression | StringLiteral | Slice, power: int = ANY) -> str:
    """The text of an expression, in parentheses if it binds less tightly than `power`."""
    match node:
        case Binary():
            own, text = BINARY_POWER[node.operator], _binary(node)
        case Conditional(condition, if_true, if_false):
            own = CONDITIONAL
            test = print_expression(condition, CONDITIONAL + 1)
            text = f"{test} ? {print_expression(if_true)} : {print_expression(if_false, CONDITIONAL)}"
        case Unary(operator, operand):
            own, text = PREFIX_POWER, operator + print_expression(operand, PREFIX_POWER)
        case _:
            return _tight(node)
    return text if own >= power else f"({text})"


def _binary(node: Binary) -> str:
    """A chain that leans to the left may be longer than Python's stack, so it is followed in a loop."""
    power = BINARY_POWER[node.operator]
    parts: list[str] = []
    left: Expression = node
    while isinstance(left, Binary) and BINARY_POWER[left.operator] >= power:
        left_power, right_power = operand_powers(left.operator)
        parts.append(f" {left.operator} {print_expression(left.right, right_power)}")
        left, power = left.left, left_power
    return "".join([print_expression(left, power), *reversed(parts)])


def _tight(node: Expression | StringLiteral | Slice) -> str:
    """An expression that never needs parentheses."""
    match node:
        case IntLiteral(value):
            return str(value)
        case RealLiteral(text):
            return text
        case ImaginaryLiteral(text):
            return f"{text}i"
        case StringLiteral(text):
            return f'"{text}"'
        case Variable(name):
            return name
        case TargetValue():
            return "target()"
        case Call(function, arguments, conditional):
            if not conditional:
                return f"{function.text}({_listed(arguments)})"
            return f"{function.text}({print_expression(arguments[0])} | {_listed(arguments[1:])})"
        case ArrayLiteral(elements):
            return f"{{{_listed(elements)}}}"
        case RowVectorLiteral(elements):
            return f"[{_listed(elements)}]"
        case TupleLiteral(elements):
            return f"({_separated([print_expression(element) for element in elements])})"
        case Transpose(operand):
            return f"{print_expression(operand, POSTFIX_POWER)}'"
        case Index(base, indices):
            return f"{_with_parts(base)}[{_listed(indices)}]"
        case TupleElement(base, position):
            return f"{_with_parts(base)}.{position}"
        case Slice(lower, upper):
            return ":".join("" if end is None else print_expression(end) for end in (lower, upper))
    raise TypeError(f"{type(node).__name__} is no expression")


def _with_parts(node: Expression) -> str:
    """What parts are taken of: `x'[1]` is no expression, and `1.2` is a number."""
    if isinstance(node, Transpose | IntLiteral):
        return f"({print_expression(node)})"
    return print_expression(node, POSTFIX_POWER)


def _listed(nodes: Iterable[Expression | Slice]) -> str:
    return ", ".join(print_expression(node) for node in nodes)


def _separated(elements: list[str]) -> str:
    """The elements of a tuple, or their types."""
    return f"{elements[0]}," if len(elements) == 1 else ", ".join(elements)


def print_sized_type(node: SizedType) -> str:
    """The text of a variable's type."""
    array = f"array[{_listed(node.dims)}] " if node.dims else ""
    if node.base == "tuple":
        return f"{array}tuple({_separated([print_sized_type(element) for element in node.elements])})"
    sizes = f"[{_listed(node.sizes)}]" if node.sizes else ""
    return f"{array}{node.base}{_bounds(node.bounds)}{sizes}"


def print_constraint(node: SizedType) -> str:
    """What a variable's type demands: its bounds such as `lower=0`, or the name of the type."""
    return _bounds(node.bounds)[1:-1] or node.base


def _bounds(node: Bounds | None) -> str:
    if node is None:
        return ""
    ends = ((name, getattr(node, name)) for name in ("lower", "upper", "offset", "multiplier"))
    written = (f"{name}={print_expression(value, ADDITIVE)}" for name, value in ends if value is not None)
    return f"<{', '.join(written)}>"


def print_unsized_type(node: UnsizedType) -> str:
    """The text of the type of an argument or a result."""
    array = f"array[{',' * (node.dims - 1)}] " if node.dims else ""
    if node.base == "tuple":
        return f"{array}tuple({_separated([print_unsized_type(element) for element in node.elements])})"
    return f"{array}{node.base}"
