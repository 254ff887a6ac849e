"""Leaving a function, a loop or an iteration."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.value import Value


Then = Callable[[], None]


def nothing() -> None:
    """Nothing comes after."""


class Leave(Exception):  # noqa: N818
    """The statements behind are not run; no error."""


class Return(Leave):
    """`return`.

    Attributes:
        value: What the function returns, or None.
    """

    def __init__(self, value: Value) -> None:
        self.value = value


class Break(Leave):
    """`break`."""


class Continue(Leave):
    """`continue`."""


class Returns(NamedTuple):
    """What the branches of a function under way have returned.

    Attributes:
        loops: Number of sequential loops around the call.
        values: The lanes (context and mask) that have returned, and what.
    """

    loops: int
    values: tuple[tuple[Context, Value | None, Value], ...] = ()

    def joined_by(self, context: Context, mask: Value | None, value: Value) -> Returns:
        """Further lanes return."""
        return self._replace(values=(*self.values, (context, mask, value)))
