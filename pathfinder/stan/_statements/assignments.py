"""Declarations and assignments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pathfinder.stan._expressions.alternatives import Alternatives, distributed
from pathfinder.stan._expressions.calls import call_library
from pathfinder.stan._expressions.expressions import (
    at_every_step,
    concrete_int,
    evaluate,
    positions_of,
    require_parts,
    symbolic,
)
from pathfinder.stan._library.functions import OPERATORS
from pathfinder.stan._state.dependence import ConflictError
from pathfinder.stan._state.errors import StanEvaluationError, UntraceableError
from pathfinder.stan._state.run import Run, as_type, here
from pathfinder.stan._state.variables import Cell
from pathfinder.stan._syntax.traversal import mentioned
from pathfinder.stan._syntax.tree import (
    Assignment,
    Binary,
    Declaration,
    Expression,
    Index,
    SizedType,
    TupleElement,
    TupleLiteral,
    Variable,
)
from pathfinder.stan._types.types import declared_type
from pathfinder.stan._values.indices import At, Between, Block, Many, Position, RaggedError
from pathfinder.stan._values.lanes import Lanes, array_of, is_static
from pathfinder.stan._values.steps import Step
from pathfinder.stan._values.value import Value


UNASSIGNED_INT = -(2**31)
_UNASSIGNED_BITS = np.uint32(0x7FC05A4E)  # a NaN that no computation makes, in single precision, too
UNASSIGNED_REAL = float(_UNASSIGNED_BITS.view(np.float32))
_SQUARE = {"cov_matrix", "corr_matrix", "cholesky_factor_corr"}


def declare(run: Run, node: Declaration) -> Cell:
    """A new variable; what is not given a value is NaN."""
    type_ = declared_type(node.type)
    if node.value is None:
        try:
            return run.machine.declare(node.name.text, type_, unassigned(run, node.type))
        except RaggedError:
            if not run.machine.flat_ranges or node.type.base == "tuple":
                raise
            return _declare_padded(run, node)
    if run.remembered(_reads_itself, node):
        declare(run, replace(node, value=None))
    value = as_type(type_, symbolic(run, node.value))
    if isinstance(value, Alternatives):
        cell = run.machine.declare(node.name.text, type_, unassigned(run, node.type))
        target = Variable(node.name.text, span=node.name.span)
        distributed(run, lambda given: _assign_whole(run, cell, target, given[0]), [value])
        return cell
    if node.type.base != "tuple" and not isinstance(value, Step):
        with run.at(node):
            _check_shape(node.name.text, shape_of(run, node.type), value)
    return run.machine.declare(node.name.text, type_, value)


def _reads_itself(node: Declaration) -> bool:
    """Whether a variable is read, of which there is only the size then, in what it is given as its first value."""
    return node.name.text in mentioned(node.value)


def _declare_padded(run: Run, node: Declaration) -> Cell:
    """A container whose sizes differ between lanes, with room for the largest one in each of them."""
    sizes = [here(run, evaluate(run, size)) for size in (*node.type.dims, *node.type.sizes)]
    if node.type.base in _SQUARE or not all(is_static(size) and np.all(array_of(size) >= 0) for size in sizes):
        raise UntraceableError("a size depends on parameters or is negative", node.span)
    shape = tuple(int(np.max(array_of(size), initial=0)) for size in sizes)
    fill = UNASSIGNED_INT if node.type.base == "int" else UNASSIGNED_REAL
    cell = run.machine.declare(node.name.text, declared_type(node.type), np.full(shape, fill))
    cell.padded = {axis: size for axis, size in enumerate(sizes) if isinstance(size, Lanes)}
    return cell


def shape_of(run: Run, declared: SizedType) -> tuple[int, ...]:
    """Sizes of a declared variable that is no tuple: those of the array, then those of its elements."""
    sizes = (*declared.dims, *declared.sizes)
    shape = tuple(concrete_int(run, size, "a size") for size in sizes)
    for size, node in zip(shape, sizes, strict=True):
        if size < 0:
            raise StanEvaluationError(f"a size is {size}; sizes cannot be negative", node.span)
    square = declared.base in _SQUARE or (declared.base == "cholesky_factor_cov" and len(declared.sizes) == 1)
    return (*shape, shape[-1]) if square else shape


def unassigned(run: Run, declared: SizedType) -> Value:
    """What a variable holds before anything is assigned to it."""
    if declared.base == "tuple":
        dims = tuple(concrete_int(run, size, "a size") for size in declared.dims)
        return tuple(_repeated(unassigned(run, element), dims) for element in declared.elements)
    shape = shape_of(run, declared)
    if declared.base == "int":
        return np.full(shape, UNASSIGNED_INT) if shape else UNASSIGNED_INT
    if declared.base.startswith("complex"):
        return np.full(shape, complex(np.nan, np.nan))[()]
    return np.full(shape, UNASSIGNED_REAL)[()]


def is_unassigned(value: Value) -> np.ndarray:
    """Which elements of a known value, whole or real numbers, hold what `unassigned` gives."""
    array = np.asarray(value)
    if array.dtype.kind == "i":
        return array == UNASSIGNED_INT
    with np.errstate(all="ignore"):
        return np.isnan(array) & (array.astype(np.float32).view(np.uint32) == _UNASSIGNED_BITS)


def _repeated(value: Value, dims: tuple[int, ...]) -> Value:
    if isinstance(value, tuple):
        return tuple(_repeated(element, dims) for element in value)
    return np.array(np.broadcast_to(value, (*dims, *np.shape(value))))[()]


def _check_shape(name: str, shape: tuple[int, ...], value: Value) -> None:
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
    summand, sign = _summand(node) if run.machine.loops else (None, 1)
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
    return run.machine.can_add(run.machine.find(base.name))


def _add(run: Run, target: Expression, value: Value) -> None:
    base, indices = _simple(run, target)
    assert base is not None
    cell = run.machine.find(base.name)
    positions = positions_of(run, indices)
    with run.at(target):
        require_parts(run, cell, positions)
        run.machine.add(cell, positions, as_type(run.type_of(target), value))


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
        cell = run.machine.find(base.name)
        positions = positions_of(run, indices)
        with run.at(target):
            require_parts(run, cell, positions)
            _check_assigned(run, cell, positions, value)
            run.machine.assign(cell, positions, value)
        return
    _assign_path(run, target, value)


def _assign_whole(run: Run, cell: Cell, target: Expression, value: Value) -> None:
    with run.at(target):
        _check_assigned(run, cell, (), value)
        run.machine.assign(cell, (), value)


def _check_assigned(run: Run, cell: Cell, positions: Sequence[Position], value: Value) -> None:
    if isinstance(value, tuple | int | np.generic) or isinstance(cell.value, tuple):
        return
    if isinstance(value, Step):
        value = 0  # a number
    shape = cell.storage_shape(run.machine.root)
    shape = shape if cell.owner is run.machine.root else shape[1:]
    wanted: list[int] = []
    for position, length in zip(positions, shape, strict=False):
        if isinstance(position, Many):
            wanted.append(np.shape(array_of(position.index))[-1])
        elif isinstance(position, Block):
            wanted.append(position.size)
        elif isinstance(position, Between):
            lower = 1 if position.lower is None else array_of(position.lower)
            upper = length if position.upper is None else array_of(position.upper)
            if not (is_static(lower) and is_static(upper)) or np.ndim(lower) or np.ndim(upper):
                return  # checked where the range is resolved
            wanted.append(max(int(upper) - int(lower) + 1, 0))
    _check_shape(cell.name, (*wanted, *shape[len(positions) :]), value)


def _assign_path(run: Run, target: Expression, value: Value) -> None:
    """Assign to a part of a tuple, or to elements of a part of a container."""
    steps: list[Index | TupleElement] = []
    at = target
    while isinstance(at, Index | TupleElement):
        steps.append(at)
        at = at.base
    assert isinstance(at, Variable)
    cell = run.machine.find(at.name)
    if cell.owner is not run.machine.context and cell.name in run.machine.watched:
        raise ConflictError(run.machine.context.loop, cell.name, "is assigned in part")
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
        run.machine.assign(part, positions, value)
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
