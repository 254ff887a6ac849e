"""Statements and declarations.

Source: Stan reference manual, "Statements"; the grammar is that of stanc3's `src/frontend/parser.mly`.
"""

from pathfinder.stan._parsing.cursor import CONTROL, Cursor
from pathfinder.stan._parsing.expressions import call, expression
from pathfinder.stan._parsing.types import OLD_ARRAYS, TYPE_WORDS, sized_type
from pathfinder.stan._syntax.diagnostics import StanSyntaxError, nearest
from pathfinder.stan._syntax.operators import ASSIGNMENT, STATEMENT
from pathfinder.stan._syntax.source import Span
from pathfinder.stan._syntax.tree import (
    Assignment,
    Block,
    Break,
    Call,
    CallStatement,
    Continue,
    Declaration,
    Expression,
    FatalError,
    For,
    ForEach,
    Identifier,
    If,
    Index,
    JacobianIncrement,
    Print,
    Profile,
    Reject,
    Return,
    Sampling,
    SizedType,
    Skip,
    Statement,
    StringLiteral,
    TargetIncrement,
    Truncation,
    TupleElement,
    TupleLiteral,
    Variable,
    While,
)


MESSAGES = {"print": Print, "reject": Reject, "fatal_error": FatalError}
KNOWN = (*CONTROL, *TYPE_WORDS, *MESSAGES, "profile", "target")


def statements(cursor: Cursor, *, constrained: bool = False) -> tuple[Statement, ...]:
    """Statements up to the closing brace of a block, which is stepped over."""
    found: list[Statement] = []
    while not cursor.accept("}"):
        if cursor.token.kind == "end":
            cursor.fail("a statement or `}`")
        if cursor.at(*TYPE_WORDS):
            found += declared_variables(cursor, constrained=constrained)
        else:
            found.append(statement(cursor))
    return tuple(found)


def declared_variables(cursor: Cursor, *, constrained: bool, assigned: bool = True) -> list[Declaration]:
    """The variables declared up to a semicolon; values stand only where `assigned`."""
    start = cursor.token.span
    declared = sized_type(cursor, constrained=constrained)
    found: list[Declaration] = []
    while True:
        name = cursor.new_name("a variable")
        own_type = _with_old_dims(cursor, declared, name) if cursor.at("[") else declared
        value = None
        if cursor.at("=") and not assigned:
            raise StanSyntaxError("Variables of this block cannot be given a value.", cursor.token.span)
        if cursor.accept("="):
            value = expression(cursor)
        found.append(Declaration(own_type, name, value, span=cursor.since(start)))
        if not cursor.accept(","):
            break
    cursor.expect(";", "after the declaration")
    return found


def _with_old_dims(cursor: Cursor, declared: SizedType, name: Identifier) -> SizedType:
    hint = OLD_ARRAYS.format(declared.base, name.text)
    if declared.dims:
        raise StanSyntaxError("The sizes of an array stand twice.", cursor.token.span, hint)
    cursor.read()
    dims = cursor.listed(expression, "]", "after the size of the array")
    span = cursor.since(declared.span)
    cursor.warn("Brackets behind the name of an array are deprecated.", span, hint)
    return SizedType(declared.base, dims, declared.sizes, declared.bounds, declared.elements, span=span)


def statement(cursor: Cursor) -> Statement:
    """One statement; declarations where one statement is expected are a block of their own."""
    with cursor.deeper():
        start = cursor.token.span
        match cursor.token.text:
            case ";":
                cursor.read()
                return Skip(span=start)
            case "{" if cursor.opens_block():
                return block(cursor)
            case "if":
                return _if(cursor)
            case "while":
                condition = _condition(cursor)
                body = statement(cursor)
                return While(condition, body, span=cursor.since(start))
            case "for":
                return _for(cursor)
            case "profile":
                return _profile(cursor)
            case _ if cursor.at(*TYPE_WORDS):
                declared = declared_variables(cursor, constrained=False)
                return Block(tuple(declared), span=cursor.since(start))
        found = _simple(cursor, start)
        cursor.expect(";", "after the statement")
        return found


def block(cursor: Cursor) -> Block:
    """Statements in braces."""
    opening = cursor.expect("{", "before the statements")
    inside = statements(cursor)
    return Block(inside, span=cursor.since(opening.span))


def _simple(cursor: Cursor, start: Span) -> Statement:
    """A statement that ends with a semicolon, without it."""
    word = cursor.token.text
    match word:
        case "break":
            cursor.read()
            return Break(span=start)
        case "continue":
            cursor.read()
            return Continue(span=start)
        case "return":
            cursor.read()
            value = None if cursor.at(";") else expression(cursor)
            return Return(value, span=cursor.since(start))
        case "print" | "reject" | "fatal_error":
            cursor.read()
            cursor.expect("(", f"after `{word}`")
            arguments = cursor.listed(_printed, ")", "after what is printed")
            return MESSAGES[word](arguments, span=cursor.since(start))
        case "target" | "jacobian" if cursor.ahead().text == "+=":
            cursor.read()
            cursor.read()
            value = expression(cursor)
            made = TargetIncrement if word == "target" else JacobianIncrement
            return made(value, span=cursor.since(start))
        case "increment_log_prob":
            cursor.read()
            cursor.expect("(", f"after `{word}`")
            value = expression(cursor)
            cursor.expect(")", f"after the argument of `{word}`")
            cursor.warn(f"`{word}` is deprecated.", cursor.since(start), "Write `target += ...;`.")
            return TargetIncrement(value, span=cursor.since(start))
    return _headed(cursor, start)


