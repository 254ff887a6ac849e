"""Declarations of data in a model file."""

import numpy as np
import pytest

from pathfinder_cli._errors import InputError, RunError
from pathfinder_cli._inputs.input_file import InputFile
from pathfinder_cli._models.data_block import check_data


def checked(block, **values):
    arrays = {name: np.asarray(value) for name, value in values.items()}
    file = InputFile("d.json", "json", arrays)
    program = f'data_block = """{block}"""'
    return check_data(block, file, model_name="m_model", program=program, path="m.py")


@pytest.mark.parametrize(
    ("block", "values", "shapes"),
    [
        ("", {}, {}),
        ("// nothing\n", {}, {}),
        ("int N;", {"N": 3}, {"N": ()}),
        ("int<lower=0>N;real<upper = 1.5>x;", {"N": 3, "x": 1}, {"N": (), "x": ()}),
        (
            "int N; vector[N] v; row_vector[2] w;",
            {"N": 3, "v": [1, 2, 3], "w": [1, 2]},
            {"N": (), "v": (3,), "w": (2,)},
        ),
        ("int N; matrix[N, 2 * N - 1] m; // m", {"N": 2, "m": np.ones((2, 3))}, {"N": (), "m": (2, 3)}),
        ("array[2] vector<lower=0, upper=1>[3] a;", {"a": np.ones((2, 3))}, {"a": (2, 3)}),
        ("array[2, 3] matrix[4, 5] a;", {"a": np.ones((2, 3, 4, 5))}, {"a": (2, 3, 4, 5)}),
        ("int N; array[N] int<lower=-N, upper=N + 1> y;", {"N": 2, "y": [-2, 3]}, {"N": (), "y": (2,)}),
    ],
)
def test_declarations(block, values, shapes):
    found = checked(block, **values)
    assert {name: value.shape for name, value in found.items()} == shapes


def test_reals_come_as_reals_and_names_that_are_not_declared_not_at_all():
    found = checked("real x; int n;", x=1, n=2, other=3)
    assert found["x"].dtype == np.float64
    assert found["n"].dtype == np.int64
    assert list(found) == ["x", "n"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"y": [1]},
            r"variable does not exist; .*variable name=N; base type=int \(in 'm.py', line 2, column 2 to column 17\)",
        ),
        ({"N": 2, "y": [1]}, r"dims declared=\(2\); dims found=\(1\) \(in 'm.py', line 3, column 2 to column 35\)"),
        ({"N": -1, "y": []}, "m_model_namespace::m_model: N is -1, but must be greater than or equal to 0.000000"),
        ({"N": 1, "y": [3]}, r"y\[1\] is 3, but must be less than or equal to 1.000000"),
        ({"N": 1, "y": [0.5]}, "int variable contained non-int values"),
    ],
)
def test_errors_are_those_of_a_stan_program(values, message):
    with pytest.raises(InputError, match=message):
        checked("\n  int<lower=0> N;\n  array[N] int<lower=0, upper=1> y;\n", **values)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("int N", r"m.py, line 1, data_block: cannot read `int N`; expected a declaration such as `int<lower=0> N;`"),
        ("\nint N;\nsimplex[3] p;", "line 3, data_block: cannot read `simplex"),
        ("int N[3];", "cannot read `int N"),
        ("real[3] x;", "a real has 0 sizes"),
        ("vector x;", "a vector has 1 sizes"),
        ("matrix[3] x;", "a matrix has 2 sizes"),
        ("int<mean=0> N;", "cannot read the bound `mean=0`"),
        ("vector[N] x; int N;", "cannot evaluate `N` in the declaration of `x`; integers declared before it: none"),
        ("int K; vector[K / 2] x;", "cannot evaluate `K / 2` .* integers declared before it: K"),
        ("int K; vector[__import__('os')] x;", "cannot evaluate"),
        ("vector[] x;", "a vector has 1 sizes"),
    ],
)
def test_malformed_blocks(block, message):
    with pytest.raises(RunError, match=message):
        checked(block, N=1, K=1, x=1)
