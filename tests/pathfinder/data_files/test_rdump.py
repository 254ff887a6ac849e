import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pathfinder._data_files import InputFileError, parse_rdump


def parse(text):
    return parse_rdump(text.encode(), "f.R")


def refusal(text):
    with pytest.raises(InputFileError) as caught:
        dict(parse(text))
    return f"{caught.value.message}\nError: {caught.value.detail}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", np.int64(3)),
        ("3L", np.int64(3)),
        ("-3l", np.int64(-3)),
        ("+ 3", np.int64(3)),
        ("3.", np.float64(3)),
        (".5", np.float64(0.5)),
        ("-1e-3", np.float64(-0.001)),
        ("Inf", np.float64("inf")),
        ("-Infinity", np.float64("-inf")),
        ("nan", np.float64("nan")),
        ("NaN", np.float64("nan")),
        ("1:3", np.array([1, 2, 3])),
        ("3:1", np.array([3, 2, 1])),
        ("-1 : 1", np.array([-1, 0, 1])),
        ("2:2", np.array([2])),
        ("c()", np.zeros(0, np.int64)),
        ("c(1)", np.array([1])),
        ("c(1L, 2L,\n 3L)", np.array([1, 2, 3])),
        ("c(1, 2.5, 3)", np.array([1, 2.5, 3])),
        ("c(0.5, 99999999999)", np.array([0.5, 99999999999.0])),
        ("integer()", np.zeros(0, np.int64)),
        ("integer(0)", np.zeros(0, np.int64)),
        ("integer(3)", np.zeros(3, np.int64)),
        ("double(2)", np.zeros(2)),
        ("structure(c(1,2,3,4,5,6), .Dim = c(2,3))", np.array([[1, 3, 5], [2, 4, 6]])),
        ("structure(1:6, .Dim = c(3L, 2L))", np.array([[1, 4], [2, 5], [3, 6]])),
        ("structure(1:6, .Dim = 2:3)", np.array([[1, 3, 5], [2, 4, 6]])),
        ("structure(integer(0), .Dim = c(2, 0))", np.zeros((2, 0), np.int64)),
        ('c(a = 1, `b c` = 2, "d)" = 3)', np.array([1, 2, 3])),
        ("structure(c(1, 2.5), .Names = c('a', \"b)\"))", np.array([1, 2.5])),
        ("structure(1:4, .Dimnames = list(NULL, c('a', 'b')), .Dim = c(2L, 2L))", np.array([[1, 3], [2, 4]])),
        ("structure(1:4, dim = c(2L, 2L), dimnames = list(c('x', 'y'), NULL))", np.array([[1, 3], [2, 4]])),
        ("structure(double(4), .Dim = c(2, 2))", np.zeros((2, 2))),
    ],
)
def test_value(text, expected):
    expected = np.asarray(expected)
    for name in ("a", '"a"', "'a'"):
        values = parse(f"before <- 1\n{name} <- {text}\nafter<-c(1,\t2)")
        assert list(values) == ["before", "a", "after"]
        value = values["a"]
        assert isinstance(value, np.ndarray)
        assert (value.shape, value.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_array_equal(value, expected)


def test_names_may_have_dots():
    assert list(parse("a.b_1 <- 1")) == ["a.b_1"]


def test_comments_are_skipped():
    assert parse("# data\nN <- 2 # two\ny <- c(1, # one\n 2)\n#end").keys() == {"N", "y"}


def test_the_last_of_two_assignments_counts():
    assert parse("a <- 1\na <- 2.5") == {"a": 2.5}


def test_empty_file():
    assert parse(" \n") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a <- ", "data a syntax error"),
        ("a <- NA", "data a syntax error"),
        ("a <- c(1, 2", "data a syntax error"),
        ("a <- c(1 2)", "data a syntax error"),
        ("a <- c(1,)", "data a syntax error"),
        ("a <- list(1)", "data a syntax error"),
        ("a <- 'x'", "data a syntax error"),
        ("a <- 1.5:3", "data a syntax error"),
        ("a <- 1:2000000000", "data a syntax error"),
        ("a <- structure(c(1,2))", "data a syntax error"),
        ("a <- structure(c(1,2), .Dim = c(3))", "data a syntax error"),
        ("a <- structure(c(1,2), .Dim = c(-1, -2))", "data a syntax error"),
        ("a <- structure(c(1,2), .Dim = c(1.0, 2))", "data a syntax error"),
        ("a <- structure(c(1,2), .Dim = structure(1, 2))", "data a syntax error"),
        ("a <- 2147483648", "data a value 2147483648 beyond int range"),
        ("a <- integer(99999999999)", "data a value 99999999999 beyond int range"),
        ("a <- integer(2000000000)", "data a value 2000000000 beyond int range"),
        ("a <- 1e999", "data a value 1e999 beyond numeric range"),
        ("a <- 1e-999", "data a value 1e-999 beyond numeric range"),
        ("a <- 1-2", "data a value 1-2 beyond numeric range"),
        ("a = 3", 'Error reading R dump file "f.R"'),
        ("a <- 1; b <- 2", 'Error reading R dump file "f.R"'),
        ("1a <- 1", 'Error reading R dump file "f.R"'),
        ("a", 'Error reading R dump file "f.R"'),
    ],
)
def test_refused(text, message):
    lines = refusal(text).split("\n")
    assert lines[0] == message
    assert lines[1].startswith('Error: file "f.R", line 1, column ')
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('c("a", "b <- 1", \'c)\')', "a string cannot be data"),
        ("NULL", "no missing values"),
        ("c(1, NA)", "no missing values"),
        ("TRUE", "write 1 for TRUE, 0 for FALSE"),
        ("c(TRUE,\n FALSE)", "write 1 for TRUE, 0 for FALSE"),
        ("character(0)", "expected a number"),
        ('structure(c(1L, 2L), .Label = c("x", "y"), class = "factor")', "the attribute `.Label`"),
        ('structure(c(1L, 2L), levels = c("x", "y"), class = "factor")', "the attribute `levels`"),
        (
            'structure(list(x = 1:3, y = c("(", "b")), class = "data.frame", row.names = c(NA, -3L))',
            "expected a number",
        ),
        ("function(x) { y <- x # it's (\n x + 1 }", "expected a number"),
    ],
)
def test_what_is_no_number_is_an_error_only_when_it_is_looked_up(text, said):
    values = parse(f"N <- 2\nother <- {text}\ny <- c(1, 2)\n")
    assert (values["N"], list(values["y"])) == (2, [1, 2])  # pyright: ignore[reportArgumentType]
    assert list(values) == ["N", "other", "y"]
    with pytest.raises(InputFileError, match="line 2, .*variable `other`") as caught:
        values["other"]
    assert said in caught.value.detail


