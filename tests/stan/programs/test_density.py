"""Log densities and gradients of programs of every construct against Stan's own kernels."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.stan.programs.tables import PROGRAMS
from tests.stan.running import assert_close, bound, points, values_and_gradients


REFERENCES = json.loads(Path(__file__).with_name("references.json").read_text())
# gradients: of solutions found by iteration, and Stan approximates that of the normal distribution function
LOOSE = {"solvers": 1e-6, "truncation": 1e-6, "truncated_containers": 1e-6}


@pytest.mark.parametrize("name", PROGRAMS)
def test_value_and_gradient_are_those_of_stan(name):
    case = PROGRAMS[name]
    program = bound(case.program, case.data)
    values, gradients = values_and_gradients(program)
    expected = REFERENCES[name]
    assert len(points(program.dim)) == len(expected)
    assert_close(values, [value for value, _ in expected], 1e-8)
    for found, (_, gradient) in zip(gradients, expected, strict=True):
        assert_close(found, np.array(gradient), LOOSE.get(name, 1e-8))
