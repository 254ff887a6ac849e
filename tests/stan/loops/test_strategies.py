"""Loops give the same numbers in whatever way they run."""

import pytest

from tests.stan.programs.corpus import LOOPS
from tests.stan.running import assert_close, bound, how, values_and_gradients


def usually(*ways):
    """Programs with a loop that runs in one of these ways if it may; without them, the others stay the same."""
    return [name for name, stored in LOOPS.items() if {way for _, way in stored.loops} & set(ways)]


@pytest.mark.parametrize(
    ("way", "name"),
    [
        *(("scan", name) for name in usually("lanes")),
        *(pytest.param("unrolled", name, marks=pytest.mark.slow) for name in usually("lanes", "scan")),
    ],
)
def test_one_iteration_after_another(name, way):
    stored = LOOPS[name]
    program = bound(stored.text, stored.data, way)
    values, gradients = values_and_gradients(program)
    assert "lanes" not in how(program)
    assert way == "scan" or "scan" not in how(program)
    assert_close(values, stored.values, 1e-8)
    for gradient, of_stan in zip(gradients, stored.gradients, strict=True):
        assert_close(gradient, of_stan, 1e-8)
