"""Values of the data block: looked up, and checked against their declarations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pathfinder._data_files import INT_MAX, INT_MIN, InputFileError, first_outside
from pathfinder.stan._checking.programs import CheckedProgram
from pathfinder.stan._expressions.expressions import concrete_int
from pathfinder.stan._program.execution import call_user
from pathfinder.stan._program.parameters import bounds_of, require_constraint
from pathfinder.stan._program.program import declarations
from pathfinder.stan._state.errors import StanEvaluationError
from pathfinder.stan._state.machine import Machine
from pathfinder.stan._state.run import Run
from pathfinder.stan._statements.declarations import shape_of
from pathfinder.stan._syntax.diagnostics import StanError
from pathfinder.stan._syntax.expression_text import print_sized_type
from pathfinder.stan._syntax.source import Span
from pathfinder.stan._syntax.tree import Declaration, SizedType
from pathfinder.stan._types.types import declared_type


class StanDataError(StanError):
    """Data that do not fit a program; the message shows the declaration.

    Attributes:
        variable: Name of the variable; `t.1` for the first element of a tuple `t`.
    """

    def __init__(self, variable: str, message: str, span: Span) -> None:
        self.variable = variable
        super().__init__(message, span)


@dataclass(frozen=True)
class DataSlot:
    """A variable of the data block, or an element of one that is a tuple.

    Attributes:
        name: Its name; `t.1` for the first element of a tuple `t`.
        node: The declaration of the whole variable.
        base: "int", "real" or "complex": what its scalars are.
        shape: Sizes, those of arrays of tuples around it in front.
        lower: Least value allowed, if one is declared.
        upper: Greatest value allowed, if one is declared.
        path: For each tuple around it the array dimensions of that tuple, and the position in it, from 1.
    """

    name: str
    node: Declaration
    base: str
    shape: tuple[int, ...]
    lower: Any = None
    upper: Any = None
    path: tuple[tuple[int, int], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it has no elements, so that it may be missing."""
        return 0 in self.shape

    def fail(self, message: str) -> StanDataError:
        """The error of this variable."""
        return StanDataError(self.name, message, self.node.span)


def read_data(checked: CheckedProgram, take: Callable[[DataSlot], np.ndarray]) -> dict[str, Any]:
    """Read the variables of the data block in order, as sizes depend on those declared before.

    Args:
        checked: The program.
        take: Gives the values of a variable in its shape, with an axis of two more for complex numbers.

    Returns:
        Values by name, as the evaluator takes them.

    Raises:
        StanDataError: If sizes are negative, or values violate a constraint.
    """
    run = Run(checked, Machine(), call_user, on_data=True)
    values: dict[str, Any] = {}
    for node in declarations(checked.program.data):
        name = node.name.text
        try:
            value = _read(run, DataSlot(name, node, "", ()), node.type, take)
            with run.at(node):
                require_constraint(run, node, value)
        except StanEvaluationError as error:
            raise StanDataError(name, error.diagnostic.message, node.span) from error
        run.machine.variables.declare(name, declared_type(node.type), value)
        values[name] = value
    return values


def _read(run: Run, slot: DataSlot, declared: SizedType, take: Callable[[DataSlot], np.ndarray]) -> Any:
    if declared.base == "tuple":
        dims = tuple(concrete_int(run, size, "a size") for size in declared.dims)
        return tuple(
            _read(
                run,
                DataSlot(
                    f"{slot.name}.{position}",
                    slot.node,
                    "",
                    slot.shape + dims,
                    path=(*slot.path, (len(dims), position)),
                ),
                element,
                take,
            )
            for position, element in enumerate(declared.elements, 1)
        )
    base = "int" if declared.base == "int" else "complex" if declared.base.startswith("complex") else "real"
    limits = bounds_of(run, declared.bounds)
    shape = slot.shape + shape_of(run, declared)
    values = take(
        DataSlot(slot.name, slot.node, base, shape, limits.get("lower"), limits.get("upper"), slot.path),
    )
    if base == "complex":
        values = np.asarray(values[..., 0] + 1j * values[..., 1])
    return int(values) if base == "int" and not values.shape else values


