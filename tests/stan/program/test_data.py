"""Values of the data block: what is taken, and what is refused with which words."""

import jax.numpy as jnp
import numpy as np
import pandas
import pytest
import xarray

from pathfinder.stan import StanDataError, StanEvaluationError, check, parse
from pathfinder.stan._program.data import read_data, take_from
from pathfinder.stan._program.files import load_data
from pathfinder.stan._program.program import bind


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("y", pandas.Series([1, 2, 2.5])),
        ("y", pandas.Series([1, 2, 2.5], dtype="Float64")),
        ("y", xarray.DataArray([1, 2, 2.5], dims="n")),
        ("y", jnp.array([1, 2, 2.5])),
        ("k", pandas.DataFrame([[0, 1, 0], [1, 1, 1]])),
        ("k", np.array([[False, True, False], [True, True, True]])),
        ("m", pandas.DataFrame({"a": [1, 3, 5], "b": [2.0, 4.0, 6.0]})),
        ("N", np.int32(3)),
        ("N", np.array(3)),
        ("none", pandas.Series([], dtype=float)),
    ],
)
def test_arrays_of_other_packages(name, value):
    same, values = read(DATA), read({**DATA, name: value})
    np.testing.assert_array_equal(values[name], same[name])
    assert np.asarray(values[name]).dtype == np.asarray(same[name]).dtype


def test_integers_of_pandas_that_might_be_missing():
    program = "data { array[2] int k; } model { }"
    assert read({"k": pandas.Series([1, 2], dtype="Int64")}, program)["k"].tolist() == [1, 2]
    with pytest.raises(StanDataError, match="`k` is an int, but holds"):
        read({"k": pandas.Series([1, None], dtype="Int64")}, program)