@pytest.mark.parametrize("text", ["a <- c('x\nN <- 2", "a <- c('x'\nN <- 2", "a <- 'x')\nN <- 2", "a <-\nN <- 2"])
def test_what_has_no_end_is_an_error_of_the_file(text):
    with pytest.raises(InputFileError, match="variable `a`"):
        parse(text)


def test_place_of_what_is_not_an_assignment():
    text = refusal("N <- 2\n  y = c(1, 2)")
    assert "line 2, column 5 (offset 11): expected `<-` after the name `y`, found `=`" in text


def test_json_under_another_name():
    assert "JSON files must have names that end in .json" in refusal('{"N": 1}')


@settings(deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.dtype(np.int64), np.dtype(np.float64)]),
        hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
        elements=st.integers(-1000, 1000),
    )
)
def test_arrays_as_r_dumps_them(array):
    suffix = "L" if array.dtype == np.int64 else ".5"
    numbers = ", ".join(f"{int(x)}{suffix}" for x in array.ravel(order="F"))
    value = parse(f"a <- structure(c({numbers}), .Dim = c({', '.join(f'{n}L' for n in array.shape)}))")["a"]
    assert isinstance(value, np.ndarray)
    expected = array if array.dtype == np.int64 else array + np.where(np.signbit(array), -0.5, 0.5)
    np.testing.assert_array_equal(value, expected)
    assert value.flags.c_contiguous


_SAMPLE = b'N <- 10L # c\n"y" <- structure(c(1, -2.5e3, Inf, NaN), .Dim = c(2, 2))\nz <- 1:3\nw <- integer(2)\n'


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(_SAMPLE)), st.integers(0, 3), st.binary(max_size=3)), min_size=1, max_size=4)
)
def test_damaged_text_raises_nothing_but_its_own_error(edits):
    raw = _SAMPLE
    for position, removed, inserted in edits:
        raw = raw[:position] + inserted + raw[position + removed :]
    refused = ""
    try:
        values = dict(parse_rdump(raw, "f.R"))
    except InputFileError as error:
        values, refused = {}, error.detail
    assert (
        refused.startswith('file "f.R", line ')
        if refused
        else all(isinstance(value, np.ndarray) for value in values.values())
    )
