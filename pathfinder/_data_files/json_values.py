"""Nested JSON lists and objects as rectangular arrays."""

from itertools import chain
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pathfinder._data_files.errors import InputFileError


Array: TypeAlias = NDArray[np.int64 | np.float64]
Value: TypeAlias = Array | dict[str, "Value"]

INT_MIN, INT_MAX = -(2**31), 2**31 - 1  # Stan's `int`
MAX_DEPTH = 64  # NumPy's limit on dimensions


def to_value(raw: Any, name: str, source: str) -> Value:
    """Turn one parsed member into an array, or an object into a dict of arrays.

    Args:
        raw: A number, or lists and dicts of numbers to any depth.
        name: Full name of the variable, for error messages.
        source: Name of the file, for error messages.

    Raises:
        InputFileError: If lists are not rectangular, or mix numbers, lists and objects.
    """
    if isinstance(raw, dict):
        return {key: to_value(member, f"{name}.{key}", source) for key, member in raw.items()}
    shape, elements = _flatten(raw, name, source)
    kinds = set(map(type, elements))
    if kinds == {dict}:
        return _array_of_objects(elements, shape, name, source)
    if not kinds <= {int, float}:
        _refuse(name, source, "ill-formed array.", "mixes numbers with lists or objects (non-scalar array value)")
    if kinds <= {int} and (not elements or (min(elements) >= INT_MIN and max(elements) <= INT_MAX)):
        return np.array(elements, dtype=np.int64).reshape(shape)
    return np.array(elements, dtype=np.float64).reshape(shape)


def _flatten(raw: Any, name: str, source: str) -> tuple[tuple[int, ...], list[Any]]:
    shape: list[int] = []
    level = [raw]
    while level and isinstance(level[0], list):
        length = len(level[0])
        for index, row in enumerate(level):
            if not isinstance(row, list):
                detail = "mixes numbers with lists or objects (non-scalar array value)"
                _refuse(name, source, "ill-formed array.", detail)
            if len(row) != length:
                detail = f"has {length} elements in its first row and {len(row)} in row {index + 1}"
                _refuse(name, source, "non-rectangular array.", detail)
        shape.append(length)
        level = list(chain.from_iterable(level))
    return tuple(shape), level


def _array_of_objects(elements: list[dict[str, Any]], shape: tuple[int, ...], name: str, source: str) -> Value:
    keys = list(elements[0])
    for index, element in enumerate(elements):
        if element.keys() != elements[0].keys():
            detail = f"has slots {keys} in its first element and {list(element)} in element {index + 1}"
            raise _size_mismatch(name, f'file "{source}": variable `{name}` {detail}.')
    slots: dict[str, Value] = {}
    for key in keys:
        try:
            stacked = to_value([element[key] for element in elements], f"{name}.{key}", source)
        except InputFileError as error:
            raise _size_mismatch(f"{name}.{key}", error.detail) from error
        slots[key] = _with_leading_axes(stacked, shape)
    return slots


def _with_leading_axes(value: Value, shape: tuple[int, ...]) -> Value:
    if isinstance(value, dict):
        return {key: _with_leading_axes(slot, shape) for key, slot in value.items()}
    return value.reshape(shape + value.shape[1:])


def _size_mismatch(name: str, detail: str) -> InputFileError:
    return InputFileError(f"Variable {name}: size mismatch between tuple elements.", detail)


def _refuse(name: str, source: str, reason: str, detail: str) -> NoReturn:
    raise InputFileError(f"Variable: {name}, error: {reason}", f'file "{source}": variable `{name}` {detail}.')
