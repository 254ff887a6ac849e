"""Programs with data as densities."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan import parse
from pathfinder.stan._checking.programs import check
from pathfinder.stan._program.program import BoundProgram, bind, declarations
from pathfinder.stan._state.report import LoopWays
from pathfinder.stan._types.types import declared_type


def bound(program: str, data: dict[str, Any], loops: LoopWays = "auto") -> BoundProgram:
    """A program with its data; `loops` are the ways that its loops may run."""
    checked = check(parse(program))
    values = {}
    for statement in declarations(checked.program.data):
        name, base = statement.name.text, declared_type(statement.type).base
        values[name] = np.asarray(data[name], dtype=int if base == "int" else float)[()]
    return bind(checked, values, loops=loops)


def points(dim: int) -> np.ndarray:
    """The positions at which densities are compared."""
    return np.array([0.8 * np.cos(1.7 * np.arange(dim) + shift) for shift in (0.0, 1.0, 2.5)])


def values_and_gradients(program: BoundProgram) -> tuple[np.ndarray, np.ndarray]:
    """At all of `points`."""
    # one position at a time, as conditions on parameters run otherwise under `vmap`
    every = jax.jit(jax.value_and_grad(program.log_density))
    found = [every(jnp.asarray(position)) for position in points(program.dim)]
    return np.array([value for value, _ in found]), np.array([gradient for _, gradient in found])


def traced_loops(program: BoundProgram) -> list[tuple[int, str]]:
    """Lines and ways of the loops in the log density, which is traced and not compiled."""
    jax.make_jaxpr(program.log_density)(jnp.zeros(program.dim))
    return sorted((report.line, report.how) for report in program.reports.values())


def how(program: BoundProgram) -> list[str]:
    """How the loops ran when the program was last traced, by the lines they stand on."""
    return [report.how for report in sorted(program.reports.values(), key=lambda report: report.line)]


def assert_close(actual: Any, expected: Any, tolerance: float) -> None:
    """Differences are small compared with the largest number, or with one."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    scale = np.max(np.abs(expected), initial=1.0)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * scale)
