"""Log densities and gradients by stanli, which has Stan's own compiler and mathematics, as the reference.

stanli drops constants in statements with `~`, as Stan's samplers do. So that all are kept, each such statement is given
to it as an increment of the target by the full density.
"""

import warnings
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from pathfinder.stan import CheckedProgram, check, parse, print_program
from pathfinder.stan._syntax import Call, Identifier, Node, Sampling, TargetIncrement


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import stanli


def explicit(text: str) -> str:
    """The program with every `y ~ foo(x)` that is not truncated as `target += foo_lpdf(y | x)`."""
    checked = check(parse(text))
    return print_program(_rewritten(checked.program, checked))


def _rewritten(node: Any, checked: CheckedProgram) -> Any:
    if isinstance(node, Sampling) and node.truncation is None:
        name = checked.library_name(node).replace("_lupdf", "_lpdf").replace("_lupmf", "_lpmf")
        call = Call(Identifier(name, span=node.span), (node.outcome, *node.arguments), True, span=node.span)
        return TargetIncrement(call, span=node.span)
    if isinstance(node, tuple):
        return tuple(_rewritten(part, checked) for part in node)
    if isinstance(node, Node) and not isinstance(node, Identifier) and is_dataclass(node):
        kept = ("span", "warnings")
        parts = {each.name: getattr(node, each.name) for each in fields(node) if each.name not in kept}
        return replace(node, **{name: _rewritten(part, checked) for name, part in parts.items()})
    return node


class Oracle:
    """A program with its data, in stanli."""

    def __init__(self, text: str, data: dict[str, Any]):
        self._model = stanli.Model(stan_code=explicit(text), data=data)

    def log_density_and_gradient(self, position: np.ndarray) -> tuple[float, np.ndarray]:
        """With the Jacobian and all constants, at an unconstrained vector."""
        value, gradient = self._model.log_prob_grad(position)
        return value, np.asarray(gradient)
