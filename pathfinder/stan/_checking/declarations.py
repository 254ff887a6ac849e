"""Declarations of variables.

Source: Stan reference manual, "Data types" and "Program blocks".
"""

from pathfinder.stan._checking.assignments import check_assignable
from pathfinder.stan._checking.environment import Environment, ScopedVariable
from pathfinder.stan._checking.expressions import check_expression, check_int
from pathfinder.stan._syntax.diagnostics import StanTypeError
from pathfinder.stan._syntax.tree import Declaration, Expression, SizedType
from pathfinder.stan._types.types import COMPLEX_OF, INT, REAL, Type, declared_type


def check_declaration(environment: Environment, statement: Declaration, *, is_global: bool) -> None:
    """Check a declaration and bring its variable into scope.

    Args:
        environment: What is known here.
        statement: The declaration.
        is_global: It stands at the top of a block other than `model`.

    Raises:
        StanTypeError: If it is wrong.
    """
    declared, block = statement.type, environment.place.block
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
    environment.declare(statement.name, ScopedVariable(found, block, is_global))
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
