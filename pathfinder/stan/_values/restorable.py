"""State that can be put back whole."""

from __future__ import annotations

from dataclasses import Field
from typing import Any, ClassVar, Self

from pathfinder.stan._values.lanes import freeze


class Restorable:
    """A data class that changes while a piece of program is tried, and is put back if the trial fails.

    All of its fields are saved and put back, so that none can be forgotten. That takes fields whose content is replaced
    rather than changed: numbers, tuples, objects that stay as they are. Arrays count as such, since saving freezes
    them and whoever writes to a frozen one makes a copy first. Dictionaries may be changed; they are copied.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def saved(self) -> Self:
        """A copy as it is now."""
        copy = object.__new__(type(self))
        copy.restore(self)
        return copy

    def restore(self, saved: Self) -> None:
        """Put all fields back to those of a copy, any number of times."""
        # field by field, as attributes of objects whose `__dict__` has been asked for are slower
        for name in self.__dataclass_fields__:
            value = getattr(saved, name)
            setattr(self, name, dict(value) if isinstance(value, dict) else freeze(value))
