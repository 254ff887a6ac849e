"""Expressions, by precedence climbing.

Source: Stan reference manual, "Expressions"; the grammar is that of stanc3's `src/frontend/parser.mly`.
"""

from dataclasses import replace

from pathfinder.stan._parsing.cursor import RESERVED, Cursor
from pathfinder.stan._syntax.diagnostics import StanSyntaxError
from pathfinder.stan._syntax.operators import (
    ANY,
    BINARY_POWER,
    COMPARISON,
    CONDITIONAL,
    PREFIX,
    PREFIX_POWER,
    operand_powers,
)
from pathfinder.stan._syntax.source import Span
from pathfinder.stan._syntax.tree import (
    ArrayLiteral,
    Binary,
    Call,
    Conditional,
    Expression,
    Identifier,
    ImaginaryLiteral,
    Index,
    IntLiteral,
    RealLiteral,
    RowVectorLiteral,
    Slice,
    TargetValue,
    Transpose,
    TupleElement,
    TupleLiteral,
    Unary,
    Variable,
)


MAX_INT = 2**31 - 1
CONDITIONED = ("_lpdf", "_lpmf", "_lupdf", "_lupmf", "_cdf", "_lcdf", "_lccdf")


def expression(cursor: Cursor, power: int = ANY) -> Expression:
    """An expression whose outermost operator binds at least as tightly as `power`."""
    with cursor.deeper():
        left = _prefixed(cursor)
        while True:
            if cursor.at("<-") and ANY <= power <= COMPARISON:
                cursor.split(1)  # `a<-b` where no assignment can stand
            operator = cursor.token.text
            if operator == "?" and power <= CONDITIONAL:
                left = _conditional(cursor, left)
            elif BINARY_POWER.get(operator, power - 1) < power or operator not in BINARY_POWER:
                return left
            else:
                cursor.read()
                right = expression(cursor, operand_powers(operator)[1])
                left = Binary(operator, left, right, span=left.span.through(right.span))


def _conditional(cursor: Cursor, condition: Expression) -> Expression:
    cursor.read()
    if_true = expression(cursor)
    cursor.expect(":", "between the two values of `?`")
    if_false = expression(cursor, CONDITIONAL)
    return Conditional(condition, if_true, if_false, span=condition.span.through(if_false.span))


def _prefixed(cursor: Cursor) -> Expression:
    if not cursor.at(*PREFIX):
        return _postfixed(cursor)
    operator = cursor.read()
    operand = expression(cursor, PREFIX_POWER)
    return Unary(operator.text, operand, span=operator.span.through(operand.span))


def _postfixed(cursor: Cursor) -> Expression:
    base = _primary(cursor)
    start = base.span
    transposed = False
    while True:
        if transposed and (cursor.at("[") or cursor.token.kind == "dot"):
            cursor.fail("an operator after `'`", hint="Put what is transposed into parentheses to take a part of it.")
        if cursor.accept("["):
            indices = cursor.listed(_index, "]", "after the index")
            base = Index(base, indices, span=cursor.since(start))
        elif cursor.accept("'"):
            base = Transpose(base, span=cursor.since(start))
            transposed = True
        elif cursor.token.kind == "dot":
            position = _integer(cursor, cursor.read().text[1:])
            base = TupleElement(base, position, span=cursor.since(start))
        else:
            return base


def _index(cursor: Cursor) -> Expression | Slice:
    start = cursor.token.span
    if cursor.at(",", "]"):
        return Slice(None, None, span=cursor.previous.after())
    lower = None if cursor.at(":") else expression(cursor)
    if not cursor.accept(":"):
        assert lower is not None  # nothing else than `:` was left
        return lower
    upper = None if cursor.at(",", "]") else expression(cursor)
    return Slice(lower, upper, span=cursor.since(start))


