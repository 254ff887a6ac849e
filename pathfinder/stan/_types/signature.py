"""Signatures of functions, and the rules that make many of them from few words.

Rows are written as `stanc --dump-stan-math-signatures` writes them, with two abbreviations: `real | vector` stands for
either type, and `#` makes two rows, one without it and one with the complex counterparts of the types it marks
(`#real` is `real` or `complex`). `data` in front of an argument says that it must not depend on parameters.

Source of the rules: the tables printed by that command and the Stan functions reference.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

from pathfinder.stan._types.types import (
    COMPLEX,
    COMPLEX_OF,
    INT,
    MATRIX,
    REAL,
    ROW_VECTOR,
    VECTOR,
    Type,
)


MAX_DIMS = 7  # how deep stanc nests the arrays of elementwise functions

GROUPS = {
    "ints": "int | array[] int",
    "reals": "real | array[] real | vector | row_vector",
    "containers": "array[] real | vector | row_vector",
    "numbers": "real | array[] real | vector | row_vector | int | array[] int",
    "vectors": "vector | array[] vector | row_vector | array[] row_vector",
}
BASES = (
    *("int", "real", "complex", "vector", "row_vector", "matrix"),
    *("complex_vector", "complex_row_vector", "complex_matrix"),
)


@dataclass(frozen=True)
class Signature:
    """One way to call a function.

    Attributes:
        arguments: For each argument the types that it may have; every combination of them is allowed.
        result: Type of the value.
        data_only: Positions of the arguments that must not depend on parameters.
    """

    arguments: tuple[tuple[Type, ...], ...]
    result: Type
    data_only: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"({', '.join(self.argument(i) for i in range(len(self.arguments)))}) => {self.result}"

    def argument(self, position: int) -> str:
        """The types of an argument in words; those of `GROUPS` have names."""
        types = self.arguments[position]
        word = _group_names().get(frozenset(types)) or " | ".join(map(str, types))
        return f"data {word}" if position in self.data_only else word


def rows(text: str) -> tuple[Signature, ...]:
    """Signatures from their rows, one per line, indented as you like."""
    return tuple(row(line.strip()) for text_line in text.strip().splitlines() for line in _twins(text_line))


def _twins(line: str) -> list[str]:
    if "#" not in line:
        return [line]
    return [line.replace("#", ""), line.replace("#real", "complex").replace("#", "complex_")]


@cache
def row(text: str) -> Signature:
    """One signature from its row."""
    arguments, result = text.rsplit(" => ", 1)
    parts = _split(arguments[1:-1])
    data_only = tuple(i for i, part in enumerate(parts) if part.startswith("data "))
    return Signature(tuple(_types(part.removeprefix("data ")) for part in parts), type_of_text(result), data_only)


def _split(text: str) -> list[str]:
    """Parts between the commas that stand in no brackets."""
    return [part.strip() for part in re.findall(r"(?:\[[^]]*\]|\([^)]*\)|[^,])+", text) if part.strip()]


@cache
def _types(text: str) -> tuple[Type, ...]:
    words = " | ".join(GROUPS.get(part, part) for part in text.split(" | "))
    return tuple(type_of_text(word) for word in words.split(" | "))


@cache
def type_of_text(text: str) -> Type:
    """The type that is printed as `text`."""
    if text.startswith("array["):
        commas, inside = text.removeprefix("array[").split("] ", 1)
        return type_of_text(inside).array(len(commas) + 1)
    if text.startswith("tuple("):
        return Type("tuple", 0, tuple(type_of_text(part) for part in _split(text[6:-1])))
    return Type(text)


@cache
def _group_names() -> dict[frozenset[Type], str]:
    return {frozenset(_types(types)): name for name, types in GROUPS.items()}


def for_each_type(text: str, dims: range, bases: tuple[str, ...] = BASES) -> tuple[Signature, ...]:
    """The row with every type of so many array dimensions in place of `T`."""
    types = [str(Type(base, n)) for base in bases for n in dims]
    return tuple(row(re.sub(r"\bT\b", kind, text)) for kind in types)


def _one(*arguments: Type, result: Type) -> Signature:
    return Signature(tuple((argument,) for argument in arguments), result)


def _real(found: Type) -> Type:
    return Type("real", found.dims) if found.base == "int" else found


def _nested(*innermost: Type) -> Iterator[Type]:
    return (base.array(dims) for base in innermost for dims in range(MAX_DIMS + 1))


def unary() -> tuple[Signature, ...]:
    """Elementwise on numbers and any container of them; integers become real."""
    return tuple(_one(found, result=_real(found)) for found in _nested(INT, REAL, VECTOR, ROW_VECTOR, MATRIX))


def unary_kept() -> tuple[Signature, ...]:
    """As `unary`, but integers stay integers."""
    return tuple(_one(found, result=found) for found in _nested(INT, REAL, VECTOR, ROW_VECTOR, MATRIX))


def unary_complex(*, to_real: bool) -> tuple[Signature, ...]:
    """Elementwise on complex numbers and any container of them."""
    pairs = {COMPLEX_OF[word]: word if to_real else COMPLEX_OF[word] for word in COMPLEX_OF if word != "int"}
    return tuple(
        _one(Type(complex_base, dims), result=Type(base, dims))
        for complex_base, base in pairs.items()
        for dims in range(MAX_DIMS + 1)
    )


def _binary(scalars: tuple[Type, ...], containers: tuple[Type, ...]) -> Iterator[tuple[Type, Type, Type]]:
    """Both arguments and the larger of them, where both are equal or one is a scalar."""
    for one, other in product(scalars, scalars):
        yield one, other, one
    for large in (container.array(dims) for container in containers for dims in range(MAX_DIMS + 1)):
        yield large, large, large
        for scalar in scalars:
            yield large, scalar, large
            yield scalar, large, large


def _of_array(*scalars: Type) -> tuple[Type, ...]:
    return tuple(scalar.array() for scalar in scalars)


def binary() -> tuple[Signature, ...]:
    """Elementwise on two arguments; scalars are broadcast and integers become real."""
    containers = (*_of_array(INT, REAL), VECTOR, ROW_VECTOR, MATRIX)
    return tuple(_one(a, b, result=_real(large)) for a, b, large in _binary((INT, REAL), containers))


def binary_real(*, to_complex: bool = False) -> tuple[Signature, ...]:
    """As `binary`, without integers."""
    containers = (*_of_array(REAL), VECTOR, ROW_VECTOR, MATRIX)
    pairs = _binary((REAL,), containers)
    return tuple(
        _one(a, b, result=Type(COMPLEX_OF[large.base], large.dims) if to_complex else large) for a, b, large in pairs
    )


def binary_complex() -> tuple[Signature, ...]:
    """As `binary`, of complex numbers."""
    containers = (*_of_array(COMPLEX), *(Type(COMPLEX_OF[kind.base]) for kind in (VECTOR, ROW_VECTOR, MATRIX)))
    return tuple(_one(a, b, result=large) for a, b, large in _binary((COMPLEX,), containers))


def _int_real() -> Iterator[tuple[Type, Type, Type]]:
    """Integers with real numbers; vectors go with arrays, and matrices with arrays of arrays of integers."""
    for dims in range(MAX_DIMS + 1):
        yield INT.array(dims), REAL, REAL.array(dims)
        for kind, deeper in ((REAL.array(), 1), (VECTOR, 1), (ROW_VECTOR, 1), (MATRIX, 2)):
            yield INT, kind.array(dims), kind.array(dims)
            yield INT.array(dims + deeper), kind.array(dims), kind.array(dims)


def binary_int_real() -> tuple[Signature, ...]:
    """Elementwise, the first argument being integer."""
    return tuple(_one(a, b, result=result) for a, b, result in _int_real())


def binary_real_int() -> tuple[Signature, ...]:
    """Elementwise, the second argument being integer."""
    return tuple(_one(b, a, result=result) for a, b, result in _int_real())


def binary_int() -> tuple[Signature, ...]:
    """Elementwise on integers."""
    sizes = range(1, MAX_DIMS + 1)
    pairs = [(INT, INT), *((INT.array(n), INT) for n in sizes), *((INT, INT.array(n)) for n in sizes)]
    pairs += [(INT.array(n), INT.array(n)) for n in sizes]
    return tuple(_one(a, b, result=max(a, b, key=lambda kind: kind.dims)) for a, b in pairs)


def first_decides(num_arguments: int) -> tuple[Signature, ...]:
    """Elementwise as bounds are: the first argument has the shape of the result, the others that or are scalar."""
    found = [_one(*[REAL] * num_arguments, result=REAL)]
    for large in _nested(REAL.array(), VECTOR, ROW_VECTOR, MATRIX):
        for others in product((large, REAL), repeat=num_arguments - 1):
            found.append(_one(large, *others, result=large))
    return tuple(found)


def rows_in_arrays(text: str) -> tuple[Signature, ...]:
    """A row with the same number of array dimensions, from none to `MAX_DIMS`, around every type marked by `N`."""
    prefixes = ("", *(f"array[{',' * dims}] " for dims in range(MAX_DIMS)))
    return tuple(row(re.sub(r"\bN ", prefix, text)) for prefix in prefixes)
