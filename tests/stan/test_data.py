"""Values of the data block: what is taken, and what is refused with which words."""

import numpy as np
import pytest

from pathfinder.stan import StanDataError, StanEvaluationError, check, parse
from pathfinder.stan._data import read_data, take_from


PROGRAM = """\
data {
  int<lower=0> N;
  array[N] real<upper=2.5> y;
  vector<lower=y[1]>[N] z;
  array[2, N] int<lower=0, upper=1> k;
  matrix[N, 2] m;
  simplex[2] p;
  complex c;
  tuple(int, vector[N]) t;
  array[2] tuple(real, array[N] int) u;
  array[N - 3] int none;
}
model { }
"""
DATA = {
    "N": 3,
    "y": [1, 2, 2.5],
    "z": np.array([1.0, 2.0, np.inf]),
    "k": np.array([[0, 1, 0], [1, 1, 1]], dtype=np.int8),
    "m": [[1, 2], [3, 4], [5, 6]],
    "p": (0.25, 0.75),
    "c": 1 + 2j,
    "t": (4, [1.0, 2.0, 3.0]),
    "u": [(0.5, [1, 2, 3]), {"1": 1.5, "2": [4, 5, 6]}],
    "unused": "anything",
}


def read(data, program=PROGRAM):
    return read_data(check(parse(program)), take_from(data))


def test_values_in_the_evaluators_form():
    values = read(DATA)
    assert list(values) == ["N", "y", "z", "k", "m", "p", "c", "t", "u", "none"]
    assert values["N"] == 3
    np.testing.assert_array_equal(values["y"], [1.0, 2.0, 2.5])
    assert values["k"].dtype == np.int64
    np.testing.assert_array_equal(values["m"], [[1, 2], [3, 4], [5, 6]])
    assert values["c"] == 1 + 2j
    assert values["t"][0] == 4
    np.testing.assert_array_equal(values["u"][0], [0.5, 1.5])
    np.testing.assert_array_equal(values["u"][1], [[1, 2, 3], [4, 5, 6]])
    assert values["none"].shape == (0,)


def test_tuples_as_json_has_them():
    same = read({**DATA, "t": {"1": 4, "2": [1, 2, 3]}, "u": {"1": [0.5, 1.5], "2": [[1, 2, 3], [4, 5, 6]]}})
    np.testing.assert_array_equal(same["t"][1], [1, 2, 3])
    np.testing.assert_array_equal(same["u"][1], [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize("value", [[1.0, 2.0], np.array([1.0, 2.0]), 1 + 2j])
def test_complex_numbers(value):
    assert read({**DATA, "c": value})["c"] == 1 + 2j


@pytest.mark.parametrize(
    ("changed", "variable", "line", "message"),
    [
        ({"N": None}, "N", 2, "`N` holds object, but int numbers are expected."),
        ({"N": 3.0}, "N", 2, "`N` is an int, but holds real numbers such as 3.0"),
        ({"N": 2**31}, "N", 2, "integers beyond 32 bits"),
        ({"N": -1}, "N", 2, "N is -1, but is declared with lower=0."),
        ({"N": 2}, "y", 3, "`y` is declared as `array[N] real<upper=2.5>`, that is with shape [2], but has shape [3]."),
        ({"N": [3]}, "N", 2, "with shape [], but has shape [1]"),
        ({"y": [1, 2, 3]}, "y", 3, "y[3] is 3, but is declared with upper=2.5."),
        ({"y": [1, np.nan, 2]}, "y", 3, "y[2] is nan"),
        ({"y": [1, [2], 3]}, "y", 3, "`y` is not rectangular"),
        ({"y": ["1", "2", "3"]}, "y", 3, "real numbers are expected"),
        ({"z": [1, 2, 0.5]}, "z", 4, "z[3] is 0.5, but is declared with lower=1."),
        ({"k": [[0, 1, 2], [0, 0, 0]]}, "k", 5, "k[1,3] is 2, but is declared with upper=1."),
        ({"m": np.zeros((2, 3))}, "m", 6, "with shape [3, 2], but has shape [2, 3]"),
        ({"p": [0.5, 0.6]}, "p", 7, "`p`: "),
        ({"t": (4,)}, "t.2", 9, "give a tuple as a Python tuple"),
        ({"t": (4.5, [1, 2, 3])}, "t.1", 9, "`t.1` is an int, but holds real numbers such as 4.5"),
        ({"u": [(0.5, [1, 2, 3])]}, "u.1", 10, "with shape [2], but has shape [1]"),
        ({"none": [1]}, "none", 11, "with shape [0], but has shape [1]"),
    ],
)
def test_what_is_refused(changed, variable, line, message):
    with pytest.raises(StanDataError) as caught:
        read({**DATA, **changed})
    assert message in str(caught.value)
    assert caught.value.variable == variable
    assert str(caught.value).startswith(f"model, line {line}, column 3: ")


def test_a_missing_variable():
    with pytest.raises(StanDataError, match="`y` is missing: the data have `N`, `z`"):
        read({"N": 3, "z": [1]})
    with pytest.raises(StanDataError, match="`N` is missing: the data have nothing"):
        read({})


def test_a_negative_size():
    with pytest.raises(StanDataError, match=r"model, line 1, column 15: a size is -2; sizes cannot be negative"):
        read({"N": -2}, "data { int N; vector[N] x; } model { }")


def test_data_errors_are_not_errors_of_evaluation():
    assert not issubclass(StanDataError, StanEvaluationError)
