"""The data block by name, and which of its variables are observations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pathfinder.stan._program.columns import slots_of
from pathfinder.stan._program.program import declarations
from pathfinder.stan._syntax.traversal import nodes
from pathfinder.stan._syntax.tree import (
    Call,
    Expression,
    ForEach,
    Index,
    Program,
    Sampling,
    Transpose,
    TupleElement,
    Variable,
)
from pathfinder.stan._types.types import declared_type


_DENSITIES = ("_lpdf", "_lpmf", "_lupdf", "_lupmf")
# Functions that give all elements of their argument in another container.
_CONTAINERS = ("to_vector", "to_row_vector", "to_array_1d", "to_array_2d", "to_matrix", "segment", "head", "tail")


@dataclass(frozen=True, eq=False)
class NamedData:
    """The values of a data block by the names of CmdStan's columns.

    Args:
        named: The values.
        arrays: What the compiled programs were made of them. Other arrays, as `fit_batch` may give, come of values that
            cannot be told.
    """

    named: Mapping[str, np.ndarray] = field(repr=False)
    arrays: Any = field(repr=False)

    def __call__(self, data: Any) -> dict[str, np.ndarray]:
        return dict(self.named) if data is self.arrays else {}


def named_values(program: Program, values: Mapping[str, Any]) -> dict[str, dict[str, np.ndarray]]:
    """For each variable of the data block the arrays of real numbers and integers that it is made of, by name.

    Args:
        program: The program.
        values: Its data, as given by `data.read_data`.
    """
    return {
        (name := node.name.text): {
            slot.name: np.asarray(slot.read(_arrays(values[name])))
            for slot in slots_of(name, declared_type(node.type), _arrays(values[name]))
        }
        for node in declarations(program.data)
    }


def _arrays(value: Any) -> Any:
    return tuple(map(_arrays, value)) if isinstance(value, tuple) else np.asarray(value)


def observed_names(program: Program) -> list[str]:
    """Variables of the data block that are outcomes of `~` or first arguments of densities in the model block."""
    found = set(_outcomes(program.model))
    return [node.name.text for node in declarations(program.data) if node.name.text in found]


def _outcomes(model: Any) -> Iterator[str]:
    containers: dict[str, Expression] = {}
    for node in nodes(model):
        match node:
            case ForEach(variable, container):
                containers[variable.text] = container
            case Sampling(outcome):
                yield from _variable(outcome, containers)
            case Call(function, (outcome, *_)) if function.text.endswith(_DENSITIES):
                yield from _variable(outcome, containers)
            case Call(function, (Variable(name), outcome, *_)) if function.text.startswith(
                "reduce_sum"
            ) and name.endswith(_DENSITIES):
                yield from _variable(outcome, containers)


def _variable(outcome: Expression, containers: Mapping[str, Expression]) -> Iterator[str]:
    """The variable that an outcome is, or is a part of; none if it is computed from several."""
    seen: set[str] = set()
    node: Any = outcome
    while True:
        match node:
            case Variable(name) if name in containers and name not in seen:
                seen.add(name)
                node = containers[name]
            case Variable(name):
                yield name
                return
            case Index(base) | TupleElement(base):
                node = base
            case Transpose(operand):
                node = operand
            case Call(function, (first, *_)) if function.text in _CONTAINERS:
                node = first
            case _:
                return
