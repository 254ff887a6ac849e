"""Leaving a function, a loop or an iteration."""

from __future__ import annotations

from collections.abc import Callable

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
