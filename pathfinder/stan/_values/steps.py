"""Numbers that are known from the data for every iteration of a sequential loop.

In a scan the loop variable is a tracer, but what it is at every step is known, and so is what follows from it and from
data: `t - 1`, `T - t`, `first[t]`. Such numbers are kept as tables, so that the elements that each step touches are
known, too, and are settled to what they are at the present step where they are needed as numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._values.contexts import Context, deepest
from pathfinder.stan._values.lanes import Lanes, Symbolic, aligned, array_of, context_of, lift, wrap
from pathfinder.stan._values.restorable import Restorable
from pathfinder.stan._values.value import Value


@dataclass(eq=False)
class Scan(Restorable):
    """A loop whose iterations run one after another, for all lanes of a context at once.

    Attributes:
        context: The context.
        length: Number of steps.
        changed: Names of the variables that are assigned in it.
        number: The present step, a traced integer counted from 0.
        mask: The condition under which its body runs; None if there is none.
        ends_early: Whether that condition says nothing but that some lanes have fewer steps than others.
        depth: Number of scans around it.
        coverage: What its steps assign of the copies that iterations around have of their own.
    """

    context: Context
    length: int = 1
    changed: frozenset[str] = frozenset()
    number: Any = 0
    mask: Value | None = None
    ends_early: bool = False
    depth: int = 0
    coverage: dict[Any, Any] = field(default_factory=dict)

    def entry(self, array: Any) -> Any:
        """The entry for the present step of an array with the steps in front."""
        array = jnp.asarray(array)
        start = (self.number, *(0,) * (array.ndim - 1))
        return jax.lax.dynamic_slice(array, start, (1, *array.shape[1:]), allow_negative_indices=False)[0]


@dataclass(frozen=True, eq=False)
class Step(Symbolic):
    """A number that is known for every step.

    Attributes:
        scan: The loop.
        table: The number at all steps; it has lanes if it differs between them.
    """

    scan: Scan
    table: Any

    @cached_property
    def settled(self) -> Value:
        """The number at the present step."""
        if isinstance(self.table, Lanes):
            return Lanes(self.scan.entry(self.table.array.T), self.table.context)
        return self.scan.entry(self.table)

    @property
    def smallest(self) -> Value:
        """The smallest value of each lane."""
        return self._reduced(np.min)

    @property
    def largest(self) -> Value:
        """The largest value of each lane."""
        return self._reduced(np.max)

    def _reduced(self, function: Any) -> Any:
        if isinstance(self.table, Lanes):
            return Lanes(function(self.table.array, axis=1), self.table.context)
        return function(self.table)

    def lifted(self, context: Context) -> np.ndarray:
        """The table for each lane of a context; shape [lanes, steps]."""
        return lift(self.table, context)


def step_of(scan: Scan, table: Any) -> Value:
    """The number that has these values at all steps: no step at all if they are the same."""
    array = array_of(table)
    if np.all(array == array[..., :1]):
        return Lanes(array[:, 0], table.context) if isinstance(table, Lanes) else array[0]
    return Step(scan, table)


def settle(value: Value) -> Value:
    """A value at the present step."""
    return value.settled if isinstance(value, Step) else value


def table_of(value: Value) -> Any:
    """The values at all steps of what may be the same at all of them."""
    if isinstance(value, Step):
        return value.table
    return Lanes(value.array[:, None], value.context) if isinstance(value, Lanes) else np.asarray(value)[None]


def difference(left: Value, right: Value, root: Context) -> Value:
    """`left - right` of tables."""
    context = deepest([context_of(left, root), context_of(right, root)], root)
    arrays = aligned([left, right], context)
    return wrap(arrays[0] - arrays[1], context)
