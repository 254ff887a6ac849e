"""Functions of the library that are indexing by another name: `segment`, `head`, `sub_col` and their like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pathfinder.stan._expressions.ragged import Stretch, read_ragged
from pathfinder.stan._state.run import Run, here, known_int
from pathfinder.stan._syntax.tree import Node
from pathfinder.stan._types.types import Type
from pathfinder.stan._values.indices import At, Between, Many
from pathfinder.stan._values.lanes import Lanes, array_of, is_static
from pathfinder.stan._values.reading import read
from pathfinder.stan._values.steps import Step, settle
from pathfinder.stan._values.value import Value


def slice_value(run: Run, name: str, values: list[Value], node: Node) -> Value:
    """The value of one of `SLICES`."""
    base, *where = values[0], *(here(run, value) for value in values[1:])
    positions = [_settled(position) for position in SLICES[name](base, *where)]
    stretched = [_stretched(run, position) for position in positions]
    if any(isinstance(position, Stretch) for position in stretched):
        return read_ragged(run.machine, base, [_position(run, position, node) for position in stretched])
    return read(base, [_position(run, position, node) for position in positions], run.machine.frame.root)


class _Count:
    """`size` indices from `first` on."""

    def __init__(self, first: Any, size: Any) -> None:
        self.first = first
        self.size = size


def _settled(position: Any) -> Any:
    """Single indices as they are read; sizes stay symbolic."""
    return At(settle(position.index)) if isinstance(position, At) else position


def _stretched(run: Run, position: Any) -> Any:
    if not isinstance(position, _Count):
        return position
    if isinstance(position.size, Step):
        return Stretch(position.first, position.size)
    if (
        run.machine.frame.flat_ranges
        and isinstance(position.size, Lanes)
        and np.any(position.size.array != position.size.array[0])
    ):
        return Stretch(position.first, position.size)
    return position


def _position(run: Run, position: Any, node: Node) -> Any:
    if not isinstance(position, _Count):
        return position
    size = known_int(run, position.size, "a size", node)
    if size < 0:
        raise ValueError(f"a size is {size}; sizes cannot be negative")
    first = settle(position.first)
    if isinstance(first, Lanes):
        return Many(Lanes(first.array[:, None] + np.arange(size), first.context))
    return Between(first, first + size - 1) if is_static(first) else Many(first + np.arange(size))


def size_value(name: str, type_: Type, value: Value) -> Value:
    """The value of one of `SHAPES`: sizes are known even where elements are not."""
    part = value
    while isinstance(part, tuple):
        part = part[0]
    shape = np.shape(array_of(part))
    shape = shape[1:] if isinstance(part, Lanes) else shape
    if type_.base == "tuple":
        shape = shape[: type_.dims]
    return SHAPES[name](type_, shape)


def _rows(type_: Type, shape: tuple[int, ...]) -> int:
    return 1 if type_.base.endswith("row_vector") else shape[0]


def _columns(type_: Type, shape: tuple[int, ...]) -> int:
    return 1 if type_.base in ("vector", "complex_vector") else shape[-1]


def _dims(type_: Type, shape: tuple[int, ...]) -> np.ndarray:
    """The sizes of the array, and of a vector or row vector both its rows and its columns."""
    if type_.base.endswith("row_vector"):
        shape = (*shape[:-1], 1, shape[-1])
    elif type_.base.endswith("vector"):
        shape = (*shape, 1)
    return np.array(shape, dtype=np.int64)


def _size(type_: Type, shape: tuple[int, ...]) -> int:
    if not type_.dims and type_.base.endswith("matrix"):
        return int(np.prod(shape))
    return shape[0] if shape else 1


SHAPES: dict[str, Callable[[Type, tuple[int, ...]], Any]] = {
    "rows": _rows,
    "cols": _columns,
    "size": _size,
    "num_elements": lambda type_, shape: int(np.prod(shape)),
    "dims": _dims,
}


def _length(base: Any) -> int:
    part = base[0] if isinstance(base, tuple) else base
    return np.shape(array_of(part))[1 if isinstance(part, Lanes) else 0]


def _tail(base: Any, count: Any) -> list[Any]:
    length = _length(base)
    return [_Count(_minus(length + 1, settle(count)), count)]


def _minus(number: int, value: Value) -> Value:
    return Lanes(number - value.array, value.context) if isinstance(value, Lanes) else number - value


SLICES: dict[str, Callable[..., list[Any]]] = {
    "segment": lambda base, first, count: [_Count(first, count)],
    "head": lambda base, count: [_Count(1, count)],
    "tail": _tail,
    "sub_col": lambda base, row, column, count: [_Count(row, count), At(column)],
    "sub_row": lambda base, row, column, count: [At(row), _Count(column, count)],
    "block": lambda base, row, column, rows, columns: [_Count(row, rows), _Count(column, columns)],
    "row": lambda base, row: [At(row)],
    "col": lambda base, column: [Between(), At(column)],
}
