"""Loops give the same numbers in whatever way they run."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.stan.programs.tables import LOOPS
from tests.stan.running import assert_close, bound, how, values_and_gradients


REFERENCES = json.loads((Path(__file__).parents[1] / "programs" / "references.json").read_text())


@pytest.mark.parametrize("way", ["scan", pytest.param("unrolled", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", LOOPS)
def test_one_iteration_after_another(name, way):
    program = bound(LOOPS[name].program, LOOPS[name].data, way)
    values, gradients = values_and_gradients(program)
    assert "lanes" not in how(program)
    assert way == "scan" or "scan" not in how(program)
    assert_close(values, [value for value, _ in REFERENCES[name]], 1e-8)
    for found, (_, gradient) in zip(gradients, REFERENCES[name], strict=True):
        assert_close(found, np.array(gradient), 1e-8)
