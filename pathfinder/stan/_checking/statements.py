"""Statements.

Source: Stan reference manual, "Statements" and "Program blocks"; where these are silent, stanc3's
`src/frontend/Typechecker.ml`.
"""

from collections.abc import Iterable
from enum import Enum

from pathfinder.stan._checking.assignments import check_assignment
from pathfinder.stan._checking.calls import check_place, resolved
from pathfinder.stan._checking.declarations import check_declaration
from pathfinder.stan._checking.environment import Environment, ScopedVariable
from pathfinder.stan._checking.expressions import check_expression, check_int
from pathfinder.stan._checking.sampling import check_sampling, check_target_place
from pathfinder.stan._syntax.diagnostics import StanTypeError
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
    If,
    IntLiteral,
    JacobianIncrement,
    Print,
    Profile,
    Reject,
    Return,
    Sampling,
    Statement,
    StringLiteral,
    TargetIncrement,
    While,
)
from pathfinder.stan._types.types import COMPLEX_OF, INT, REAL, Type, declared_type, promotions


class Ending(Enum):
    """How control leaves a statement; only functions that return on all ways have a value."""

    PASSES = "goes on behind it"
    RETURNS = "returns, or rejects"
    BREAKS = "leaves a loop, perhaps"


def check_statements(environment: Environment, statements: Iterable[Statement], *, is_global: bool = False) -> Ending:
    """Check statements in the present scope.

    Args:
        environment: What is known here.
        statements: The statements.
        is_global: They stand at the top of a block other than `model`.

    Returns:
        How control leaves them.

    Raises:
        StanTypeError: If one of them is wrong.
    """
    ending, is_reachable = Ending.PASSES, True
    for statement in statements:
        if isinstance(statement, Declaration):
            check_declaration(environment, statement, is_global=is_global)
            own = Ending.PASSES
        else:
            own = check_statement(environment, statement)
        if is_reachable:
            # A statement behind others decides: `if (c) return 1; else return 2; x = 3;` goes on behind `x = 3`.
            ending = Ending.BREAKS if Ending.BREAKS in (ending, own) else own
        is_reachable &= not isinstance(statement, Break | Continue | Reject | FatalError | Return)
    return ending


def check_statement(environment: Environment, statement: Statement) -> Ending:
    """Check a statement that declares nothing beyond itself; see `check_statements`."""
    match statement:
        case Assignment():
            check_assignment(environment, statement)
        case Sampling():
            check_sampling(environment, statement)
        case TargetIncrement():
            _check_increment(environment, statement.value)
            check_target_place(environment, statement, "`target` can be added to")
        case JacobianIncrement():
            _check_increment(environment, statement.value)
            _check_jacobian_place(environment, statement)
        case CallStatement():
            _check_call_statement(environment, statement.call)
        case Print() | Reject() | FatalError():
            for argument in statement.arguments:
                if not isinstance(argument, StringLiteral):
                    check_expression(environment, argument)
            return Ending.PASSES if isinstance(statement, Print) else Ending.RETURNS
        case Return():
            _check_return(environment, statement)
            return Ending.RETURNS
        case Break() | Continue():
            word = "break" if isinstance(statement, Break) else "continue"
            if not environment.place.num_loops:
                raise StanTypeError(f"`{word}` can stand only in a loop.", statement.span)
            return Ending.BREAKS if isinstance(statement, Break) else Ending.PASSES
        case Block():
            return _check_block(environment, statement)
        case Profile():
            return _check_block(environment, statement.body)
        case If():
            return _check_if(environment, statement)
        case While() | For() | ForEach():
            return _check_loop(environment, statement)
    return Ending.PASSES


def _check_block(environment: Environment, block: Block) -> Ending:
    with environment.inside():
        return check_statements(environment, block.statements)


def _check_if(environment: Environment, statement: If) -> Ending:
    check_int(environment, statement.condition, "The condition of `if`")
    endings = {check_statement(environment, statement.if_true)}
    endings.add(check_statement(environment, statement.if_false) if statement.if_false else Ending.PASSES)
    if Ending.BREAKS in endings:
        return Ending.BREAKS
    return Ending.PASSES if Ending.PASSES in endings else Ending.RETURNS


def _check_loop(environment: Environment, statement: While | For | ForEach) -> Ending:
    variable = None
    match statement:
        case While():
            check_int(environment, statement.condition, "The condition of `while`")
        case For():
            check_int(environment, statement.lower, "The first value of a loop variable")
            check_int(environment, statement.upper, "The last value of a loop variable")
            variable = INT
        case ForEach():
            variable = _element(check_expression(environment, statement.container), statement.container)
    with environment.inside(num_loops=environment.place.num_loops + 1):
        if variable is not None:
            assert not isinstance(statement, While)
            block = environment.place.block
            environment.declare(statement.variable, ScopedVariable(variable, block, fixed="a loop variable"))
        ending = check_statement(environment, statement.body)
    if ending is Ending.PASSES and isinstance(statement, While) and _is_endless(statement):
        return Ending.RETURNS  # there is no other way out of it
    return Ending.RETURNS if ending is Ending.RETURNS else Ending.PASSES


def _is_endless(statement: While) -> bool:
    return isinstance(statement.condition, IntLiteral) and statement.condition.value != 0


def _element(container: Type, expression: Expression) -> Type:
    """Type of the elements that a loop goes through."""
    if container.dims:
        return container.array(-1)
    if container.base in ("vector", "row_vector", "matrix"):
        return REAL
    raise StanTypeError(f"A loop goes through an array, vector or matrix, found `{container}`.", expression.span)


def _check_jacobian_place(environment: Environment, statement: Statement) -> None:
    place = environment.place
    if place.block != "transformed parameters" and place.suffix != "_jacobian":
        raise StanTypeError(
            "`jacobian` can be added to only in `transformed parameters` and in functions with the suffix `_jacobian`.",
            statement.span,
            "Write `target += ...;` here." if place.block == "model" else "",
        )


def _check_increment(environment: Environment, value: Expression) -> None:
    found = check_expression(environment, value)
    # stanc lets these through, and its C++ does not compile.
    if found.base == "tuple" or found.base in COMPLEX_OF.values():
        raise StanTypeError(f"A log density is made of real numbers, found `{found}`.", value.span)


def _check_call_statement(environment: Environment, call: Call) -> None:
    for argument in call.arguments:
        check_expression(environment, argument)
    check_place(environment.place, call.function.text, call.span)
    environment.library_names[id(call)] = call.function.text
    found = resolved(environment, call.function, call.arguments, call.span)
    environment.note_definition(call, found)
    if found.result is not None:
        raise StanTypeError(
            f"The value of `{call.function.text}`, of type `{found.result}`, is not used.",
            call.span,
            "Only void functions are statements of their own.",
        )


def _check_return(environment: Environment, statement: Return) -> None:
    function = environment.place.function
    if function is None:
        raise StanTypeError("`return` can stand only in a function.", statement.span)
    name = function.name.text
    if statement.value is None:
        if function.return_type is not None:
            raise StanTypeError(
                f"`{name}` must return a value of type `{declared_type(function.return_type)}`.", statement.span
            )
        return
    if function.return_type is None:
        raise StanTypeError(f"`{name}` is void and returns no value.", statement.value.span)
    wanted = declared_type(function.return_type)
    found = check_expression(environment, statement.value)
    if promotions(found, wanted) is None:
        raise StanTypeError(f"`{name}` must return `{wanted}`, found `{found}`.", statement.value.span)