def take_from(data: Mapping[str, Any]) -> Callable[[DataSlot], np.ndarray]:
    """Where `read_data` finds values: in a mapping of numbers, lists and arrays.

    Tuples may be given as such or as `{"1": ..., "2": ...}`. Real numbers are not taken for integers even if they are
    whole, as in CmdStan. A variable without elements may be missing.
    """

    def take(slot: DataSlot) -> np.ndarray:
        shape = (*slot.shape, 2) if slot.base == "complex" else slot.shape
        dtype = np.int64 if slot.base == "int" else np.float64
        name = slot.name.partition(".")[0]
        if name not in data:
            if slot.is_empty:
                return np.zeros(shape, dtype)
            given = ", ".join(f"`{other}`" for other in data) or "nothing"
            raise slot.fail(f"`{name}` is missing: the data have {given}.")
        try:
            value = data[name]
        except InputFileError as error:
            raise slot.fail(f"{error.detail.removesuffix('.')}.") from error
        values = _as_array(slot, _element(slot, value, slot.path))
        if slot.is_empty and values.size == 0:
            return np.zeros(shape, dtype)
        if values.dtype.kind == "c":
            values = np.stack([np.real(values), np.imag(values)], axis=-1)
        if values.shape != shape:
            declared = print_sized_type(slot.node.type)
            raise slot.fail(
                f"`{slot.name}` is declared as `{declared}`, that is with shape {list(shape)}, but has shape "
                f"{list(values.shape)}."
            )
        wrong = first_outside(slot.name, values, slot.lower, slot.upper)
        if wrong is not None:
            raise slot.fail(f"{wrong}.")
        return values.astype(dtype)

    return take


def _element(slot: DataSlot, value: Any, path: tuple[tuple[int, int], ...]) -> Any:
    """The part of a value at a path of tuples; arrays of tuples may be lists of them, or a mapping to arrays."""
    if not path:
        return value
    (dims, position), *rest = path
    try:
        if isinstance(value, Mapping):
            return _element(slot, value[str(position)], tuple(rest))
        if dims == 0:
            return _element(slot, value[position - 1], tuple(rest))
        return [_element(slot, each, ((dims - 1, position), *rest)) for each in value]
    except (KeyError, IndexError, TypeError) as error:
        raise slot.fail(
            f'`{slot.name}` is missing: give a tuple as a Python tuple, or as a dictionary {{"1": ..., "2": ...}}.'
        ) from error


def _as_array(slot: DataSlot, value: Any) -> np.ndarray:
    try:
        values = np.asarray(value)
        if values.dtype.kind == "O" and values.size:
            values = np.array(values.tolist())  # integers of pandas that might be missing
    except ValueError as error:
        raise slot.fail(f"`{slot.name}` is not rectangular: {error}") from error
    kinds = {"int": "iub", "real": "iubf", "complex": "iubfc"}[slot.base]
    if values.dtype.kind not in kinds and values.size:
        elements = values.ravel().tolist()
        if slot.base == "int" and values.dtype.kind == "f":
            shown = next((each for each in elements if not each.is_integer()), elements[0])
            raise slot.fail(
                f"`{slot.name}` is an int, but holds real numbers such as {shown}; convert them with `.astype(int)`."
            )
        other = next((each for each in elements if not isinstance(each, int | float | complex)), elements[0])
        found = "None, but Stan has no missing values" if other is None else f"{other!r}"
        numbers = "whole numbers" if slot.base == "int" else "numbers"
        raise slot.fail(f"`{slot.name}` holds {found}; {numbers} are expected.")
    if slot.base == "int" and values.size and not (values.min() >= INT_MIN and values.max() <= INT_MAX):
        raise slot.fail(f"`{slot.name}` holds integers beyond 32 bits.")
    return values
