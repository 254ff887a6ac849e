"""Types of variables, arguments and results.

Source: Stan reference manual, "Data types"; the types of Stan 2.36 and 2.37 are included.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

from pathfinder.stan._parsing.cursor import TYPES, Cursor
from pathfinder.stan._parsing.expressions import expression
from pathfinder.stan._syntax.diagnostics import StanSyntaxError
from pathfinder.stan._syntax.operators import ADDITIVE
from pathfinder.stan._syntax.tree import Bounds, Expression, SizedType, UnsizedType


T = TypeVar("T")
TYPE_WORDS = (*TYPES, "array", "tuple")
RANGE = ("lower", "upper")
SCALE = ("offset", "multiplier")
OLD_ARRAYS = "Sizes of an array stand in front: `array[...] {} {}`."


class _Form(NamedTuple):
    """What may follow the word of a type: how many sizes, which bounds; `plain` types need no constraint."""

    sizes: tuple[int, ...]
    bounds: tuple[tuple[str, ...], ...] = ()
    plain: bool = False


_ANY_BOUNDS = (RANGE, SCALE)
_FORMS = {
    "int": _Form((0,), (RANGE,), plain=True),
    "real": _Form((0,), _ANY_BOUNDS, plain=True),
    "complex": _Form((0,), _ANY_BOUNDS, plain=True),
    **{word: _Form((1,), _ANY_BOUNDS, plain=True) for word in TYPES if word.endswith("vector") and "_to_" not in word},
    **{word: _Form((2,), _ANY_BOUNDS, plain=True) for word in ("matrix", "complex_matrix")},
    **dict.fromkeys(("ordered", "positive_ordered", "simplex", "unit_vector", "sum_to_zero_vector"), _Form((1,))),
    **dict.fromkeys(("cholesky_factor_corr", "corr_matrix", "cov_matrix"), _Form((1,))),
    **dict.fromkeys(("row_stochastic_matrix", "column_stochastic_matrix", "sum_to_zero_matrix"), _Form((2,))),
    "cholesky_factor_cov": _Form((1, 2)),
}
_UNSIZED = tuple(word for word in TYPES if _FORMS[word].plain)


def sized_type(cursor: Cursor, *, constrained: bool) -> SizedType:
    """The type of a variable; constraints stand only where `constrained`."""
    with cursor.deeper():
        start = cursor.token.span
        dims: tuple[Expression, ...] = ()
        if cursor.accept("array"):
            cursor.expect("[", "after `array`")
            dims = cursor.listed(expression, "]", "after the size of the array")
        word = cursor.token.text
        if cursor.accept("tuple"):
            cursor.expect("(", "after `tuple`")
            elements = _elements(cursor, partial(sized_type, constrained=constrained))
            return SizedType("tuple", dims, elements=elements, span=cursor.since(start))
        if word not in _FORMS:
            cursor.fail("a type", TYPE_WORDS)
        form = _FORMS[word]
        if not form.plain and not constrained:
            raise StanSyntaxError(_not_here(f"`{word}`"), cursor.token.span)
        cursor.read()
        bounds = _bounds(cursor, word, constrained) if cursor.at("<") else None
        sizes = _sizes(cursor, word) if form.sizes != (0,) else ()
        return SizedType(word, dims, sizes, bounds, span=cursor.since(start))


def _not_here(what: str) -> str:
    return f"{what} can stand only at the top of a block, and in no `model` and no function."


def _elements(cursor: Cursor, read_one: Callable[[Cursor], T]) -> tuple[T, ...]:
    """The types of a tuple's elements; a comma follows a single one."""
    elements = [read_one(cursor)]
    while cursor.accept(",") and not (len(elements) == 1 and cursor.at(")")):
        elements.append(read_one(cursor))
    if len(elements) == 1 and cursor.previous.text != ",":
        cursor.fail("`,` and further types", hint="A tuple of one element has the type `tuple(T,)`.")
    cursor.close(")", "after the type of an element")
    return tuple(elements)


def _sizes(cursor: Cursor, word: str) -> tuple[Expression, ...]:
    allowed = _FORMS[word].sizes
    opening = cursor.expect("[", f"after `{word}`")
    sizes = cursor.listed(expression, "]", f"after the size of `{word}`")
    if len(sizes) not in allowed:
        counts = " or ".join(str(count) for count in allowed)
        noun = "size" if allowed == (1,) else "sizes"
        raise StanSyntaxError(f"`{word}` has {counts} {noun}, found {len(sizes)}.", cursor.since(opening.span))
    return sizes


def _bounds(cursor: Cursor, word: str, constrained: bool) -> Bounds:
    opening = cursor.token
    allowed = _FORMS[word].bounds
    if not allowed:
        raise StanSyntaxError(f"`{word}` takes no bounds.", opening.span)
    if not constrained:
        raise StanSyntaxError(_not_here("Bounds"), opening.span)
    cursor.read()
    names = tuple(name for group in allowed for name in group)
    found: dict[str, Expression] = {}
    while True:
        name = cursor.token.text
        if name not in names or name in found:
            cursor.fail(" or ".join(f"`{name}`" for name in names if name not in found), names)
        cursor.read()
        cursor.expect("=", f"after `{name}`")
        # A `>` ends the bounds, so comparisons need parentheses here.
        found[name] = expression(cursor, ADDITIVE)
        names = next(group for group in allowed if name in group)
        if cursor.accept(">"):
            return Bounds(**found, span=cursor.since(opening.span))
        if len(found) == 2 or not cursor.at(","):
            cursor.fail("`,` or `>` after the bound" if len(found) == 1 else "`>` after the bounds")
        cursor.read()


def unsized_type(cursor: Cursor) -> UnsizedType:
    """The type of an argument or of a result."""
    with cursor.deeper():
        start = cursor.token.span
        dims = _unsized_dims(cursor) if cursor.accept("array") else 0
        word = cursor.token.text
        elements: tuple[UnsizedType, ...] = ()
        if cursor.accept("tuple"):
            cursor.expect("(", "after `tuple`")
            elements = _elements(cursor, unsized_type)
        elif word in _UNSIZED:
            cursor.read()
        elif word in TYPES:
            raise StanSyntaxError(
                f"`{word}` is no type of an argument or a result.", cursor.token.span, "Constraints are left out here."
            )
        else:
            cursor.fail("a type", (*_UNSIZED, "array", "tuple"))
        if dims == 0 and cursor.at("["):
            dims = _unsized_dims(cursor)
            commas = "," * (dims - 1)
            hint = f"Write `array[{commas}] {word}`."
            cursor.warn("Brackets behind the type are deprecated.", cursor.since(start), hint)
        return UnsizedType(word, dims, elements, span=cursor.since(start))


def _unsized_dims(cursor: Cursor) -> int:
    cursor.expect("[", "after `array`")
    dims = 1
    while cursor.accept(","):
        dims += 1
    cursor.close("]", "after `[`")
    return dims