ANY_SHAPE = """\
data { int N; matrix[0, 3] a; array[2, 0] real b; array[0] int c; tuple(int, real) t; complex z; }
model { }
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("d.json", '{"N": 3, "a": [], "b": [[], []], "c": [], "t": {"1": 4, "2": "-Inf"}, "z": [1, 2]}'),
        ("d.json", '{"N": 3, "b": [], "t": {"1": 4, "2": -Infinity}, "z": [1, 2], "a.b": null}'),
    ],
)
def test_values_of_files(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    values = read_data(check(parse(ANY_SHAPE)), take_from(load_data(tmp_path / name)))
    assert values["t"] == (4, -np.inf)
    assert values["z"] == 1 + 2j
    assert [values[name].shape for name in "abc"] == [(0, 3), (2, 0), (0,)]


def test_values_of_an_r_dump(tmp_path):
    program = "data { int N; matrix[2, N] m; vector[N] v; real x; array[0] int none; } model { }"
    (tmp_path / "d.data.R").write_text("N <- 2L\nm <- structure(1:4, .Dim = c(2, 2))\nv <- c(1, NaN)\nx <- -Inf\n")
    values = read_data(check(parse(program)), take_from(load_data(str(tmp_path / "d.data.R"))))
    np.testing.assert_array_equal(values["m"], [[1, 3], [2, 4]])
    np.testing.assert_array_equal(values["v"], [1, np.nan])
    assert (values["N"], values["x"], values["none"].size) == (2, -np.inf, 0)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("d.json", '{"N": [1, ', r'^file ".*d.json", line 1, column 11 .*expected a value'),
        ("d.json", '{"N": true}', "variable `N` has `true`; write 1 for true"),
        ("d.json", '{"N": "+inf"}', "variable `N` has the string"),
        ("d.json", '{"N": [[1], [2, 3]]}', "has 1 elements in its first row and 2 in row 2"),
        ("d.R", "N = 3", "expected `<-` after the name `N`"),
        ("d.R", '{"N": 3}', "JSON files must have names that end in .json"),
    ],
)
def test_files_that_are_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        dict(load_data(tmp_path / name))


@pytest.mark.parametrize("value", [[1.0, 2.0], np.array([1.0, 2.0]), 1 + 2j])
def test_complex_numbers(value):
    assert read({**DATA, "c": value})["c"] == 1 + 2j


@pytest.mark.parametrize(
    ("changed", "variable", "line", "message"),
    [
        ({"N": None}, "N", 2, "`N` holds None, but Stan has no missing values; whole numbers are expected."),
        ({"N": 3.0}, "N", 2, "`N` is an int, but holds real numbers such as 3.0"),
        ({"N": "3"}, "N", 2, "`N` holds '3'; whole numbers are expected."),
        ({"N": 10**30}, "N", 2, "`N` holds 1000000"),
        ({"k": [[0, 1, 0.5], [1, 1, 1]]}, "k", 5, "`k` is an int, but holds real numbers such as 0.5"),
        ({"k": pandas.Series([0, None, 1])}, "k", 5, "`k` is an int, but holds real numbers such as nan"),
        ({"y": pandas.Series(["a", "b", "a"], dtype="category")}, "y", 3, "`y` holds 'a'; numbers are expected."),
        ({"c": [1, 2, 3]}, "c", 8, "with shape [2], but has shape [3]"),
        ({"N": 2**31}, "N", 2, "integers beyond 32 bits"),
        ({"N": -1}, "N", 2, "N is -1, but is declared with lower=0."),
        ({"N": 2}, "y", 3, "`y` is declared as `array[N] real<upper=2.5>`, that is with shape [2], but has shape [3]."),
        ({"N": [3]}, "N", 2, "with shape [], but has shape [1]"),
        ({"y": [1, 2, 3]}, "y", 3, "y[3] is 3, but is declared with upper=2.5."),
        ({"y": [1, np.nan, 2]}, "y", 3, "y[2] is nan"),
        ({"y": [1, [2], 3]}, "y", 3, "`y` is not rectangular"),
        ({"y": ["1", "2", "3"]}, "y", 3, "`y` holds '1'; numbers are expected"),
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


_NAMED = "data { int N; vector[N] y; } model { }"


@pytest.mark.parametrize(
    ("name", "extra", "wrong"),
    [
        ("d.R", 'g <- c("a", "b")\nf <- NULL\n', 'c("a", "b")'),
        ("d.json", '"g": ["a", "b"], "f": null, ', '["a", "b"]'),
    ],
)
def test_what_is_no_number_matters_only_where_it_is_declared(tmp_path, name, extra, wrong):
    file = tmp_path / name
    text = "{0}N <- 2\ny <- {1}\n" if name.endswith(".R") else '{{{0}"N": 2, "y": {1}}}'
    file.write_text(text.format(extra, "c(1.5, 2)" if name.endswith(".R") else "[1.5, 2]"))
    np.testing.assert_array_equal(read(load_data(file), _NAMED)["y"], [1.5, 2])
    file.write_text(text.format(extra, wrong))
    with pytest.raises(StanDataError, match="variable `y`") as caught:
        read(load_data(file), _NAMED)
    assert "string" in str(caught.value)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (
            "transformed data { real<lower=0> s; }",
            "variable `s` was never assigned a value, so its constraint lower=0 ",
        ),
        ("transformed data { array[2] int<upper=1> s; s[1] = 0; }", "variable `s[2]` was never assigned a value"),
        (
            "transformed data { simplex[2] s; }",
            "`s[1]` was never assigned a value, so its constraint simplex is not met",
        ),
        ("transformed data { array[2] tuple(real<lower=0>, int) s; s[1].1 = 1; }", "`s.1[2]` was never assigned"),
        (
            "transformed data { real t; real<lower=0> s = t + 1; }",
            "`s` was never assigned a value, or only one computed",
        ),
        ("transformed data { real<lower=0> s = log(-1.0); }", "below the lower bound, but is not a number"),
        (
            "parameters { real a; } transformed parameters { vector<lower=0>[2] s; s[1] = exp(a); }",
            "parameter `s[2]` was",
        ),
    ],
)
def test_variables_that_were_never_assigned_are_named(block, said):
    try:
        program = bind(check(parse(f"{block} model {{ }}")), {})
        message = program.rejection(np.zeros(program.dim))
    except StanEvaluationError as error:
        message = str(error)
    assert said in message
    assert "line 1, column" in message