def _primary(cursor: Cursor) -> Expression:
    token = cursor.token
    span = token.span
    digits = token.text.replace("_", "")
    match token.kind:
        case "int":
            cursor.read()
            return IntLiteral(_integer(cursor, digits), span=span)
        case "real" | "dot":
            cursor.read()
            return RealLiteral(digits, span=span)
        case "imaginary":
            cursor.read()
            return ImaginaryLiteral(digits[:-1], span=span)
        case "string":
            cursor.fail("an expression", hint="Strings stand only in `print`, `reject`, `fatal_error` and `profile`.")
        case "word":
            return _named(cursor)
    if cursor.accept("{"):
        if cursor.at("}"):
            cursor.fail("an element of the array", hint="Arrays without elements cannot be written like this.")
        elements = cursor.listed(expression, "}", "after the element of the array")
        return ArrayLiteral(elements, span=cursor.since(span))
    if cursor.accept("["):
        elements = () if cursor.accept("]") else cursor.listed(expression, "]", "after the element of the row vector")
        return RowVectorLiteral(elements, span=cursor.since(span))
    if cursor.accept("("):
        return _parenthesized(cursor)
    return cursor.fail("an expression")


def _integer(cursor: Cursor, digits: str) -> int:
    digits = digits.replace("_", "").lstrip("0") or "0"
    # Python refuses to convert thousands of digits.
    if len(digits) > len(str(MAX_INT)) or int(digits) > MAX_INT:
        raise StanSyntaxError("This integer is too large.", cursor.previous, f"At most {MAX_INT} can be written.")
    return int(digits)


def _parenthesized(cursor: Cursor) -> Expression:
    opening = cursor.previous
    first = expression(cursor)
    if cursor.accept(")"):
        # The span tells `(x) = 1`, which is wrong, from `x = 1`.
        return _with_span(first, cursor, opening)
    elements = [first]
    while cursor.accept(","):
        if cursor.at(")") and len(elements) == 1:
            break
        elements.append(expression(cursor))
    cursor.close(")", "after the expression in parentheses")
    return TupleLiteral(tuple(elements), span=cursor.since(opening))


def _with_span(node: Expression, cursor: Cursor, start: Span) -> Expression:
    return replace(node, span=cursor.since(start))


def _named(cursor: Cursor) -> Expression:
    token = cursor.token
    if token.text in ("target", "get_lp"):
        return _target(cursor)
    if token.text in RESERVED:
        cursor.fail("an expression")
    name = Identifier(cursor.read().text, span=token.span)
    return call(cursor, name) if cursor.at("(") else Variable(name.text, span=name.span)


def _target(cursor: Cursor) -> Expression:
    word = cursor.read()
    cursor.expect("(", f"after `{word.text}`", hint="The log density so far is read as `target()`.")
    cursor.expect(")", f"after `{word.text}(`")
    if word.text == "get_lp":
        cursor.warn("`get_lp()` is deprecated.", cursor.since(word.span), "Write `target()`.")
    return TargetValue(span=cursor.since(word.span))


def call(cursor: Cursor, function: Identifier) -> Call:
    """The arguments of a function, and the call with them."""
    opening = cursor.expect("(", f"before the arguments of `{function.text}`")
    where = f"after the argument of `{function.text}`"
    arguments: tuple[Expression, ...] = ()
    conditional = False
    if not cursor.accept(")"):
        arguments = (expression(cursor),)
        conditional = cursor.at("|")
        if cursor.accept("|"):
            if not cursor.accept(")"):
                arguments += cursor.listed(expression, ")", where)
        elif cursor.accept(","):
            arguments += cursor.listed(expression, ")", where)
        elif not cursor.accept(")"):
            cursor.fail(f"`,`, `|` or `)` {where}", hint=_unclosed(cursor, opening.span.line))
    # As in stanc3, `f_lpdf(y)` says the same as `f_lpdf(y | )`.
    conditional |= len(arguments) == 1 and function.text.endswith(CONDITIONED)
    return Call(function, arguments, conditional, span=cursor.since(function.span))


def _unclosed(cursor: Cursor, line: int) -> str:
    return f"The `(` of line {line} is not closed." if cursor.at(";", "}") else ""
