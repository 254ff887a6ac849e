import json
import math
import re

import numpy as np
import pytest
import stanio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pathfinder._data_files import InputFileError, parse_json


def parse(text):
    return parse_json(text.encode(), "f.json")


def refusal(text):
    with pytest.raises(InputFileError) as caught:
        dict(parse(text))
    return f"{caught.value.message}\nError: {caught.value.detail}"


def read_or_refusal(raw):
    """The values or None, and the text of the error or nothing."""
    try:
        return dict(parse_json(raw, "f.json")), ""
    except InputFileError as error:
        return None, f"{error.message}\nError: {error.detail}"


def assert_same(value, expected):
    if isinstance(expected, dict):
        assert value.keys() == expected.keys()
        for key, member in expected.items():
            assert_same(value[key], member)
        return
    assert value.shape == expected.shape
    assert value.dtype == expected.dtype
    np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", np.int64(3)),
        ("-0", np.int64(0)),
        ("2147483647", np.int64(2**31 - 1)),
        ("-2147483648", np.int64(-(2**31))),
        ("2147483648", np.float64(2**31)),
        ("-2147483649", np.float64(-(2**31) - 1)),
        ("123456789012345678901234567890", np.float64(1.2345678901234568e29)),
        ("1.0", np.float64(1)),
        ("1e3", np.float64(1000)),
        ("1E-2", np.float64(0.01)),
        ("1e-999", np.float64(0)),
        ("NaN", np.float64("nan")),
        ("Inf", np.float64("inf")),
        ("Infinity", np.float64("inf")),
        ("-Inf", np.float64("-inf")),
        ("-Infinity", np.float64("-inf")),
        ('"NaN"', np.float64("nan")),
        ('"Inf"', np.float64("inf")),
        ('"Infinity"', np.float64("inf")),
        ('"-Inf"', np.float64("-inf")),
        ('"-Infinity"', np.float64("-inf")),
        ("[]", np.zeros(0, np.int64)),
        ("[[], []]", np.zeros((2, 0), np.int64)),
        ("[1, 2]", np.array([1, 2])),
        ("[1, 2.0]", np.array([1.0, 2.0])),
        ("[1, 99999999999]", np.array([1.0, 99999999999.0])),
        ('[1, "Inf"]', np.array([1, np.inf])),
        ("[[1, 2, 3], [4, 5, 6]]", np.array([[1, 2, 3], [4, 5, 6]])),
        ("[[1, 2], [3, 4.5]]", np.array([[1, 2], [3, 4.5]])),
        ('{"1": 2, "2": [1.5]}', {"1": np.int64(2), "2": np.array([1.5])}),
        ("{}", {}),
    ],
)
def test_value(text, expected):
    expected = expected if isinstance(expected, dict) else np.asarray(expected)
    assert_same(parse(f'{{"a": {text}}}')["a"], expected)
    assert_same(parse(f'{{"b":1,\n"a":\t{text} , "c" : [1]}}')["a"], expected)


def test_array_of_tuples_is_a_tuple_of_arrays():
    text = '{"t": [[{"1": 1, "2": [1, 2]}], [{"2": [3, 4.5], "1": 2}]]}'
    expected = {"1": np.array([[1], [2]]), "2": np.array([[[1, 2]], [[3, 4.5]]])}
    assert_same(parse(text)["t"], expected)


def test_tuple_within_array_of_tuples():
    text = '{"t": [{"1": {"1": 1, "2": 2}}, {"1": {"1": 3, "2": 4}}]}'
    assert_same(parse(text)["t"], {"1": {"1": np.array([1, 3]), "2": np.array([2, 4])}})


def test_names_that_cannot_be_variables_are_skipped_with_any_value():
    text = '{"1x": null, "a-b": {"c": [true, "s", {"c": 1, "c": 2}]}, "": [[1], 2], "_a": "q", "é": 1, "b": 1, "1x": 2}'
    assert list(parse(text)) == ["b"]


