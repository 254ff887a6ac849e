"""Checks of the values in an input file against what a model declares."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from pathfinder._data_files import Array, InputFileError, Value, first_outside
from pathfinder_cli._errors import InputError
from pathfinder_cli._inputs.input_file import InputFile, absence


@dataclass(frozen=True)
class Declaration:
    """A variable that a model wants to be given.

    Args:
        name: Its name; `t.1` for the first slot of a tuple `t`.
        base_type: Whether its elements are whole numbers.
        shape: Sizes of its dimensions, none for a scalar.
        lower: Least value allowed, if any, broadcast against the shape.
        upper: Greatest value allowed, if any, broadcast against the shape.
        location: Where the model declares it, such as `'m.stan', line 2, column 2 to column 17`.
    """

    name: str
    base_type: Literal["int", "real"]
    shape: tuple[int, ...]
    lower: ArrayLike | None = None
    upper: ArrayLike | None = None
    location: str = ""


@dataclass(frozen=True)
class Purpose:
    """What values are read for, as it is named in messages.

    Args:
        stage: CmdStan's name of the stage.
        model_name: Name of the model, such as `bernoulli_model`, for errors about bounds.
        may_be_missing: Whether a variable that is not in the file is left out, not an error.
    """

    stage: Literal["data initialization", "parameter initialization"]
    model_name: str = ""
    may_be_missing: bool = False


DATA = Purpose("data initialization")
INITS = Purpose("parameter initialization", may_be_missing=True)


def validate(declarations: Iterable[Declaration], file: InputFile, purpose: Purpose = DATA) -> dict[str, Array]:
    """Check the values of a file, variable by variable in the order of the declarations.

    Existence, shape and type are checked in CmdStan's order, which is another for JSON than for
    R dump; then the bounds. In JSON a variable without elements may be `[]` or missing, whatever
    its number of dimensions.

    Args:
        declarations: What the model wants; a generator may compute later shapes from earlier
            results of `validate_variable`.
        file: The values found; names that no declaration has are ignored.
        purpose: What the values are for.

    Returns:
        Name to array of the declared shape, int64 or float64.

    Raises:
        InputError: For the first variable that does not fit.
    """
    checked = {}
    for declaration in declarations:
        values = validate_variable(declaration, file, purpose)
        if values is not None:
            checked[declaration.name] = values
    return checked


def validate_variable(declaration: Declaration, file: InputFile, purpose: Purpose = DATA) -> Array | None:
    """Check the values of one variable, as `validate` does.

    Returns:
        The values; None if there are none and `purpose` allows that.

    Raises:
        InputError: If they do not fit the declaration.
    """
    try:
        value = _look_up(file.values, declaration.name)
    except InputFileError as error:
        raise InputError(error.message, error.detail) from error
    found = value if isinstance(value, np.ndarray) else None
    if value is None and purpose.may_be_missing and not _stands_for_tuple(file.values, declaration.name):
        return None
    dtype = np.int64 if declaration.base_type == "int" else np.float64
    is_empty = prod(declaration.shape) == 0
    if file.format == "json" and is_empty and (found is None or found.size == 0):
        return np.zeros(declaration.shape, dtype)
    check = _Check(declaration, file, purpose)
    if file.format == "json":
        check.shape(found)
        check.exists(found)
    else:
        check.exists(found)
        check.shape(found)
    values = np.asarray(found).astype(dtype)
    check.bounds(values)
    return values


def _look_up(values: Mapping[str, Value], name: str) -> Value | None:
    if name in values:
        return values[name]
    outer, dot, slot = name.rpartition(".")
    members = _look_up(values, outer) if dot else None
    return members.get(slot) if isinstance(members, dict) else None


def _stands_for_tuple(values: Mapping[str, Value], name: str) -> bool:
    """Whether there are numbers where a tuple belongs of which `name` is a slot."""
    outer, dot, _ = name.rpartition(".")
    return bool(dot) and (isinstance(_look_up(values, outer), np.ndarray) or _stands_for_tuple(values, outer))


@dataclass(frozen=True)
class _Check:
    """The checks of one variable; each raises an InputError or does nothing."""

    declaration: Declaration
    file: InputFile
    purpose: Purpose

    def exists(self, found: Array | None) -> None:
        declared = self.declaration
        if found is None:
            self._fail("variable does not exist", f"base type={self._storage_type()}", self._absence())
        elif declared.base_type == "int" and found.dtype != np.int64:
            message = "int variable contained non-int values"
            self._fail(message, "base type=int", _non_int_detail(declared.name, found))

    def shape(self, found: Array | None) -> None:
        declared = self.declaration
        shape = () if found is None else found.shape
        dims = f"dims declared={_dims(declared.shape)}; dims found={_dims(shape)}"
        detail = f"`{declared.name}` is declared with dimensions {_dims(declared.shape)} but has {_dims(shape)}"
        if len(shape) != len(declared.shape):
            message = "mismatch in number dimensions declared and found in context"
            self._fail(message, dims, detail if found is not None else self._absence())
        for position, (have, want) in enumerate(zip(shape, declared.shape, strict=True)):
            if have != want:
                message = "mismatch in dimension declared and found in context"
                detail += f": {have} along dimension {position + 1} where {want} belong"
                self._fail(message, f"position={position}; {dims}", detail)

    def bounds(self, values: Array) -> None:
        declared = self.declaration
        wrong = first_outside(declared.name, values, declared.lower, declared.upper)
        if wrong is not None:
            word = "greater" if wrong.bound == "lower" else "less"
            message = f"{wrong.element} is {wrong.shown}, but must be {word} than or equal to {wrong.limit:f}"
            self._fail_bounds(message, str(wrong))

    def _storage_type(self) -> str:
        return "int" if self.declaration.base_type == "int" else "double"

    def _absence(self) -> str:
        name, file = self.declaration.name, self.file
        if _stands_for_tuple(file.values, name):
            outer = name.rpartition(".")[0]
            return f'`{outer}` is a tuple, to be given as an object with its slots: {{"1": ...}}'
        if name in file.values:
            return f"`{name}` is an object, not a number or an array of numbers"
        return absence(name, file.name, file.values)

    def _fail(self, message: str, context: str, detail: str) -> None:
        stage = f"processing stage={self.purpose.stage}; variable name={self.declaration.name}"
        raise self._error(f"{message}; {stage}; {context}", detail)

    def _fail_bounds(self, message: str, detail: str) -> None:
        model = self.purpose.model_name
        raise self._error(f"{model}_namespace::{model}: {message}" if model else message, detail)

    def _error(self, message: str, detail: str) -> InputError:
        where = f'file "{self.file.name}": ' if self.file.name else ""
        location = f" (in {self.declaration.location})" if self.declaration.location else ""
        return InputError(f"Exception: {message}{location}", f"{where}{detail}.")


def _non_int_detail(name: str, found: Array) -> str:
    fractional = np.argwhere(~(np.isfinite(found) & (found == np.round(found))))
    if not len(fractional):
        return f"`{name}` is an int, but its values are written as reals (2.0, 2e0) or do not fit in 32 bits"
    index = tuple(fractional[0])
    return f"`{name}` is an int, but {name}{_index(index)} is {_shown(found[index].item())}"


def _shown(number: int | float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.6g}"


def _index(index: tuple[int, ...]) -> str:
    return f"[{','.join(str(i + 1) for i in index)}]" if index else ""


def _dims(shape: tuple[int, ...]) -> str:
    return f"({','.join(map(str, shape))})"
