"""The equations of one step of a scan as a graph of numbered values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Literal, Var, jaxpr_as_fun


@dataclass(frozen=True, eq=False)
class Operation:
    """An equation, with numbers in place of variables.

    Attributes:
        equation: Says what is computed.
        function: It as a function of its inputs.
        inputs: Numbers of values, or literals.
        outputs: Numbers of values.
    """

    equation: Any
    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    outputs: tuple[int, ...]

    @property
    def reads(self) -> list[int]:
        """Numbers of the values that it is computed from."""
        return [number for number in self.inputs if isinstance(number, int)]


class StepGraph:
    """The equations of a step, calls of compiled functions taken apart."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.shapes: list[Any] = []

    def new(self, aval: Any) -> int:
        """The number of a further value."""
        self.shapes.append(aval)
        return len(self.shapes) - 1

    def size(self, number: int) -> int:
        """Number of elements of a value."""
        return int(np.prod(self.shapes[number].shape))

    def inline(self, jaxpr: Any, known: dict[Any, Any]) -> list[Any]:
        """Take in the equations of a function; `known` are the numbers of its arguments."""

        def found(atom: Any) -> Any:
            return atom if isinstance(atom, Literal) else known[atom]

        for equation in jaxpr.eqns:
            inputs = tuple(map(found, equation.invars))
            if _changes_nothing(equation):
                known[equation.outvars[0]] = inputs[0]
                continue
            inner = equation.params["jaxpr"] if equation.primitive.name in ("jit", "pjit") else None
            if inner is not None and not inner.consts:
                outputs = self.inline(inner.jaxpr, dict(zip(inner.jaxpr.invars, inputs, strict=True)))
            else:
                outputs = tuple(self.new(variable.aval) for variable in equation.outvars)
                self.operations.append(Operation(equation, _function(equation, jaxpr), inputs, outputs))
            known.update(zip(equation.outvars, outputs, strict=True))
        return [found(atom) for atom in jaxpr.outvars]


def numbers_in(atoms: Iterable[Any]) -> set[int]:
    """The values among values and literals."""
    return {atom for atom in atoms if isinstance(atom, int)}


def value_in(atom: Any, values: dict[int, Any]) -> Any:
    """A value by its number, or that of a literal."""
    return values[atom] if isinstance(atom, int) else atom.val


def needed_for(operations: Sequence[Operation], wanted: set[int]) -> list[Operation]:
    """Those that the wanted values follow from."""
    wanted = set(wanted)
    found = []
    for operation in reversed(operations):
        if wanted.intersection(operation.outputs):
            found.append(operation)
            wanted.update(operation.reads)
    return found[::-1]


def _changes_nothing(equation: Any) -> bool:
    if equation.primitive.name != "convert_element_type":
        return False
    return equation.invars[0].aval.dtype == equation.outvars[0].aval.dtype


def _function(equation: Any, jaxpr: Any) -> Callable[..., Any]:
    """An equation of a graph as a function of its inputs."""
    inputs = [Var(atom.aval) for atom in equation.invars]
    alone = jaxpr.replace(
        constvars=[],
        invars=inputs,
        outvars=equation.outvars,
        eqns=[equation.replace(invars=inputs)],
        effects=equation.effects,
        debug_info=jaxpr.debug_info._replace(arg_names=None, result_paths=None),
    )
    return jaxpr_as_fun(ClosedJaxpr(alone, ()))
