import numpy as np
import pytest

from pathfinder import Variable
from pathfinder._variables import flatten_draws


@pytest.mark.parametrize(
    ("shape", "style", "expected"),
    [
        ((), "stan", ["a"]),
        ((), "bracket", ["a"]),
        ((3,), "stan", ["a.1", "a.2", "a.3"]),
        ((2,), "bracket", ["a[1]", "a[2]"]),
        ((2, 2), "stan", ["a.1.1", "a.2.1", "a.1.2", "a.2.2"]),
        ((2, 2), "bracket", ["a[1,1]", "a[2,1]", "a[1,2]", "a[2,2]"]),
        ((2, 1, 2), "stan", ["a.1.1.1", "a.2.1.1", "a.1.1.2", "a.2.1.2"]),
        ((0,), "stan", []),
    ],
)
def test_columns_in_the_order_of_stan(shape, style, expected):
    assert Variable("a", shape).columns(style) == expected


def test_flattened_draws_follow_the_columns():
    variables = [Variable("a", ()), Variable("b", (2, 3)), Variable("c", (2, 2, 2)), Variable("d", (0,))]
    rng = np.random.default_rng(0)
    draws = {variable.name: rng.standard_normal((5, *variable.shape)) for variable in variables}
    flat = flatten_draws(variables, draws)
    columns = [column for variable in variables for column in variable.columns()]
    assert flat.shape == (5, len(columns))
    for column, values in zip(columns, flat.T, strict=True):
        name, *indices = column.split(".")
        np.testing.assert_array_equal(values, draws[name][(slice(None), *(int(i) - 1 for i in indices))])
