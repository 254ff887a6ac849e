import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfinder_cli._outputs.stan_json import json_document


def refuse_constant(word):
    raise AssertionError(f"{word} is not JSON")


def strict_loads(text):
    return json.loads(text, parse_constant=refuse_constant)


def text_of(members, sig_figs=-1):
    return "".join(json_document(members, sig_figs))


def test_layout():
    members = {
        "stan_major_version": "2",
        "method": {"value": "pathfinder", "pathfinder": {"tol_obj": 1e-12, "tol_rel_obj": 10000.0, "num_paths": 4}},
        "data": {"file": "../a.json"},
        "flag": True,
        "other": False,
        "vector": np.array([1.0, -0.25]),
        "matrix": np.array([[0.5, 0.1], [0.0, 0.6]]),
        "none": np.zeros((3, 0)),
        "seed": np.int64(2790476610),
    }
    assert text_of(members) == (
        "\n"
        "{\n"
        '  "stan_major_version" : "2",\n'
        '  "method" : {\n'
        '    "value" : "pathfinder",\n'
        '    "pathfinder" : {\n'
        '      "tol_obj" : 1e-12,\n'
        '      "tol_rel_obj" : 10000,\n'
        '      "num_paths" : 4\n'
        "    }\n"
        "  },\n"
        '  "data" : {\n'
        '    "file" : "..\\/a.json"\n'
        "  },\n"
        '  "flag" : true,\n'
        '  "other" : false,\n'
        '  "vector" : [ 1, -0.25 ],\n'
        '  "matrix" : [ [ 0.5, 0.1 ], [ 0, 0.6 ] ],\n'
        '  "none" : [  ],\n'
        '  "seed" : 2790476610\n'
        "}\n"
    )


def test_significant_digits():
    members = {"x": np.array([1 / 3]), "y": 2 / 3}
    assert strict_loads(text_of(members)) == {"x": [0.333333], "y": 0.666667}
    assert strict_loads(text_of(members, 17)) == {"x": [1 / 3], "y": 2 / 3}


def test_what_is_not_finite_is_a_string():
    members = {"a": math.nan, "b": -math.inf, "c": np.array([[1, np.inf], [-np.inf, np.nan]])}
    expected = {"a": "NaN", "b": "-Inf", "c": [[1, "Inf"], ["-Inf", "NaN"]]}
    assert strict_loads(text_of(members)) == expected


@pytest.mark.parametrize("text", ["a\nb", "\v\a\x00\x7f", '"\\/', "é\u2028", "\udc80"])
def test_strings_have_only_the_escapes_of_json(text):
    document = text_of({"note": text, text: 1})
    assert strict_loads(document) == {"note": text, text: 1}
    document.encode("ascii")


_VALUES = st.recursive(
    st.one_of(
        st.text(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.lists(st.floats(allow_nan=False, allow_infinity=False)).map(np.array),
    ),
    lambda inner: st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def as_lists(value):
    if isinstance(value, dict):
        return {key: as_lists(member) for key, member in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


@settings(deadline=None)
@given(st.dictionaries(st.text(), _VALUES, min_size=1, max_size=3))
def test_round_trip(members):
    assert strict_loads(text_of(members, 17)) == as_lists(members)