def test_what_is_no_value_is_an_error_only_when_it_is_looked_up():
    values = parse(
        '{"s": ["a", "b"], "n": null, "N": 3, "o": {"x": "q", "y": [true]}, "m": [1, [2]], "r": [[], [1]], "k": [4]}'
    )
    assert list(values) == ["s", "n", "N", "o", "m", "r", "k"]
    assert (values["N"], values["k"]) == (3, [4])
    for name in ("s", "n", "o", "m", "r"):
        with pytest.raises(InputFileError, match=rf"variable `{name}\b"):
            values[name]


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ('{"a": null}', "Variable: a, error: null values not allowed."),
        ('{"a": [1, null]}', "Variable: a, error: null values not allowed."),
        ('{"a": true}', "Variable: a, error: boolean values not allowed."),
        ('{"a": [[false]]}', "Variable: a, error: boolean values not allowed."),
        ('{"a": "1"}', "Variable: a, error: string values not allowed."),
        ('{"a": [1, "nan"]}', "Variable: a, error: string values not allowed."),
        ('{"t": {"1": 1, "2": {"1": ""}}}', "Variable: t.2.1, error: string values not allowed."),
        ('{"t": [{"1": 1}, null]}', "Variable: t, error: null values not allowed."),
        ('{"a": [[1, 2], [1]]}', "Variable: a, error: non-rectangular array."),
        ('{"a": [[], [1]]}', "Variable: a, error: non-rectangular array."),
        ('{"a": [1, [2]]}', "Variable: a, error: ill-formed array."),
        ('{"a": [[1], 2]}', "Variable: a, error: ill-formed array."),
        ('{"a": [[1], [[2]]]}', "Variable: a, error: ill-formed array."),
        ('{"a": [1, {"1": 2}]}', "Variable: a, error: ill-formed array."),
        ('{"a": [{"1": 2}, 1]}', "Variable: a, error: ill-formed array."),
        ('{"t": [{"1": 1}, {"2": 1}]}', "Variable t: size mismatch between tuple elements."),
        ('{"t": [{"1": [1]}, {"1": [1, 2]}]}', "Variable t.1: size mismatch between tuple elements."),
        ('{"a": 1, "a": 2}', "Attempt to redefine variable: a."),
        ('{"t": {"1": 1, "1": 2}}', "Attempt to redefine variable: t.1."),
        ("[1, 2]", "Expecting JSON object, found array."),
    ],
)
def test_refused_value(text, anchor):
    message, _, detail = refusal(text).partition("\n")
    assert message == anchor
    assert detail.startswith('Error: file "f.json"')
    variable = re.search(r"(?:Variable:? |variable: )([\w.]+?)(?:[,:]|\.$)", anchor)
    assert variable is None or f"`{variable.group(1)}`" in detail


@pytest.mark.parametrize(
    ("text", "offset", "reason", "line", "column"),
    [
        ("", 0, "The document is empty.", 1, 1),
        (" \n ", 3, "The document is empty.", 2, 2),
        (" \n  5", 4, "expecting start of object ({) or array ([)", 2, 3),
        ('"a"', 0, "expecting start of object ({) or array ([)", 1, 1),
        ("{} {}", 3, "The document root must not be followed by other values.", 1, 4),
        ('{"a": 1,}', 8, "Missing a name for object member.", 1, 9),
        ("{a: 1}", 1, "Missing a name for object member.", 1, 2),
        ('{"a" 1}', 5, "Missing a colon after a name of object member.", 1, 6),
        ('{"a": 1\n"b": 2}', 8, "Missing a comma or '}' after an object member.", 2, 1),
        ('{"a": [1 2]}', 9, "Missing a comma or ']' after an array element.", 1, 10),
        ('{"a": [01]}', 8, "Missing a comma or ']' after an array element.", 1, 9),
        ('{"a": [1,]}', 9, "Invalid value.", 1, 10),
        ('{"a": nul}', 9, "Invalid value.", 1, 10),
        ('{"a": +1}', 6, "Invalid value.", 1, 7),
        ('{"a": None}', 7, "Invalid value.", 1, 8),
        ('{"a": -x}', 7, "Invalid value.", 1, 8),
        ('{"a": .5}', 6, "Invalid value.", 1, 7),
        ("// c\n{}", 0, "Invalid value.", 1, 1),
        ('\ufeff{"a": 1}', 0, "Invalid value.", 1, 1),
        ('{"a": 1.}', 8, "Miss fraction part in number.", 1, 9),
        ('{"a": [1e]}', 9, "Miss exponent in number.", 1, 10),
        ('{"a": 1.5e+}', 10, "Miss exponent in number.", 1, 11),
        ('{"a": [1, 1e999]}', 10, "Number too big to be stored in double.", 1, 11),
        ('{"a": ' + "9" * 5000 + "}", 6, "Number too big to be stored in double.", 1, 7),
        ('{"ä": 1, "a": x}', 15, "Invalid value.", 1, 15),
        ('{"a": "x', 8, "Missing a closing quotation mark in string.", 1, 9),
        (r'{"a": "\q"}', 7, "Invalid escape character in string.", 1, 8),
        (r'{"a": "\u12g4"}', 7, "Incorrect hex digit after \\u escape in string.", 1, 8),
        (r'{"a": "\ud800"}', 6, "The surrogate pair in string is invalid.", 1, 7),
        ('{"a": "\n"}', 7, "Invalid encoding in string.", 1, 8),
    ],
)
def test_malformed_text(text, offset, reason, line, column):
    lines = refusal(text).split("\n")
    assert lines[:3] == ["Error in JSON parsing ", f"at offset {offset}: ", reason]
    assert lines[3].startswith(f'Error: file "f.json", line {line}, column {column} (offset {offset}): ')
    assert ", found `" in lines[3] or lines[3].endswith("found the end of the file.") or "end of the file," in lines[3]
    assert len(lines) == 4


def test_malformed_text_names_the_variable_it_is_in():
    assert refusal('{"a": [1], "b": {"1": [1 2]}}').endswith("expected `,` or `]`, found `2]}}`, in variable `b.1`.")
    assert "variable" not in refusal('{"a": 1} x')


