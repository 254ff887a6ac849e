"""Assignments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pathfinder.stan._expressions.alternatives import Alternatives, distributed
from pathfinder.stan._expressions.calls import call_library
from pathfinder.stan._expressions.expressions import (
    at_every_step,
    evaluate,
    positions_of,
    symbolic,
)
from pathfinder.stan._expressions.positions import require_parts
from pathfinder.stan._library.functions import OPERATORS
from pathfinder.stan._state.errors import UntraceableError
from pathfinder.stan._state.run import Run, as_type
from pathfinder.stan._state.steering import ConflictError
from pathfinder.stan._state.variables import Cell
from pathfinder.stan._syntax.tree import (
    Assignment,
    Binary,
    Expression,
    Index,
    TupleElement,
    TupleLiteral,
    Variable,
)
from pathfinder.stan._values.indices import At, Between, Many, MovingRange, Position
from pathfinder.stan._values.lanes import Lanes, array_of, is_static
from pathfinder.stan._values.steps import Step
from pathfinder.stan._values.value import Value


def check_shape(name: str, shape: tuple[int, ...], value: Value) -> None:
    """Check the sizes of a value that a variable or a part of it is given.

    Raises:
        ValueError: If they are others.
    """
    found = np.shape(array_of(value))
    found = found[1:] if isinstance(value, Lanes) else found
    if found != shape:
        raise ValueError(f"`{name}` has size {_sizes(shape)}, but the value assigned to it has size {_sizes(found)}")


def _sizes(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) if shape else "1"


def assign(run: Run, node: Assignment) -> None:
    """`x[i] = e`, `x += e` and their like."""
    if isinstance(node.target, TupleLiteral):
        _assign_tuple(run, node.target, evaluate(run, node.value))
        return
    summand, sign = _summand(node) if run.machine.frame.loops else (None, 1)
    if summand is not None and _is_sum_over_lanes(run, node.target, summand):
        value = evaluate(run, summand)
        if sign < 0:
            value = call_library(run, OPERATORS["u-"], [run.type_of(summand)], [value], node)
        _add(run, node.target, value)
        return
    value = symbolic(run, node.value)
    if node.operator != "=":
        types = (run.type_of(node.target), run.type_of(node.value))
        values = [symbolic(run, node.target), value]
        with run.at(node):
            value = at_every_step(run, OPERATORS[node.operator[:-1]], types, values, node)
    assign_value(run, node.target, value)


def _summand(node: Assignment) -> tuple[Expression | None, int]:
    """What an assignment adds to its target, and its sign; None if it does something else."""
    if node.operator in ("+=", "-="):
        return node.value, 1 if node.operator == "+=" else -1
    value = node.value
    if node.operator == "=" and isinstance(value, Binary) and value.operator in ("+", "-"):
        if value.left == node.target:
            return value.right, 1 if value.operator == "+" else -1
        if value.right == node.target and value.operator == "+":
            return value.left, 1
    return None, 1


def _is_sum_over_lanes(run: Run, target: Expression, summand: Expression) -> bool:
    """Whether lanes add to a variable from around them, which they may do in any order."""
    base, _ = _simple(run, target)
    if base is None or run.type_of(summand).rank != run.type_of(target).rank:
        return False
    return run.machine.variables.can_add(run.machine.variables.find(base.name))


def _add(run: Run, target: Expression, value: Value) -> None:
    base, indices = _simple(run, target)
    assert base is not None
    cell = run.machine.variables.find(base.name)
    positions = positions_of(run, indices)
    with run.at(target):
        require_parts(run, cell, positions)
        run.machine.variables.add(cell, positions, as_type(run.type_of(target), value))


def _simple(run: Run, target: Expression) -> tuple[Variable | None, Sequence[Any]]:
    base, indices = run.chained(target)
    return (base, indices) if isinstance(base, Variable) else (None, ())


def _assign_tuple(run: Run, target: TupleLiteral, value: Value) -> None:
    for element, part in zip(target.elements, value, strict=True):
        if isinstance(element, TupleLiteral):
            _assign_tuple(run, element, part)
        else:
            assign_value(run, element, part)


def assign_value(run: Run, target: Expression, value: Value) -> None:
    """Assign a value to a variable, or to a part of one."""
    value = as_type(run.type_of(target), value)
    if isinstance(value, Alternatives):
        distributed(run, lambda given: assign_value(run, target, given[0]), [value])
        return
    base, indices = _simple(run, target)
    if base is not None:
        cell = run.machine.variables.find(base.name)
        positions = positions_of(run, indices)
        with run.at(target):
            require_parts(run, cell, positions)
            _check_assigned(run, cell, positions, value)
            run.machine.variables.assign(cell, positions, value)
        return
    _assign_path(run, target, value)


def assign_whole(run: Run, cell: Cell, target: Expression, value: Value) -> None:
    """Assign a value to all of a variable, `target` for its place."""
    with run.at(target):
        _check_assigned(run, cell, (), value)
        run.machine.variables.assign(cell, (), value)


def _check_assigned(run: Run, cell: Cell, positions: Sequence[Position], value: Value) -> None:
    if isinstance(value, tuple | int | np.generic) or isinstance(cell.value, tuple):
        return
    if isinstance(value, Step):
        value = 0  # a number
    shape = cell.storage_shape(run.machine.frame.root)
    shape = shape if cell.owner is run.machine.frame.root else shape[1:]
    wanted: list[int] = []
    for position, length in zip(positions, shape, strict=False):
        if isinstance(position, Many):
            wanted.append(np.shape(array_of(position.index))[-1])
        elif isinstance(position, MovingRange):
            wanted.append(position.size)
        elif isinstance(position, Between):
            lower = 1 if position.lower is None else array_of(position.lower)
            upper = length if position.upper is None else array_of(position.upper)
            if not (is_static(lower) and is_static(upper)) or np.ndim(lower) or np.ndim(upper):
                return  # checked where the range is resolved
            wanted.append(max(int(upper) - int(lower) + 1, 0))
    check_shape(cell.name, (*wanted, *shape[len(positions) :]), value)


def _assign_path(run: Run, target: Expression, value: Value) -> None:
    """Assign to a part of a tuple, or to elements of a part of a container."""
    steps: list[Index | TupleElement] = []
    at = target
    while isinstance(at, Index | TupleElement):
        steps.append(at)
        at = at.base
    assert isinstance(at, Variable)
    cell = run.machine.variables.find(at.name)
    if cell.owner is not run.machine.frame.context and cell.name in run.machine.frame.watched:
        raise ConflictError(run.machine.frame.context.loop, cell.name, "is assigned in part")
    path: list[int] = []
    positions: list[Position] = []
    for step in reversed(steps):
        if isinstance(step, TupleElement):
            path.append(step.position - 1)
        else:
            positions = _composed(run, positions, positions_of(run, step.indices), step)

    def changed(whole: Value, path: Sequence[int]) -> Value:
        if path:
            part = changed(whole[path[0]], path[1:])
            return (*whole[: path[0]], part, *whole[path[0] + 1 :])
        part = Cell(cell.name, run.type_of(target), whole, cell.owner)
        run.machine.variables.assign(part, positions, value)
        return part.value

    with run.at(target):
        cell.value = changed(cell.value, path)


def _composed(run: Run, first: list[Position], then: list[Position], node: Expression) -> list[Position]:
    """Positions of `x[first][then]`."""
    if all(isinstance(position, At) for position in first):
        return [*first, *then]
    result: list[Position] = []
    remaining = list(then)
    for position in first:
        if isinstance(position, At) or not remaining:
            result.append(position)
            continue
        inner = remaining.pop(0)
        lower = position.lower if isinstance(position, Between) else None
        if isinstance(position, Between) and isinstance(inner, At):
            result.append(At(inner.index + (0 if lower is None else lower - 1)))
        elif isinstance(position, Many) and isinstance(inner, At) and is_static(inner.index):
            result.append(At(np.asarray(position.index)[inner.index - 1]))
        else:
            raise UntraceableError("assigning to a range of a range is not possible; combine the indices", node.span)
    return [*result, *remaining]
