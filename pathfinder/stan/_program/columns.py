"""The real numbers that a value of a Stan type is made of, under the names that CmdStan gives them.

Elements of tuples are `t:1`, and of arrays of tuples `a.1:1`; complex numbers have the parts `.real` and `.imag`.
Everything else is one array under its own name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pathfinder._variables import Part
from pathfinder.stan._types.types import Type


@dataclass(frozen=True)
class Slot:
    """An array of real numbers or integers within a value.

    Attributes:
        name: As CmdStan names its columns.
        shape: Its shape.
        path: Which elements of tuples lead to it, counted from 0.
        index: Leading indices, from 0.
        part: "real" or "imag" of a complex number.
    """

    name: str
    shape: tuple[int, ...]
    path: tuple[int, ...] = ()
    index: tuple[int, ...] = ()
    part: str = ""

    def read(self, value: Any) -> Any:
        """Its numbers in a value."""
        for position in self.path:
            value = value[position]
        if self.index:
            leading = np.ndim(value) - len(self.index) - len(self.shape)  # an axis of several values
            value = value[(slice(None),) * leading + self.index]
        return getattr(value, self.part) if self.part else value

    def write(self, value: Any, numbers: Any) -> None:
        """Put its numbers into a value of NumPy arrays."""
        for position in self.path:
            value = value[position]
        if self.part:
            getattr(value, self.part)[self.index] = numbers
        else:
            value[self.index if self.index else ...] = numbers


def slots_of(name: str, type_: Type, value: Any) -> Iterator[Slot]:
    """The parts of a variable in CmdStan's order.

    Args:
        name: Its name.
        type_: Its type.
        value: A value of it, which tells the sizes.
    """
    yield from _slots(Slot(name, ()), type_, value)


def _slots(at: Slot, type_: Type, value: Any) -> Iterator[Slot]:
    if type_.base == "tuple":
        first = value
        while isinstance(first, tuple):
            first = first[0]
        outer = len(at.index)
        for index in _indices(np.shape(first)[outer : outer + type_.dims]):
            for position, (element, part) in enumerate(zip(type_.elements, value, strict=True)):
                name = f"{_indexed(at.name, index)}:{position + 1}"
                yield from _slots(Slot(name, (), (*at.path, position), at.index + index), element, part)
        return
    shape = np.shape(value)[len(at.index) :]
    if type_.base.startswith("complex"):
        for index in _indices(shape):
            for part in ("real", "imag"):
                yield Slot(f"{_indexed(at.name, index)}.{part}", (), at.path, at.index + index, part)
        return
    yield Slot(at.name, shape, at.path, at.index)


def _indices(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All indices, the first one running fastest."""
    for index in np.ndindex(*reversed(shape)):
        yield index[::-1]


def _indexed(name: str, index: Sequence[int]) -> str:
    return name + "".join(f".{i + 1}" for i in index)


def nested(slots: Sequence[Slot], template: Any, numbers: Mapping[str, Any]) -> Any:
    """A value made of its numbers by name.

    Args:
        slots: The parts of the value.
        template: A value of the same sizes.
        numbers: The numbers by the names of the slots.

    Raises:
        ValueError: If numbers have another shape.
    """
    value = _copied(template)
    for slot in slots:
        given = np.asarray(numbers[slot.name])
        if given.shape != slot.shape:
            raise ValueError(f"`{slot.name}` has shape {list(slot.shape)}, but {list(given.shape)} was given.")
        slot.write(value, given)
    return value


def parts_of(name: str, slots: Sequence[Slot], template: Any, path: tuple[int, ...] = ()) -> Iterator[Part]:
    """The arrays that a file gives a variable by: itself, or what the slots of a tuple hold.

    Args:
        name: Its name.
        slots: Its parts.
        template: A value of it.
        path: Which slots of tuples lead to `template`.
    """
    if isinstance(template, tuple):
        for position, element in enumerate(template):
            yield from parts_of(f"{name}.{position + 1}", slots, element, (*path, position))
        return
    own = [slot for slot in slots if slot.path == path]
    last = {"": (), "real": (0,), "imag": (1,)}
    pieces = tuple((slot.name, slot.index + (slice(None),) * len(slot.shape) + last[slot.part]) for slot in own)
    yield Part(name, (*template.shape, 2) if template.dtype.kind == "c" else template.shape, pieces)


def _copied(template: Any) -> Any:
    return tuple(map(_copied, template)) if isinstance(template, tuple) else np.array(template)
