"""The variables that an expression needs are found wherever they stand in it."""

import pytest

from pathfinder.stan._syntax.traversal import variables_read
from tests.stan.reading import the_expression


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", "a"),
        ("a + b * -c", "a b c"),
        ("a ? b : c'", "a b c"),
        ("f(a, g(b), 1)", "a b"),
        ("{a, 2} + [b, c] + (d, 1.5).1", "a b c d"),
        ("a[b, c:d, :, e:]", "a b c d e"),
        ("a.1[b].2", "a b"),
        ("size(a) + rows(b[c]) + d", "d"),
        ("1 + 2.5 + 3i + target()", ""),
    ],
)
def test_variables_read(text, names):
    assert [variable.name for variable in variables_read(the_expression(text))] == names.split()


def test_long_chains():
    assert len(list(variables_read(the_expression(" + ".join(["a"] * 5000))))) == 5000
