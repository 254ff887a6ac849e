"""Types of expressions.

Source: Stan reference manual, "Data types". Constraints are no part of the type of an expression: a `simplex` is a
`vector` here, a `cov_matrix` a `matrix`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pathfinder.stan._syntax.tree import SizedType, UnsizedType


@dataclass(frozen=True)
class Type:
    """Type of an expression.

    Attributes:
        base: `int`, `real`, `complex`, `vector`, `row_vector`, `matrix`, the last three with `complex_` in front,
            `tuple`, or `function` for a function that is passed by name.
        dims: Number of array dimensions around it.
        elements: Types of the elements of a `tuple`.
    """

    base: str
    dims: int = 0
    elements: tuple[Type, ...] = ()

    def __hash__(self) -> int:
        # Types are the keys of all caches; tuples are too rare to look into them here.
        return hash((self.base, self.dims))

    def __str__(self) -> str:
        inside = f"({', '.join(map(str, self.elements))})" if self.base == "tuple" else ""
        return f"{self._array_words()}{self.base}{inside}"

    def _array_words(self) -> str:
        return f"array[{',' * (self.dims - 1)}] " if self.dims else ""

    @property
    def rank(self) -> int:
        """Number of axes of a value that is no tuple: those of the array, one of a vector, two of a matrix."""
        return self.dims + (2 if self.base.endswith("matrix") else 1 if self.base.endswith("vector") else 0)

    def array(self, dims: int = 1) -> Type:
        """The type with `dims` more array dimensions around it; fewer where negative."""
        return replace(self, dims=self.dims + dims)

    def innermost(self) -> Type:
        """The type without the arrays around it."""
        return replace(self, dims=0)


INT = Type("int")
REAL = Type("real")
COMPLEX = Type("complex")
VECTOR = Type("vector")
ROW_VECTOR = Type("row_vector")
MATRIX = Type("matrix")
COMPLEX_VECTOR = Type("complex_vector")
COMPLEX_ROW_VECTOR = Type("complex_row_vector")
COMPLEX_MATRIX = Type("complex_matrix")
FUNCTION = Type("function")

SCALARS = ("int", "real", "complex")
COMPLEX_OF = {
    "int": "complex",
    "real": "complex",
    "vector": "complex_vector",
    "row_vector": "complex_row_vector",
    "matrix": "complex_matrix",
}
_UNCONSTRAINED = {
    "ordered": "vector",
    "positive_ordered": "vector",
    "simplex": "vector",
    "unit_vector": "vector",
    "sum_to_zero_vector": "vector",
    "sum_to_zero_matrix": "matrix",
    "cholesky_factor_corr": "matrix",
    "cholesky_factor_cov": "matrix",
    "corr_matrix": "matrix",
    "cov_matrix": "matrix",
    "row_stochastic_matrix": "matrix",
    "column_stochastic_matrix": "matrix",
}


def declared_type(declared: SizedType | UnsizedType) -> Type:
    """Type of the variable, argument or result that is declared so."""
    dims = declared.dims if isinstance(declared, UnsizedType) else len(declared.dims)
    elements = tuple(declared_type(element) for element in declared.elements)
    return Type(_UNCONSTRAINED.get(declared.base, declared.base), dims, elements)


def promotions(found: Type, wanted: Type) -> int | None:
    """How many promotions lead from one type to the other; None if none do.

    As in stanc3's `src/middle/UnsizedType.ml`: an integer becomes real or complex, a real number complex, also inside
    of arrays, vectors and tuples; those of the elements of a tuple add up.
    """
    if found == wanted:
        return 0
    if found.dims != wanted.dims:
        return None
    if found.base == wanted.base == "tuple" and len(found.elements) == len(wanted.elements):
        total = 0
        for one, other in zip(found.elements, wanted.elements, strict=True):
            cost = promotions(one, other)
            if cost is None:
                return None
            total += cost
        return total
    if found.base == "int":
        return {"real": 1, "complex": 2}.get(wanted.base)
    return 1 if COMPLEX_OF.get(found.base) == wanted.base else None


def common_type(one: Type, other: Type) -> Type | None:
    """The type that both can be promoted to with nothing lost; None if there is none."""
    if promotions(one, other) is not None:
        return other
    if promotions(other, one) is not None:
        return one
    if one.base == other.base == "tuple" and one.dims == other.dims and len(one.elements) == len(other.elements):
        pairs = [common_type(a, b) for a, b in zip(one.elements, other.elements, strict=True)]
        elements = tuple(element for element in pairs if element is not None)
        return Type("tuple", one.dims, elements) if len(elements) == len(pairs) else None
    return None
