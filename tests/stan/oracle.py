"""Log densities and gradients by stanli, which has Stan's own compiler and mathematics, as the reference.

stanli drops constants in statements with `~`, as Stan's samplers do. So that all are kept, each such statement is given
to it as an increment of the target by the full density.
"""

import warnings
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from pathfinder.stan import CheckedProgram, check, parse, print_program
from pathfinder.stan._syntax.tree import (
    Binary,
    Call,
    Expression,
    For,
    Identifier,
    Index,
    IntLiteral,
    Node,
    Sampling,
    Statement,
    TargetIncrement,
    Variable,
)


def explicit(program: str) -> str:
    """The program with `target += f_lpdf(y | ...)` in place of every `y ~ f(...)`."""
    checked = check(parse(program))
    return print_program(_rewritten(checked.program, checked))


def _rewritten(node: Any, checked: CheckedProgram) -> Any:
    if isinstance(node, tuple):
        return tuple(_rewritten(part, checked) for part in node)
    if isinstance(node, Sampling):
        return _in_a_loop(node, checked) if node.truncation else _increment(node, checked)
    if is_dataclass(node) and isinstance(node, Node):
        children = [each.name for each in fields(node) if each.name not in ("span", "warnings")]
        return replace(node, **{name: _rewritten(getattr(node, name), checked) for name in children})
    return node


def _in_a_loop(node: Sampling, checked: CheckedProgram) -> Statement:
    """A truncated statement of containers as a loop of scalar ones, which Stan truncates without question."""
    containers = [each for each in (node.outcome, *node.arguments) if checked.type_of(each).rank]
    if not containers or checked.definition(node) is not None:
        return _increment(node, checked)
    span, at = node.span, Variable("truncated_element", span=node.span)

    def element(expression: Expression) -> Expression:
        return Index(expression, (at,), span=span) if expression in containers else expression

    scalar = replace(node, outcome=element(node.outcome), arguments=tuple(map(element, node.arguments)))
    size = Call(Identifier("size", span=span), (containers[0],), False, span=span)
    body = TargetIncrement(_log_density(scalar, checked.library_name(node)), span=span)
    return For(Identifier("truncated_element", span=span), IntLiteral(1, span=span), size, body, span=span)


def _increment(node: Sampling, checked: CheckedProgram) -> Statement:
    return TargetIncrement(_log_density(node, checked.library_name(node)), span=node.span)


def _log_density(node: Sampling, library_name: str) -> Expression:
    """The density of the outcome given that it lies between the ends; for integers the lower one is included."""
    name = library_name.replace("_lupdf", "_lpdf").replace("_lupmf", "_lpmf")
    value = _conditioned(node, name, node.outcome)
    if node.truncation is None:
        return value
    lower, upper = node.truncation.lower, node.truncation.upper
    if lower is not None and name.endswith("_lpmf"):
        lower = Binary("-", lower, IntLiteral(1, span=node.span), span=node.span)
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
