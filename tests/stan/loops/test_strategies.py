"""Loops give the same numbers in whatever way they run."""

import pytest

from tests.stan.programs.corpus import LOOPS
from tests.stan.running import assert_close, bound, how, values_and_gradients


@pytest.mark.parametrize("way", ["scan", pytest.param("unrolled", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", LOOPS)
def test_one_iteration_after_another(name, way):
    stored = LOOPS[name]
    program = bound(stored.text, stored.data, way)
    values, gradients = values_and_gradients(program)
    assert "lanes" not in how(program)
    assert way == "scan" or "scan" not in how(program)
    assert_close(values, stored.values, 1e-8)
    for gradient, of_stan in zip(gradients, stored.gradients, strict=True):
        assert_close(gradient, of_stan, 1e-8)
