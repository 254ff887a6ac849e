"""The iterations of a loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pathfinder.stan._expressions.calls import call_library
from pathfinder.stan._expressions.expressions import read_variable, symbolic
from pathfinder.stan._library.functions import OPERATORS
from pathfinder.stan._state.errors import UntraceableError
from pathfinder.stan._state.run import Run, here
from pathfinder.stan._syntax.traversal import assigned
from pathfinder.stan._syntax.tree import For, ForEach, Variable
from pathfinder.stan._types.types import INT, Type
from pathfinder.stan._values.indices import At
from pathfinder.stan._values.lanes import Lanes, array_of, is_static, lift
from pathfinder.stan._values.reading import read
from pathfinder.stan._values.steps import Step, settle
from pathfinder.stan._values.uneven import UnevenArray
from pathfinder.stan._values.value import Value


@dataclass(frozen=True)
class DataPart:
    """What is known from the data of the variables that a loop assigns.

    Attributes:
        starts: Values at the beginning of all iterations, those of each lane one after another.
        ends: Values after the loop.
    """

    starts: dict[str, np.ndarray]
    ends: dict[str, Value]


@dataclass(frozen=True)
class Range:
    """Iterations of a loop.

    Attributes:
        variable: Name of the loop variable.
        type: Its type.
        lower: First value of the index for each lane of the present context.
        counts: Number of iterations for each lane.
        element: The value of the loop variable at an index (which is a value with or without lanes).
        names: What the body assigns to.
        holds: Whether an index belongs to the loop, where its bounds depend on the iteration of a sequential loop
            around it and `lower` and `counts` are the widest ones; None if all do.
        is_known: Whether the loop variable is known from the data.
    """

    variable: str
    type: Type
    lower: np.ndarray
    counts: np.ndarray
    element: Callable[[Value], Value]
    names: frozenset[str]
    holds: Callable[[Value], Value] | None = None
    is_known: bool = True

    @property
    def first(self) -> int | None:
        """The first index, if it is the same for all lanes that have iterations."""
        lower = self.lower[self.counts > 0]
        return int(lower[0]) if np.all(lower == lower[0]) else None

    @property
    def steps(self) -> np.ndarray:
        """Numbers of the iterations of each lane; those that have fewer than others stay at their last one."""
        return np.minimum(np.arange(self.most), self.counts[:, None] - 1)

    @property
    def most(self) -> int:
        """The largest number of iterations of a lane."""
        return int(np.max(self.counts))


def range_of(run: Run, node: For | ForEach, container: Value) -> Range:
    """The iterations of a loop, over the elements of a container or between two bounds.

    Raises:
        UntraceableError: If the bounds are not known from the data.
    """
    machine = run.machine
    names = assigned(node.body)
    if isinstance(node, ForEach):
        return _range_of_elements(run, node, container, names)
    symbols = [here(run, symbolic(run, bound)) for bound in (node.lower, node.upper)]
    ends = []
    for bound, value, widest in zip((node.lower, node.upper), symbols, ("smallest", "largest"), strict=True):
        known = getattr(value, widest) if isinstance(value, Step) else value
        if not is_static(known):
            raise UntraceableError(
                "the bounds of a loop have to be known from the data, but this one depends on parameters or on the "
                "iteration of a sequential loop",
                bound.span,
            )
        ends.append(np.asarray(lift(known, machine.frame.context)))
    counts = np.maximum(ends[1] - ends[0] + 1, 0)
    holds: Callable[[Value], Value] | None = None
    if any(isinstance(value, Step) for value in symbols):
        low, high = map(settle, symbols)

        def inside(index):
            above = call_library(run, OPERATORS["<="], (INT, INT), [low, index], node)
            below = call_library(run, OPERATORS["<="], (INT, INT), [index, high], node)
            both = call_library(run, OPERATORS["&&"], (INT, INT), [above, below], node)
            return machine.conditions.truth(both)

        holds = inside

    return Range(node.variable.text, INT, ends[0], counts, lambda index: index, names, holds)


def _range_of_elements(run: Run, node: ForEach, container: Value, names: frozenset[str]) -> Range:
    """Iterations over the elements of a container, those of a matrix row by row.

    As stanc3 compiles it, an element is read when its iteration begins: what the body has assigned to the container of
    a variable by then is seen. Other containers are evaluated once.
    """
    frame = run.machine.frame
    kind = run.type_of(node.container)
    scalar = Type("complex" if kind.base.startswith("complex") else "real")

    def element(*indices: Value) -> Value:
        positions = list(map(At, indices))
        if isinstance(node.container, Variable) and node.container.name in names:
            return read_variable(run, node.container, positions)
        return read(container, positions, frame.root)

    first = container[0] if isinstance(container, tuple) else container
    shape = (len(first.elements),) if isinstance(first, UnevenArray) else np.shape(array_of(first))
    if kind.base.endswith("matrix") and not kind.dims:
        columns = shape[-1]
        count, type_ = int(np.prod(shape[-2:])), scalar

        def at(index: Value) -> Value:
            row, column = (array_of(index) - 1) // columns + 1, (array_of(index) - 1) % columns + 1
            if isinstance(index, Lanes):
                return element(Lanes(row, index.context), Lanes(column, index.context))
            return element(row, column)
    else:
        count = shape[1 if isinstance(first, Lanes) else 0]
        type_ = kind.array(-1) if kind.dims else scalar

        def at(index: Value) -> Value:
            return element(index)

    lower, counts = np.ones(frame.context.size, np.int64), np.full(frame.context.size, count)
    is_known = is_static(container)
    return Range(node.variable.text, type_, lower, counts, at, names, is_known=is_known)
