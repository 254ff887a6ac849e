"""Log densities and gradients by stanli, which has Stan's own compiler and mathematics, as the reference.

stanli drops constants in statements with `~`, as Stan's samplers do. So that all are kept, each such statement is given
to it as an increment of the target by the full density.
"""

import warnings
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from pathfinder.stan import CheckedProgram, check, parse, print_program
from pathfinder.stan._syntax import Binary, Call, Expression, Identifier, Node, Sampling, TargetIncrement


def explicit(program: str) -> str:
    """The program with `target += f_lpdf(y | ...)` in place of every `y ~ f(...)`."""
    checked = check(parse(program))
    return print_program(_rewritten(checked.program, checked))


def _rewritten(node: Any, checked: CheckedProgram) -> Any:
    if isinstance(node, tuple):
        return tuple(_rewritten(part, checked) for part in node)
    if isinstance(node, Sampling):
        return TargetIncrement(_log_density(node, checked), span=node.span)
    if is_dataclass(node) and isinstance(node, Node):
        children = [each.name for each in fields(node) if each.name not in ("span", "warnings")]
        return replace(node, **{name: _rewritten(getattr(node, name), checked) for name in children})
    return node


def _log_density(node: Sampling, checked: CheckedProgram) -> Expression:
    name = checked.library_name(node).replace("_lupdf", "_lpdf").replace("_lupmf", "_lpmf")
    value = _conditioned(node, name, node.outcome)
    if node.truncation is None:
        return value
    lower, upper = node.truncation.lower, node.truncation.upper
    below = None if lower is None else _conditioned(node, f"{node.distribution.text}_lcdf", lower)
    if upper is None:
        assert lower is not None
        probability = _conditioned(node, f"{node.distribution.text}_lccdf", lower)
    else:
        probability = _conditioned(node, f"{node.distribution.text}_lcdf", upper)
        if below is not None:
            arguments = (probability, below)
            probability = Call(Identifier("log_diff_exp", span=node.span), arguments, False, span=node.span)
    return Binary("-", value, probability, span=node.span)


def _conditioned(node: Sampling, name: str, outcome: Expression) -> Call:
    return Call(Identifier(name, span=node.span), (outcome, *node.arguments), True, span=node.span)


class Oracle:
    """A program with its data, in stanli."""

    def __init__(self, text: str, data: dict[str, Any]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import stanli

        self._model = stanli.Model(stan_code=explicit(text), data=data)

    def log_density_and_gradient(self, position: np.ndarray) -> tuple[float, np.ndarray]:
        """With the Jacobian and all constants, at an unconstrained vector."""
        value, gradient = self._model.log_prob_grad(position)
        return value, np.asarray(gradient)
