import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathfinder_cli._arguments.values import (
    BOOLEAN,
    CHAINS,
    DOUBLE,
    INIT,
    INTEGER,
    LONG,
    STRING,
    BadValue,
    Init,
    one_of,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), (" 5", 5), ("+5", 5), ("-1", -1), ("007", 7), ("2147483647", 2**31 - 1), ("-2147483648", -(2**31))],
)
def test_integers_are_decimal_and_may_follow_white_space(text, value):
    assert INTEGER.read(text) == value


@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "2147483648", "-2147483649", "1e3", "10.7", "5x", "5 ", "0x10", "1_000", "٣", "9" * 5000, "--1"],
)
def test_other_texts_are_no_integers(text):
    with pytest.raises(BadValue):
        INTEGER.read(text)


@pytest.mark.parametrize(("text", "beginning"), [("1e3", "1"), ("10.7", "10"), ("5x", "5"), ("5 ", "5")])
def test_what_c_would_read_in_part_is_refused_with_that_reason(text, beginning):
    with pytest.raises(BadValue) as refused:
        INTEGER.read(text)
    assert refused.value.reason == f"only the beginning of {text!r}, {beginning!r}, is a whole number"


def test_what_c_refuses_too_has_no_further_reason():
    with pytest.raises(BadValue) as refused:
        INTEGER.read("abc")
    assert refused.value.reason == ""


def test_seeds_have_64_bits():
    assert LONG.read("4294967296") == 2**32
    with pytest.raises(BadValue):
        LONG.read(str(2**63))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.5", 2.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-05", 1e-5),
        (" -1E+3", -1000.0),
        ("0x1p-3", 0.125),
        ("0X.8", 0.5),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("1e-400", 0.0),
    ],
)
def test_doubles_are_what_strtod_reads(text, value):
    assert DOUBLE.read(text) == value


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan", "nan(1)"])
def test_nan_is_a_double(text):
    assert math.isnan(DOUBLE.read(text))


@pytest.mark.parametrize("text", ["", "x", "2.5x", "1,5", "0x", "e5", ".", "1e999", "0x1p9999", "1_0.0", "ff", "infx"])
def test_other_texts_are_no_doubles(text):
    with pytest.raises(BadValue):
        DOUBLE.read(text)


@given(st.floats(allow_nan=False))
def test_every_double_is_read_as_python_writes_it(value):
    assert DOUBLE.read(repr(value)) == value
    assert DOUBLE.read(value.hex()) == value


@given(st.text())
def test_any_text_is_read_or_refused(text):
    for value_type in (INTEGER, LONG, DOUBLE, BOOLEAN, STRING, INIT, one_of("a", "b")):
        try:
            value_type.show(value_type.read(text))
        except BadValue:
            continue


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_booleans_have_four_spellings(text, value):
    assert BOOLEAN.read(text) is value


@pytest.mark.parametrize("text", ["True", "yes", "", "2", " 1", "01"])
def test_other_spellings_are_no_booleans(text):
    with pytest.raises(BadValue):
        BOOLEAN.read(text)


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [("0", False, "false"), ("1", True, "true"), ("false", False, "false"), ("auto", "auto", "auto"), ("40", 40, "40")],
)
def test_chains_are_a_switch_or_a_number(text, value, shown):
    found = CHAINS.read(text)
    assert (found, type(found), CHAINS.show(found)) == (value, type(value), shown)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("7", "7 chains cannot be shared out to starts, because there must be at least 8"),
        ("-1", "-1 chains cannot be shared out to starts, because there must be at least 8"),
        ("11", "11 chains cannot be shared out to starts, because no number from 2 to 8 divides it"),
        ("40.5", "only the beginning of '40.5', '40', is a whole number"),
        ("Auto", ""),
    ],
)
def test_numbers_of_chains_that_no_starts_share(text, reason):
    with pytest.raises(BadValue) as refused:
        CHAINS.read(text)
    assert refused.value.reason == reason


@pytest.mark.parametrize(("text", "radius"), [("2", 2.0), ("0", 0.0), ("-0", 0.0), (" 1e-3", 0.001), ("0x10", 16.0)])
def test_a_number_is_a_radius(text, radius):
    assert INIT.read(text) == Init(text, radius=radius, file=None)


@pytest.mark.parametrize(
    "text",
    ["1.json", "0_init.json", "0x10.json", "infile.json", "information.json", "nano.json", "./1", "abc", "2 ", ""],
)
def test_everything_else_is_a_file(text):
    assert INIT.read(text) == Init(text, radius=2.0, file=text)


@pytest.mark.parametrize("text", ["-1", "inf", "-inf", "nan", "Infinity", "1e999", "-0x1p-3"])
def test_radii_that_would_never_end_are_refused(text):
    with pytest.raises(BadValue, match=f"write init=./{text}"):
        INIT.read(text)


def test_values_are_printed_as_c_does():
    assert [DOUBLE.show(value) for value in (1e4, 1e7, 1e-12, 0.001, math.inf)] == [
        "10000",
        "1e+07",
        "1e-12",
        "0.001",
        "inf",
    ]
    assert BOOLEAN.show(True) == "true"
    assert INIT.show(Init("2.0")) == "2.0"
