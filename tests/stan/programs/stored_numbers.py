"""Programs of the corpus beside what is stored of them."""

from functools import cache

import numpy as np

from pathfinder.stan._program.program import BoundProgram
from tests.stan.programs.corpus import PROGRAMS
from tests.stan.running import assert_close, bound, points, values_and_gradients


# gradients: of solutions found by iteration, and Stan approximates that of the normal distribution function
LOOSE = {"solvers": 1e-6, "truncation": 1e-6, "truncated normals": 1e-6}


@cache
def evaluated(name: str) -> tuple[BoundProgram, np.ndarray, np.ndarray]:
    """A program that has been traced, and its log densities and gradients at all of `points`."""
    program = bound(PROGRAMS[name].text, PROGRAMS[name].data)
    return program, *values_and_gradients(program)


def assert_same_numbers(name: str) -> None:
    """Log densities and gradients are those of Stan's own kernels."""
    stored = PROGRAMS[name]
    _, values, gradients = evaluated(name)
    assert_close(values, stored.values, 1e-8)
    for gradient, of_stan in zip(gradients, stored.gradients, strict=True):
        assert_close(gradient, of_stan, LOOSE.get(name, 1e-8))


def assert_same_loops(name: str) -> None:
    """Loops run as they did when their ways were stored."""
    stored = PROGRAMS[name]
    program, _, _ = evaluated(name)
    assert sorted((report.line, report.how) for report in program.reports.values()) == stored.loops
    assert [len(gradient) for gradient in stored.gradients] == [program.dim] * len(points(program.dim))
