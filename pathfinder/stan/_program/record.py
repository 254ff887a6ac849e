"""Functions of a program that give values by name, as functions that give their numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from pathfinder._variables import Block
from pathfinder.stan._program.columns import Slot, slots_of
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.lanes import entering


Types = Mapping[str, tuple[Type, Block]]  # of the variables that are written out, with the blocks that declare them


@dataclass(eq=False)
class Record:
    """A function that gives values by name, as one that gives a list of arrays and remembers their names."""

    function: Callable[..., dict[str, Any]]
    types: Types
    variables: list[tuple[Slot, Block]] = field(default_factory=list)

    def __call__(self, *arguments: Any) -> list[jax.Array]:
        """The arrays."""
        values = self.function(*arguments)
        self.variables = parts(values, self.types)
        return [jnp.asarray(entering(number)) for number in numbers(values, self.types).values()]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arrays."""
        return tuple(slot.name for slot, _ in self.variables)


def parts(values: Mapping[str, Any], types: Types) -> list[tuple[Slot, Block]]:
    """The arrays that values are made of, with the blocks that declare them."""
    return [(slot, types[name][1]) for name, value in values.items() for slot in slots_of(name, types[name][0], value)]


def numbers(values: Mapping[str, Any], types: Types) -> dict[str, Any]:
    """The arrays that values are made of, by name."""
    return {
        slot.name: slot.read(value) for name, value in values.items() for slot in slots_of(name, types[name][0], value)
    }
