"""Definitions of functions.

Source: Stan reference manual, "User-defined functions"; where it is silent, stanc3's `src/frontend/Typechecker.ml`.
"""

from collections.abc import Sequence

from pathfinder.stan._checking.embedded_laplace import EMBEDDED_LAPLACE
from pathfinder.stan._checking.environment import (
    CONDITIONED,
    Environment,
    ScopedVariable,
    check_name,
    is_discrete,
    suffix,
)
from pathfinder.stan._checking.statements import Ending, check_statement
from pathfinder.stan._syntax.diagnostics import StanTypeError
from pathfinder.stan._syntax.tree import Block, FunctionDefinition
from pathfinder.stan._types.higher_order import HIGHER_ORDER, REDUCE_SUM
from pathfinder.stan._types.overloads import Candidate, candidate, library_candidates
from pathfinder.stan._types.types import REAL, Type, declared_type


def declare_functions(environment: Environment, definitions: Sequence[FunctionDefinition]) -> None:
    """Bring functions into scope, so that they can call each other in any order.

    Raises:
        StanTypeError: If a head is wrong, a function stands twice, or is only declared.
    """
    for definition in definitions:
        _check_head(definition)
        _declare(environment, definition)
    for overloads in environment.functions.values():
        for option in overloads:
            if option.definition is not None and option.definition.body is None:
                name = option.definition.name
                raise StanTypeError(f"`{name.text}` is declared and not defined.", name.span)


def _declare(environment: Environment, definition: FunctionDefinition) -> None:
    name, new = definition.name, candidate(definition)
    overloads = environment.functions.setdefault(name.text, [])
    for i, other in enumerate(overloads):
        if other.signature.arguments == new.signature.arguments:
            _check_repeated(other, new, definition)
            overloads[i] = new
            return
    for other in library_candidates(name.text):
        if _covers(other, new):
            raise StanTypeError(
                f"`{name.text}{other.signature}` is a function of Stan and cannot be defined anew.", name.span
            )
    overloads.append(new)


def _check_repeated(earlier: Candidate, new: Candidate, definition: FunctionDefinition) -> None:
    """A second head with the same types is right only as the definition of what was declared."""
    name = definition.name
    assert earlier.definition is not None  # it is a function of the user
    if earlier.result != new.result:
        raise StanTypeError(
            f"`{name.text}` with these arguments returns `{_result(earlier)}` already, not `{_result(new)}`.", name.span
        )
    if earlier.definition.body is not None or definition.body is None:
        raise StanTypeError(f"`{name.text}{new.signature}` stands twice.", name.span, "Overloads differ in arguments.")
    if earlier.signature.data_only != new.signature.data_only:
        raise StanTypeError(f"`data` stands before other arguments of `{name.text}` where it is declared.", name.span)


def _result(option: Candidate) -> str:
    return "void" if option.result is None else str(option.result)


def _covers(library: Candidate, new: Candidate) -> bool:
    """Whether a function of the library takes exactly the arguments of the new one."""
    pairs = (library.signature.arguments, new.signature.arguments)
    return len(pairs[0]) == len(pairs[1]) and all(own[0] in kinds for kinds, own in zip(*pairs, strict=True))


def _check_head(definition: FunctionDefinition) -> None:
    name, ending = definition.name, suffix(definition.name.text)
    check_name(name)
    if name.text in REDUCE_SUM or (name.text in HIGHER_ORDER and HIGHER_ORDER[name.text].variadic):
        raise StanTypeError(f"`{name.text}` is a function of Stan and cannot be overloaded.", name.span)
    if name.text in EMBEDDED_LAPLACE:
        raise StanTypeError(f"`{name.text}` is a function of Stan and cannot be defined anew.", name.span)
    if ending in ("_lupdf", "_lupmf"):
        plain = name.text.removesuffix(ending) + ending.replace("lu", "l")
        raise StanTypeError(f"`{name.text}` comes for free with `{plain}`; define that.", name.span)
    result = None if definition.return_type is None else declared_type(definition.return_type)
    if ending in CONDITIONED and result != REAL:
        found = "void" if result is None else result
        raise StanTypeError(f"Functions with the suffix `{ending}` return `real`, found `{found}`.", name.span)
    if ending in ("_lpdf", "_lpmf"):
        _check_outcome(definition, discrete=ending == "_lpmf")


def _check_outcome(definition: FunctionDefinition, *, discrete: bool) -> None:
    kinds = [declared_type(argument.type) for argument in definition.arguments]
    if kinds and is_discrete(kinds[0]) == discrete:
        return
    span = definition.arguments[0].type.span if kinds else definition.name.span
    wanted = "integers; densities of real numbers end in `_lpdf`" if discrete else "real numbers, not integers"
    found = f", found `{kinds[0]}`" if kinds else ", found none"
    name = definition.name.text
    raise StanTypeError(f"The first argument of `{name}`, its outcome, is made of {wanted}{found}.", span)


def check_function(environment: Environment, definition: FunctionDefinition) -> None:
    """Check the body of a function.

    Raises:
        StanTypeError: If it is wrong, or does not always return a value.
    """
    if definition.body is None:
        return
    if not isinstance(definition.body, Block):
        raise StanTypeError("The body of a function stands in braces.", definition.body.span)
    with environment.inside(block="functions", function=definition):
        for argument in definition.arguments:
            block = "data" if argument.data_only else "parameters"
            kind = declared_type(argument.type)
            environment.declare(argument.name, ScopedVariable(kind, block, fixed="an argument of a function"))
        ending = check_statement(environment, definition.body)
    if definition.return_type is not None and ending is not Ending.RETURNS:
        kind: Type = declared_type(definition.return_type)
        raise StanTypeError(
            f"`{definition.name.text}` may end without returning its value of type `{kind}`.", definition.name.span
        )