def _headed(cursor: Cursor, start: Span) -> Statement:
    """A statement that begins with an expression."""
    if cursor.token.kind == "word" and cursor.ahead().kind == "word":
        cursor.fail("a statement", KNOWN)  # no expression begins with two words
    if cursor.token.kind in ("end", "symbol") and not cursor.at("(", "[", "{", "-", "+", "!"):
        cursor.fail("a statement or `}`")
    head = expression(cursor, STATEMENT)
    if cursor.at(*ASSIGNMENT, "<-"):
        return _assignment(cursor, head, start)
    if cursor.accept("~"):
        return _sampling(cursor, head, start)
    if isinstance(head, Call):
        if head.conditional:
            raise StanSyntaxError("The value of this call is not used.", head.span, "Add it with `target += ...;`.")
        if not cursor.at(";"):
            hint = nearest(head.function.text, KNOWN)  # such as `whlie (c) {`
            cursor.fail("`;` after the call", hint=hint, behind_previous=not hint)
        return CallStatement(head, span=head.span)
    hint = ""
    if isinstance(head, Variable) and cursor.at("<"):
        hint = "Bounds follow only the word of a type."
    return cursor.fail("an assignment or `~` after the expression", hint=hint)


def _assignment(cursor: Cursor, target: Expression, start: Span) -> Assignment:
    _check_assignable(target)
    operator = cursor.read()
    if operator.text == "<-":
        cursor.warn("`<-` is deprecated.", operator.span, "Write `=`.")
    value = expression(cursor)
    text = "=" if operator.text == "<-" else operator.text
    return Assignment(target, text, value, span=cursor.since(start))


def _check_assignable(target: Expression) -> None:
    parts = target.elements if isinstance(target, TupleLiteral) else ()
    for part in parts:
        _check_assignable(part)
    base = target
    while isinstance(base, Index | TupleElement) and not base.span.text.startswith("("):
        base = base.base
    # Parentheses are not in the tree, but in its spans.
    if not parts and (not isinstance(base, Variable) or base.span.text.startswith("(")):
        raise StanSyntaxError(
            "This cannot be assigned to.", target.span, "Only variables, their elements and tuples of these can be."
        )


def _sampling(cursor: Cursor, outcome: Expression, start: Span) -> Sampling:
    distribution = cursor.called_name("the name of a distribution after `~`")
    arguments = call(cursor, distribution)
    if arguments.conditional:
        raise StanSyntaxError(
            "No `|` stands among the arguments behind `~`.", arguments.span, "The outcome stands before `~`."
        )
    truncation = _truncation(cursor) if cursor.at("T") and cursor.ahead().text == "[" else None
    return Sampling(outcome, distribution, arguments.arguments, truncation, span=cursor.since(start))


def _truncation(cursor: Cursor) -> Truncation:
    start = cursor.read().span
    cursor.read()
    lower = None if cursor.at(",") else expression(cursor)
    cursor.expect(",", "between the ends of the truncation")
    upper = None if cursor.at("]") else expression(cursor)
    cursor.expect("]", "after the truncation")
    return Truncation(lower, upper, span=cursor.since(start))


def _printed(cursor: Cursor) -> Expression | StringLiteral:
    return _string(cursor) if cursor.token.kind == "string" else expression(cursor)


def _string(cursor: Cursor) -> StringLiteral:
    if cursor.token.kind != "string":
        cursor.fail("a string in double quotes")
    token = cursor.read()
    return StringLiteral(token.text[1:-1], span=token.span)


def _condition(cursor: Cursor) -> Expression:
    word = cursor.read().text
    cursor.expect("(", f"after `{word}`")
    condition = expression(cursor)
    hint = "Equality is written `==`." if cursor.at("=") else ""
    cursor.expect(")", "after the condition", hint=hint)
    return condition


def _if(cursor: Cursor) -> If:
    start = cursor.token.span
    condition = _condition(cursor)
    if_true = statement(cursor)
    if_false = statement(cursor) if cursor.accept("else") else None
    return If(condition, if_true, if_false, span=cursor.since(start))


def _for(cursor: Cursor) -> For | ForEach:
    start = cursor.read().span
    cursor.expect("(", "after `for`")
    variable = cursor.new_name("a loop variable")
    cursor.expect("in", "after the loop variable", hint="Loops are written `for (i in 1:n)`.")
    first = expression(cursor)
    upper = expression(cursor) if cursor.accept(":") else None
    cursor.expect(")", "after the range of the loop")
    body = statement(cursor)
    span = cursor.since(start)
    if upper is None:
        return ForEach(variable, first, body, span=span)
    return For(variable, first, upper, body, span=span)


def _profile(cursor: Cursor) -> Profile:
    start = cursor.read().span
    cursor.expect("(", "after `profile`")
    name = _string(cursor)
    cursor.expect(")", "after the name of the profile")
    body = block(cursor)
    return Profile(name, body, span=cursor.since(start))