def test_hints():
    assert "remove the comma after the last member" in refusal('{"a": 1,}')
    assert "remove the comma after the last element" in refusal('{"a": [1,]}')
    assert "byte order mark" in refusal('\ufeff{"a": 1}')
    assert "JSON has no comments" in refusal("# c\n{}")


def test_text_that_is_not_utf8():
    with pytest.raises(InputFileError, match=r"line 2, column 3 .*byte 0xe9 is not UTF-8"):
        parse_json(b'{"a": 1,\n "\xe9": 2}', "f.json")


@pytest.mark.parametrize("opening", ["[", '{"1":', '[{"1":'])
def test_deep_nesting_is_refused_without_recursion(opening):
    closing = opening[::-1].replace("[", "]").replace("{", "}").replace('":1"', "").replace(':"1"', "")
    closing = "".join(c for c in closing if c in "]}")
    assert "nested more than 64 deep" in refusal('{"a": ' + opening * 10_000 + "1" + closing * 10_000 + "}")
    assert parse('{"a-b": ' + opening * 10_000 + "1" + closing * 10_000 + "}") == {}
    assert "Missing a comma" in refusal('{"a-b": ' + "[" * 10_000 + "1")


def test_as_many_dimensions_as_numpy_has():
    assert parse('{"a": ' + "[" * 64 + "1" + "]" * 64 + "}")["a"].shape == (1,) * 64
    assert "nested more than 64 deep" in refusal('{"a": ' + "[" * 65 + "1" + "]" * 65 + "}")


_SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
_ARRAYS = st.one_of(
    hnp.arrays(np.int64, _SHAPES, elements=st.integers(-(2**31), 2**31 - 1)),
    hnp.arrays(np.float64, _SHAPES, elements=st.floats(width=64)),
)
_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)


@settings(deadline=None)
@given(st.dictionaries(_NAMES, _ARRAYS, max_size=4))
def test_what_stanio_writes_is_read(variables):
    values = parse(stanio.dump_stan_json(variables))
    assert values.keys() == variables.keys()
    for name, array in variables.items():
        # nested lists do not tell the sizes behind one that is 0
        kept = array.shape[: array.shape.index(0) + 1] if 0 in array.shape else array.shape
        assert values[name].shape == kept
        np.testing.assert_array_equal(values[name], array.reshape(kept))
        assert array.size == 0 or values[name].dtype == np.int64 or array.dtype == np.float64


@settings(deadline=None)
@given(st.lists(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_flat_arrays_are_read_as_element_by_element(numbers):
    if any(isinstance(x, int) and abs(x) > 1e308 for x in numbers):
        return
    fast = parse(json.dumps({"a": numbers}))["a"]
    slow = parse(json.dumps({"a": [[x] for x in numbers]}))["a"][:, 0]
    spelled = parse('{"a": [' + ", ".join([*map(json.dumps, numbers), '"Inf"']) + "]}")["a"][:-1]
    assert fast.dtype == slow.dtype
    np.testing.assert_array_equal(fast, slow)
    np.testing.assert_array_equal(fast, spelled)
    whole = all(isinstance(x, int) and -(2**31) <= x < 2**31 for x in numbers)
    assert (fast.dtype == np.int64) == whole
    np.testing.assert_array_equal(fast, np.array(numbers, dtype=np.float64))


_SAMPLE = (
    b'{ "N" : 10, "y" : [0,1.5,-2e-3,"Inf",NaN], "m":[[1,2],[3,4]], "t":[{"1":1,"2":[1]}], '
    b'"1x": [null, {"a": "\\u00e9\\n"}], "k": -Infinity }'
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(_SAMPLE)), st.integers(0, 3), st.binary(max_size=3)), min_size=1, max_size=4)
)
def test_damaged_text_raises_nothing_but_its_own_error(edits):
    raw = _SAMPLE
    for position, removed, inserted in edits:
        raw = raw[:position] + inserted + raw[position + removed :]
    values, refused = read_or_refusal(raw)
    assert isinstance(values, dict) or re.search(r"^E[rx]", refused, re.MULTILINE)


@settings(deadline=None)
@given(st.text('{}[],:"1a.-e+NaInfity \\ntrul0', max_size=40))
def test_random_text_raises_nothing_but_its_own_error(text):
    values, refused = read_or_refusal(text.encode())
    assert isinstance(values, dict) or re.search(r"^E[rx]", refused, re.MULTILINE)


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(), st.sampled_from(["Inf", "NaN", "x"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("12a"), inner, max_size=2)),
    max_leaves=12,
)


@settings(deadline=None)
@given(_JSON)
def test_any_json_is_read_or_refused_by_its_values(value):
    values, refused = read_or_refusal(json.dumps({"v": value, "not-checked": value}).encode())
    assert refused.startswith(("Variable: v", "Variable v")) if values is None else list(values) == ["v"]


def test_number_is_exact():
    assert parse('{"a": 0.1234567890123456789}')["a"] == 0.12345678901234568
    assert math.copysign(1, float(parse('{"a": -0.0}')["a"])) == -1  # pyright: ignore[reportArgumentType]
