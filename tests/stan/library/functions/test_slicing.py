"""Functions that cut containers or tell their sizes, in programs: against Stan's own, and with traced positions."""

import jax
import numpy as np
import pytest

from pathfinder.stan import StanError
from pathfinder.stan._expressions.indexing_calls import SHAPES, SLICES
from pathfinder.stan._types.types import SCALARS
from tests.stan.library.functions.cases import SLICING_REFERENCES, read_type
from tests.stan.running import bound


SUB_ROW = {
    "name": "sub_row",
    "types": ["matrix", "int", "int", "int"],
    "arguments": [[[1.3, -0.4, 0.2], [0.7, 0.5, -1.1]], 2, 2, 2],
    "value": [0.5, -1.1],
}


def declared(name, text, shape):
    """A declaration of a variable of the type, with the sizes of the shape."""
    kind = read_type(text)
    sizes = [str(size) for size in shape]
    array = f"array[{', '.join(sizes[: kind.dims])}] " if kind.dims else ""
    inside = "" if kind.base in SCALARS else f"[{', '.join(sizes[kind.dims :])}]"
    return f"{array}{kind.base}{inside} {name};"


def program(name, types, result, arguments):
    data = {f"a{i}": np.asarray(value) for i, value in enumerate(arguments)}
    lines = [declared(key, text, data[key].shape) for key, text in zip(data, types, strict=True)]
    call = f"{name}({', '.join(data)})"
    return f"data {{ {' '.join(lines)} }} generated quantities {{ {result[:-1]} = {call}; }}", data


def result_declaration(case):
    """The result has the kind of elements of the first argument, or is a size."""
    value, kind = np.asarray(case["value"]), case["types"][0]
    if case["name"] in SHAPES:
        return f"array[{value.size}] int r;" if value.ndim else "int r;"
    words = {"row": "row_vector", "sub_row": "row_vector", "col": "vector", "sub_col": "vector"}
    return declared("r", words.get(case["name"], kind), value.shape)


@pytest.mark.parametrize("name", sorted({*SLICES, *SHAPES}))
def test_values_are_those_of_stan(name):
    cases = [case for case in [*SLICING_REFERENCES, SUB_ROW] if case["name"] == name]
    assert cases
    for case in cases:
        text, data = program(name, case["types"], result_declaration(case), case["arguments"])
        found, accepted = bound(text, data).generated(jax.random.key(0), np.zeros(0))
        assert accepted
        np.testing.assert_array_equal(found["r"], case["value"], text)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("row(m, {k})'", [5.0, 6.0, 7.0, 8.0]),
        ("col(m, {k})", [2.0, 6.0, 10.0]),
        ("to_vector(block(m, {k}, {k}, 2, 2))", [6.0, 10.0, 7.0, 11.0]),
        ("segment(col(m, 1), {k}, 2)", [5.0, 9.0]),
        ("sub_col(m, {k}, 1, 2)", [5.0, 9.0]),
        ("sub_row(m, 1, {k}, 2)'", [2.0, 3.0]),
    ],
)
def test_positions_may_depend_on_parameters(call, expected):
    text = (
        "data { matrix[3, 4] m; } parameters { real p; } "
        f"transformed parameters {{ vector[{len(expected)}] v = {call.format(k='(p > 0 ? 2 : 1)')}; }}"
    )
    found = jax.jit(bound(text, {"m": np.arange(1.0, 13.0).reshape(3, 4)}).transformed)(np.ones(1))["v"]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("call", ["segment(v, 2, 3)", "head(v, 4)", "tail(v, 4)"])
def test_pieces_that_do_not_fit_are_errors(call):
    with pytest.raises(StanError, match=r"line 1"):
        bound(f"data {{ vector[3] v; }} transformed data {{ real s = sum({call}); }}", {"v": np.ones(3)})
