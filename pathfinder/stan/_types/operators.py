"""Types of what operators, literals and indices give.

Source: Stan reference manual, "Expressions". As in stanc3, an operator is a call of the library function that is
named here; `/` is right division of matrices where that fits, else elementwise.
"""

from collections.abc import Sequence
from functools import cache

from pathfinder.stan._syntax.diagnostics import StanTypeError
from pathfinder.stan._syntax.source import Span
from pathfinder.stan._types.overloads import PassedArgument, resolve_library
from pathfinder.stan._types.types import COMPLEX, REAL, SCALARS, Type, common_type


BINARY_FUNCTIONS = {
    "+": ("add",),
    "-": ("subtract",),
    "*": ("multiply",),
    "/": ("mdivide_right", "divide"),
    "\\": ("mdivide_left",),
    "%": ("modulus",),
    "%/%": ("modulus",),  # of the same types
    ".*": ("elt_multiply",),
    "./": ("elt_divide",),
    "^": ("pow",),
    ".^": ("pow",),
    "||": ("logical_or",),
    "&&": ("logical_and",),
    "==": ("logical_eq",),
    "!=": ("logical_neq",),
    "<": ("logical_lt",),
    "<=": ("logical_lte",),
    ">": ("logical_gt",),
    ">=": ("logical_gte",),
}
_PREFIX_FUNCTIONS = {"-": "minus", "+": "plus", "!": "logical_negation"}


@cache
def _result(functions: tuple[str, ...], *operands: Type) -> Type | None:
    for name in functions:
        found = resolve_library(name, tuple(PassedArgument(operand, data_only=True) for operand in operands))
        if len(found.candidates) == 1 and not found.tied:
            return found.candidates[0].result
    return None


def binary_type(operator: str, left: Type, right: Type, span: Span) -> Type:
    """Type of `left operator right`.

    Raises:
        StanTypeError: If the operator does not take these types.
    """
    found = _result(BINARY_FUNCTIONS[operator], left, right)
    if found is None:
        raise StanTypeError(
            f"`{operator}` cannot stand between `{left}` and `{right}`.", span, _advice(operator, left, right)
        )
    return found


def _advice(operator: str, left: Type, right: Type) -> str:
    elementwise = {"*": ".*", "/": "./"}.get(operator)
    if elementwise is not None and _result(BINARY_FUNCTIONS[elementwise], left, right) is not None:
        return f"The elementwise operator is `{elementwise}`."
    if operator in ("%", "%/%"):
        return "Both sides must be integers."
    if left.dims or right.dims:
        return "Operators take no arrays; `to_vector` makes a vector of one."
    return ""


def prefix_type(operator: str, operand: Type, span: Span) -> Type:
    """Type of `operator operand`; raises like `binary_type`."""
    found = _result((_PREFIX_FUNCTIONS[operator],), operand)
    if found is None:
        raise StanTypeError(f"`{operator}` cannot stand before `{operand}`.", span)
    return found


def transposed_type(operand: Type, span: Span) -> Type:
    """Type of `operand'`; raises like `binary_type`."""
    found = _result(("transpose",), operand)
    if found is None:
        raise StanTypeError(f"`'` transposes vectors and matrices, found `{operand}`.", span)
    return found


def updated_type(operator: str, target: Type, value: Type, span: Span) -> None:
    """Check `target operator= value`.

    Raises:
        StanTypeError: If the result is not of the type of the target.
    """
    functions = ("divide",) if operator == "/" else BINARY_FUNCTIONS[operator]
    found = _result(functions, target, value)
    if found is None:
        raise StanTypeError(f"`{operator}=` cannot stand between `{target}` and `{value}`.", span)
    if found != target or (operator in (".*", "./") and found.base in SCALARS):
        raise StanTypeError(f"`{operator}=` would make `{found}` of `{target}`.", span)


def array_type(elements: Sequence[Type], spans: Sequence[Span]) -> Type:
    """Type of `{a, b}`; raises like `binary_type`."""
    found = elements[0]
    for element, span in zip(elements, spans, strict=True):
        common = common_type(found, element)
        if common is None:
            raise StanTypeError(f"The elements of an array have one type, found `{found}` and `{element}`.", span)
        found = common
    return found.array()


def row_vector_type(elements: Sequence[Type], spans: Sequence[Span]) -> Type:
    """Type of `[a, b]`; raises like `binary_type`."""
    of_rows = bool(elements) and elements[0].dims == 0 and elements[0].base in ("row_vector", "complex_row_vector")
    found = elements[0] if of_rows else REAL
    for element, span in zip(elements, spans, strict=True):
        common = common_type(found, element)
        if common is None:
            wanted = "row vectors as its rows" if of_rows else "numbers, or row vectors as rows of a matrix"
            raise StanTypeError(f"`[...]` holds {wanted}, found `{element}`.", span)
        found = common
    if of_rows:
        return Type(found.base.replace("row_vector", "matrix"))
    return Type("complex_row_vector" if found == COMPLEX else "row_vector")


def indexed_type(base: Type, is_single: Sequence[bool], span: Span) -> Type:
    """Type of `base[...]`, where a single index drops a dimension and any other keeps it.

    Raises:
        StanTypeError: If there are too many indices.
    """
    num_kept = is_single[: base.dims].count(False)
    inside, rest = Type(base.base, max(base.dims - len(is_single), 0), base.elements), is_single[base.dims :]
    if rest:
        inside = _inside_type(base, rest, len(is_single), span)
    return inside.array(num_kept)


def _inside_type(base: Type, is_single: Sequence[bool], num_indices: int, span: Span) -> Type:
    """Type of the innermost part of an array with the indices that are left for it."""
    kind = base.base.removeprefix("complex_")
    prefix = base.base.removesuffix(kind)
    possible = {"vector": 1, "row_vector": 1, "matrix": 2}.get(kind, 0)
    if len(is_single) > possible:
        noun = "index" if num_indices == 1 else "indices"
        raise StanTypeError(f"`{base}` cannot have {num_indices} {noun}, only {base.dims + possible}.", span)
    if kind == "matrix":
        row, column = is_single[0], is_single[1:] == [True]
        if row and column:
            return Type("complex" if prefix else "real")
        return Type(prefix + ("row_vector" if row else "vector" if column else "matrix"))
    return Type("complex" if prefix else "real") if is_single[0] else base.innermost()
