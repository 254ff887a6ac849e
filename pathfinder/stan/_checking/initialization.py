"""Variables that are read before they can have a value.

A simple analysis: a variable counts as having a value once any assignment to it or to a part of it may have been
reached, so what is reported is read on every way before anything is stored.
"""

from collections.abc import Iterable, Iterator

from pathfinder.stan._syntax.diagnostics import Diagnostic
from pathfinder.stan._syntax.traversal import variables_read
from pathfinder.stan._syntax.tree import (
    Assignment,
    Block,
    CallStatement,
    Declaration,
    Expression,
    FatalError,
    For,
    ForEach,
    If,
    Index,
    IntLiteral,
    JacobianIncrement,
    Print,
    Profile,
    Program,
    Reject,
    Return,
    Sampling,
    Slice,
    Statement,
    StringLiteral,
    TargetIncrement,
    TupleElement,
    TupleLiteral,
    Variable,
    While,
)


def uninitialized(program: Program) -> list[Diagnostic]:
    """A warning for each variable that is read without a value, at the first place."""
    warnings: list[Diagnostic] = []
    for definition in program.functions or ():
        if definition.body is not None:
            _visit([definition.body], set(), warnings)
    visible: set[str] = set()
    for block in (program.transformed_data, program.transformed_parameters, program.model):
        _visit(block.statements if block else (), visible, warnings)
    # Variables of `model` are not seen in `generated quantities`; their names may come again.
    _visit(program.generated_quantities.statements if program.generated_quantities else (), visible, warnings)
    return warnings


def _visit(statements: Iterable[Statement], empty: set[str], warnings: list[Diagnostic]) -> None:
    """Follow statements; `empty` are the variables that have no value yet, and is changed."""
    for statement in statements:
        if isinstance(statement, Declaration):  # known in its own value already
            empty.add(statement.name.text)
        for expression in _read_by(statement) if empty else ():
            for variable in variables_read(expression):
                if variable.name in empty:
                    empty.discard(variable.name)  # once is enough
                    warnings.append(Diagnostic(f"`{variable.name}` is read here before it has a value.", variable.span))
        match statement:
            case Declaration() if statement.value is not None or _holds_nothing(statement):
                empty.discard(statement.name.text)
            case Assignment():
                empty -= set(_assigned(statement.target))
            case Block():
                _visit_block(statement.statements, empty, warnings)
            case Profile():
                _visit_block(statement.body.statements, empty, warnings)
            case If():
                _visit_branches(statement, empty, warnings)
            case While() | For() | ForEach():
                empty -= set(_assigned_in(statement.body))  # perhaps in an earlier turn
                _visit_block([statement.body], empty, warnings)


def _visit_block(statements: Iterable[Statement], empty: set[str], warnings: list[Diagnostic]) -> None:
    inside = set(empty)
    _visit(statements, inside, warnings)
    empty &= inside


def _visit_branches(statement: If, empty: set[str], warnings: list[Diagnostic]) -> None:
    before = set(empty)
    for branch in (statement.if_true, statement.if_false):
        if branch is not None:
            inside = set(before)
            _visit([branch], inside, warnings)
            empty &= inside


def _holds_nothing(statement: Declaration) -> bool:
    """Arrays of size 0, declared to be passed on, have nothing to be filled with."""
    sizes = (*statement.type.dims, *statement.type.sizes)
    return any(isinstance(size, IntLiteral) and size.value == 0 for size in sizes)


def _read_by(statement: Statement) -> Iterator[Expression]:
    """The expressions whose values a statement needs itself, not the statements in it."""
    match statement:
        case Declaration():
            if statement.value is not None:
                yield statement.value
        case Assignment():
            yield statement.value
            yield from _indices(statement.target)
            if statement.operator != "=":
                yield statement.target
        case Sampling():
            yield statement.outcome
            yield from statement.arguments
        case TargetIncrement() | JacobianIncrement():
            yield statement.value
        case CallStatement():
            yield statement.call
        case Print() | Reject() | FatalError():
            yield from (argument for argument in statement.arguments if not isinstance(argument, StringLiteral))
        case Return():
            if statement.value is not None:
                yield statement.value
        case If() | While():
            yield statement.condition
        case For():
            yield statement.lower
            yield statement.upper
        case ForEach():
            yield statement.container


def _indices(target: Expression) -> Iterator[Expression]:
    rest = [target]
    while rest:
        node = rest.pop()
        if isinstance(node, TupleLiteral):
            rest.extend(node.elements)
        elif isinstance(node, Index):
            rest.append(node.base)
            for index in node.indices:
                ends = (index.lower, index.upper) if isinstance(index, Slice) else (index,)
                yield from (end for end in ends if end is not None)
        elif isinstance(node, TupleElement):
            rest.append(node.base)


def _assigned(target: Expression) -> Iterator[str]:
    rest = [target]
    while rest:
        node = rest.pop()
        if isinstance(node, TupleLiteral):
            rest.extend(node.elements)
        elif isinstance(node, Index | TupleElement):
            rest.append(node.base)
        elif isinstance(node, Variable):
            yield node.name


def _assigned_in(statement: Statement) -> Iterator[str]:
    rest: list[Statement | None] = [statement]
    while rest:
        match rest.pop():
            case Assignment() as found:
                yield from _assigned(found.target)
            case Block() as found:
                rest.extend(found.statements)
            case Profile() as found:
                rest.extend(found.body.statements)
            case If() as found:
                rest.extend((found.if_true, found.if_false))
            case While() | For() | ForEach() as found:
                rest.append(found.body)
