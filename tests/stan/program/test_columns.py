"""Names and order of the numbers within values, as CmdStan's reference has them."""

import numpy as np
import pytest

from pathfinder import Variable
from pathfinder.stan import parse
from pathfinder.stan._program.columns import nested, slots_of
from pathfinder.stan._types.types import declared_type


def type_of(declaration):
    return declared_type(parse(f"parameters {{ {declaration} x; }}").parameters.statements[0].type)


@pytest.mark.parametrize(
    ("declaration", "value", "columns"),
    [
        ("real", 1.0, ["x"]),
        ("matrix[2, 2]", np.zeros((2, 2)), ["x.1.1", "x.2.1", "x.1.2", "x.2.2"]),
        ("complex", 1j, ["x.real", "x.imag"]),
        ("complex_vector[2]", np.zeros(2) + 1j, ["x.1.real", "x.1.imag", "x.2.real", "x.2.imag"]),
        ("tuple(real, vector[2])", (1.0, np.ones(2)), ["x:1", "x:2.1", "x:2.2"]),
        (
            "array[2] tuple(real, vector[2])",
            (np.arange(2.0), np.ones((2, 2))),
            ["x.1:1", "x.1:2.1", "x.1:2.2", "x.2:1", "x.2:2.1", "x.2:2.2"],
        ),
        (
            "tuple(int, array[2] tuple(real, complex))",
            (1, (np.ones(2), np.ones(2) + 1j)),
            ["x:1", "x:2.1:1", "x:2.1:2.real", "x:2.1:2.imag", "x:2.2:1", "x:2.2:2.real", "x:2.2:2.imag"],
        ),
        ("array[2, 2] tuple(real,)", (np.ones((2, 2)),), ["x.1.1:1", "x.2.1:1", "x.1.2:1", "x.2.2:1"]),
    ],
)
def test_names_and_a_value_made_anew(declaration, value, columns):
    slots = list(slots_of("x", type_of(declaration), value))
    assert [column for slot in slots for column in Variable(slot.name, slot.shape).columns()] == columns
    numbers = {slot.name: slot.read(value) for slot in slots}
    again = nested(slots, value, numbers)
    assert np.all([np.array_equal(slot.read(again), numbers[slot.name]) for slot in slots])


def test_another_shape_is_refused():
    slots = list(slots_of("x", type_of("vector[2]"), np.zeros(2)))
    with pytest.raises(ValueError, match=r"`x` has shape \[2\], but \[3\] was given"):
        nested(slots, np.zeros(2), {"x": np.zeros(3)})
