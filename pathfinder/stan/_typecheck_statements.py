"""Statements, and the declarations among them.

Source: Stan reference manual, "Statements" and "Program blocks"; where these are silent, stanc3's
`src/frontend/Typechecker.ml`.
"""

from collections.abc import Iterable
from enum import Enum

from pathfinder.stan._diagnostics import StanTypeError, nearest
from pathfinder.stan._environment import SUFFIXES, Environment, Variable
from pathfinder.stan._explain_calls import Called, explain_mismatch, explain_tie
from pathfinder.stan._signatures import LIBRARY
from pathfinder.stan._syntax import (
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
    IntLiteral,
    JacobianIncrement,
    Print,
    Profile,
    Reject,
    Return,
    Sampling,
    SizedType,
    Statement,
    StringLiteral,
    TargetIncrement,
    While,
)
from pathfinder.stan._typecheck_assignments import check_assignable, check_assignment
from pathfinder.stan._typecheck_calls import check_place, check_truncated, resolution, resolved
from pathfinder.stan._typecheck_expressions import check_expression, check_int
from pathfinder.stan._types import COMPLEX_OF, INT, REAL, Type, declared_type


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
            _check_declaration(environment, statement, is_global=is_global)
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
            _check_sampling(environment, statement)
        case TargetIncrement():
            _check_increment(environment, statement.value)
            _check_target_place(environment, statement, "`target` can be added to")
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
            if not environment.context.num_loops:
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
    with environment.inside(num_loops=environment.context.num_loops + 1):
        if variable is not None:
            assert not isinstance(statement, While)
            block = environment.context.block
            environment.declare(statement.variable, Variable(variable, block, fixed="a loop variable"))
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


def _check_target_place(environment: Environment, statement: Statement, what: str) -> None:
    context = environment.context
    if context.block != "model" and context.suffix != "_lp":
        hint = "Write `jacobian += ...;` here." if context.block == "transformed parameters" else ""
        raise StanTypeError(f"{what} only in `model` and in functions with the suffix `_lp`.", statement.span, hint)


def _check_jacobian_place(environment: Environment, statement: Statement) -> None:
    context = environment.context
    if context.block != "transformed parameters" and context.suffix != "_jacobian":
        raise StanTypeError(
            "`jacobian` can be added to only in `transformed parameters` and in functions with the suffix `_jacobian`.",
            statement.span,
            "Write `target += ...;` here." if context.block == "model" else "",
        )


def _check_increment(environment: Environment, value: Expression) -> None:
    found = check_expression(environment, value)
    # stanc lets these through, and its C++ does not compile.
    if found.base == "tuple" or found.base in COMPLEX_OF.values():
        raise StanTypeError(f"A log density is made of real numbers, found `{found}`.", value.span)


def _check_call_statement(environment: Environment, call: Call) -> None:
    for argument in call.arguments:
        check_expression(environment, argument)
    check_place(environment.context, call.function.text, call.span)
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
    function = environment.context.function
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
    try:
        check_assignable(wanted, found, statement.value.span)
    except StanTypeError:
        raise StanTypeError(f"`{name}` must return `{wanted}`, found `{found}`.", statement.value.span) from None


# Distribution statements


def _check_sampling(environment: Environment, statement: Sampling) -> None:
    name, arguments = statement.distribution, (statement.outcome, *statement.arguments)
    for argument in arguments:
        check_expression(environment, argument)
    bounds = []
    if statement.truncation:
        bounds = [end for end in (statement.truncation.lower, statement.truncation.upper) if end is not None]
    for bound in bounds:
        found = check_expression(environment, bound)
        if found not in (INT, REAL):
            raise StanTypeError(f"An end of a truncation must be `int` or `real`, found `{found}`.", bound.span)
    ending = next((ending for ending in SUFFIXES[:7] if name.text.endswith(ending)), "")
    if ending:
        bare = name.text.removesuffix(ending)
        message = f"Behind `~` a distribution stands without its suffix `{ending}`."
        raise StanTypeError(message, name.span, f"Write `{bare}`.")
    _check_target_place(environment, statement, "`~` can stand")
    passed = tuple(environment.argument(argument) for argument in arguments)
    found = [(suffix, resolution(environment, name.text + suffix, passed)) for suffix in ("_lpmf", "_lpdf")]
    for suffix, option in found:
        if option.candidates and not option.tied:
            environment.note_definition(statement, option.candidates[0])
            environment.library_names[id(statement)] = name.text + suffix
            check_truncated(environment, name, statement.arguments, bounds)
            return
    candidates = [option for suffix, _ in found for option in environment.candidates(name.text + suffix)]
    tied = [option for _, option in found if option.tied]
    if not candidates:
        raise _unknown_distribution(environment, name)
    called = Called(name.text, is_sampled=True)
    mismatch = explain_tie(called, tied[0].candidates, passed) if tied else explain_mismatch(called, candidates, passed)
    at = statement.span if mismatch.position is None else arguments[mismatch.position].span
    raise StanTypeError(mismatch.message, at, mismatch.hint)


def _unknown_distribution(environment: Environment, name: Identifier) -> StanTypeError:
    known = {
        function.removesuffix(suffix)
        for function in (*environment.functions, *LIBRARY)
        for suffix in ("_lpdf", "_lpmf")
        if function.endswith(suffix)
    }
    return StanTypeError(f"The distribution `{name.text}` is not known here.", name.span, nearest(name.text, known))


# Declarations


def _check_declaration(environment: Environment, statement: Declaration, *, is_global: bool) -> None:
    declared, block = statement.type, environment.context.block
    found = declared_type(declared)
    with environment.inside(in_size=is_global):
        _check_sizes(environment, declared)
    _check_bounds(environment, declared, is_global=is_global)
    if is_global and block in ("parameters", "transformed parameters") and _has_integers(found):
        raise StanTypeError(
            f"Variables of `{block}` hold no integers, found `{found}`.",
            declared.span,
            "Integers belong into `data`, `transformed data` or `generated quantities`.",
        )
    environment.declare(statement.name, Variable(found, block, is_global))
    if statement.value is not None:
        value = check_expression(environment, statement.value)
        check_assignable(found, value, statement.value.span)


def _check_sizes(environment: Environment, declared: SizedType) -> None:
    for size in declared.dims:
        check_int(environment, size, "The size of an array")
    for size in declared.sizes:
        check_int(environment, size, f"The size of `{declared.base}`")
    for element in declared.elements:
        _check_sizes(environment, element)


def _check_bounds(environment: Environment, declared: SizedType, *, is_global: bool) -> None:
    for element in declared.elements:
        _check_bounds(environment, element, is_global=is_global)
    bounds, kind = declared.bounds, declared_type(declared)
    if bounds is None:
        return
    if kind.base in COMPLEX_OF.values():
        raise StanTypeError(f"`{kind}` takes no bounds.", bounds.span)
    for word in ("lower", "upper", "offset", "multiplier"):
        bound: Expression | None = getattr(bounds, word)
        if bound is None:
            continue
        found = check_expression(environment, bound)
        if found not in (INT, REAL, kind):
            either = f"`int`, `real` or `{kind}`" if kind not in (INT, REAL) else "`int` or `real`"
            raise StanTypeError(f"`{word}` must be {either}, found `{found}`.", bound.span)
        if kind.base == "int" and found.base == "real":
            raise StanTypeError(f"`{word}` of an integer must be an integer, found `{found}`.", bound.span)


def _has_integers(kind: Type) -> bool:
    return any(map(_has_integers, kind.elements)) if kind.base == "tuple" else kind.base == "int"
