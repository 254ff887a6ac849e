"""Types are printed as Stan writes them, and promoted as stanc does."""

import pytest

from pathfinder.stan import parse
from pathfinder.stan._types.signature import type_of_text
from pathfinder.stan._types.types import INT, REAL, VECTOR, Type, common_type, declared_type, promotions


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (INT, "int"),
        (REAL.array(), "array[] real"),
        (VECTOR.array(3), "array[,,] vector"),
        (Type("tuple", 2, (INT, VECTOR.array())), "array[,] tuple(int, array[] vector)"),
    ],
)
def test_printed(found, text):
    assert str(found) == text
    assert type_of_text(text) == found


def test_array_dimensions_come_and_go():
    assert REAL.array(2).array(-1) == REAL.array()
    assert REAL.array(2).innermost() == REAL


@pytest.mark.parametrize(
    ("found", "wanted", "number"),
    [
        ("int", "int", 0),
        ("int", "real", 1),
        ("int", "complex", 2),
        ("real", "complex", 1),
        ("real", "int", None),
        ("array[,] int", "array[,] real", 1),
        ("array[] int", "array[,] real", None),
        ("array[] int", "vector", None),
        ("vector", "complex_vector", 1),
        ("vector", "row_vector", None),
        ("matrix", "complex_matrix", 1),
        ("tuple(int, vector)", "tuple(complex, complex_vector)", 3),
        ("tuple(int, real)", "tuple(real)", None),
        ("tuple(real, real)", "tuple(real, int)", None),
    ],
)
def test_promotions(found, wanted, number):
    assert promotions(type_of_text(found), type_of_text(wanted)) == number


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("int", "real", "real"),
        ("complex", "int", "complex"),
        ("row_vector", "complex_row_vector", "complex_row_vector"),
        ("tuple(int, real)", "tuple(real, int)", "tuple(real, real)"),
        ("array[] int", "int", None),
        ("vector", "matrix", None),
        ("tuple(int, real)", "tuple(int, vector)", None),
        ("tuple(int, real)", "tuple(int)", None),
    ],
)
def test_common_type(one, other, both):
    expected = both and type_of_text(both)
    assert common_type(type_of_text(one), type_of_text(other)) == expected
    assert common_type(type_of_text(other), type_of_text(one)) == expected


def test_declared_types_carry_no_constraints():
    program = parse("data { array[2, 3] simplex[4] s; tuple(cov_matrix[2], array[2] int<lower=0>) t; }")
    assert program.data is not None
    types = [str(declared_type(declaration.type)) for declaration in program.data.statements]  # pyright: ignore
    assert types == ["array[,] vector", "tuple(matrix, array[] int)"]
