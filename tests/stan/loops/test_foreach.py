"""Loops over containers: the order of elements, and containers assigned to in their own loop, as in stanc3."""

import jax
import numpy as np
import pytest

from tests.stan.running import bound


def outputs(statements, *, traced):
    """`out` after the statements, at `a` = 1.5: as a compiled program has it, or as values that are known."""
    program = bound(
        f"parameters {{ real a; }} transformed parameters {{ vector[40] out = rep_vector(0, 40); {{ {statements} }} }}",
        {},
    )
    transformed = jax.jit(program.transformed) if traced else program.transformed
    return np.asarray(transformed(np.array([1.5]))["out"])


@pytest.mark.parametrize("traced", [True, False])
@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        ("matrix[2, 3] each = a * [[1, 2, 3], [4, 5, 6]];", [1.5, 3, 4.5, 6, 7.5, 9]),
        ("matrix[2, 3] each = [[1, 2, 3], [4, 5, 6]];", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_matrices_are_visited_row_by_row(declaration, expected, traced):
    found = outputs(f"{declaration} int k = 1; for (d in each) {{ out[k] = d; k += 1; }}", traced=traced)
    np.testing.assert_allclose(found[: len(expected)], expected)


LOOPS = {
    "vector": ("vector[40] v = rep_vector(a, 40);", "v[k]", "if (k < 40) v[k + 1] = 0.5 * d + v[k + 1];", "d"),
    "few": ("row_vector[3] v = [a, 2, 3];", "v[k]", "if (k < 3) v[k + 1] += d;", "d"),
    "array of vectors": (
        "array[30] vector[2] v = rep_array([a, 1]', 30);",
        "v[k]",
        "if (k < 30) v[k + 1] = 0.1 * d + v[k + 1];",
        "sum(d)",
    ),
    "array of tuples": (
        "array[3] tuple(real, int) v = {(a, 1), (2, 2), (3, 3)};",
        "v[k]",
        "if (k < 3) v[k + 1].1 = d.1 + v[k + 1].1;",
        "d.1",
    ),
    "integers": ("array[5] int v = {1, 2, 3, 4, 5};", "v[k]", "if (k < 5) v[k + 1] += d;", "d * a"),
    "the element itself": ("vector[40] v = rep_vector(a, 40);", "v[k]", "v[k] = 2 * d;", "d + v[k]"),
}
SIZES = {"array of tuples": "3"}
TYPES = {"array of vectors": "vector[2]", "array of tuples": "tuple(real, int)", "integers": "int"}


@pytest.mark.parametrize("traced", [True, False])
@pytest.mark.parametrize("name", LOOPS)
def test_a_container_assigned_in_its_own_loop_shows_its_new_elements(name, traced):
    declaration, element, assignment, shown = LOOPS[name]
    body = f"{assignment} out[k] = {shown};"
    found = outputs(f"{declaration} int k = 1; for (d in v) {{ {body} k += 1; }}", traced=traced)
    by_index = (
        f"{declaration} for (k in 1:{SIZES.get(name, 'size(v)')}) {{ {TYPES.get(name, 'real')} d = {element}; {body} }}"
    )
    np.testing.assert_allclose(found, outputs(by_index, traced=traced))
    kept = f"{declaration} int k = 1; for (d in v[:]) {{ {body} k += 1; }}"
    if name != "the element itself":  # what stands in an expression is evaluated once
        assert not np.allclose(found, outputs(kept, traced=traced))


def test_elements_of_a_matrix_assigned_in_its_own_loop():
    statements = "matrix[2, 2] m = [[a, 1], [2, 3]]; int k = 1; for (d in m) { m[2, 2] += d; out[k] = d; k += 1; }"
    for traced in (True, False):
        np.testing.assert_allclose(outputs(statements, traced=traced)[:4], [1.5, 1, 2, 3 + 1.5 + 1 + 2])
