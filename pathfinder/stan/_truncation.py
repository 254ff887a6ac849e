"""`y ~ normal(mu, sigma) T[lower, upper];`.

Source: Stan reference manual, "Truncated distributions". For integers the lower end is included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pathfinder.stan._calls import call_library
from pathfinder.stan._distribution_calls import distribution_value
from pathfinder.stan._expressions import evaluate
from pathfinder.stan._run import Run
from pathfinder.stan._syntax import Expression, Sampling
from pathfinder.stan._types import Type
from pathfinder.stan.functions import FUNCTIONS, OPERATORS


REAL = Type("real")


def truncated(run: Run, node: Sampling, value: Any, values: Sequence[Any]) -> Any:
    """A log density after truncation.

    Args:
        run: The evaluation.
        node: The statement.
        value: The log density without truncation.
        values: Of the outcome and the arguments.
    """
    assert node.truncation is not None
    types = [run.type_of(expression) for expression in (node.outcome, *node.arguments)]
    discrete = types[0].base == "int"
    lower, upper = (
        None if end is None else evaluate(run, end) for end in (node.truncation.lower, node.truncation.upper)
    )

    def library(operator: str, *operands: Any, kind: Type = REAL) -> Any:
        return call_library(run, OPERATORS[operator], (kind,) * len(operands), list(operands), node)

    def cumulative(suffix: str, bound: Any) -> Any:
        return _cumulative(run, node, suffix, [bound, *values[1:]], types)

    inside: Any = None
    below = None if lower is None else library("-", lower, 1, kind=types[0]) if discrete else lower
    if lower is not None:
        inside = library(">=", values[0], lower)
    if upper is not None:
        fits = library("<=", values[0], upper)
        inside = fits if inside is None else library("&&", inside, fits)
    if below is not None and upper is not None:
        difference = [cumulative("lcdf", upper), cumulative("lcdf", below)]
        mass = call_library(run, FUNCTIONS["log_diff_exp"], (REAL, REAL), difference, node)
    elif below is not None:
        mass = cumulative("lccdf", below)
    elif upper is not None:
        mass = cumulative("lcdf", upper)
    else:
        return value
    return run.machine.select(inside, library("-", value, mass), -np.inf)


def _cumulative(run: Run, node: Sampling, suffix: str, values: list[Any], types: Sequence[Type]) -> Any:
    name: Expression | str = node.distribution.text
    if run.checked.definition(node) is None:
        with run.at(node):
            return distribution_value(run, str(name), suffix, types, values)
    wanted = f"{name}_{suffix}"
    definitions = [
        definition
        for definition in run.checked.program.functions or ()
        if definition.name.text == wanted and definition.body is not None
    ]
    return run.call_user(run, definitions[0], values)
