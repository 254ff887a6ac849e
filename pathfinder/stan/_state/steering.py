"""Exceptions that steer an evaluation: they say that it has to go on in another way, and are no errors.

An evaluation tries the fast way first. What shows itself only while that runs is raised where it shows, and caught
where there is another way; whoever catches puts back a `Machine.snapshot` before going on. What can be told beforehand
is no exception, but in the plan of a loop (`_loops.plan`).

- `LeaveFunction`, `LeaveLoop`, `LeaveIteration`: raised by `return`, `break`, `continue`. Caught by the call or the
  sequential loop if all lanes go. Where only some do, `branch` notes them in the frame, and the others go on.
- `ConflictError`: raised by the log of accesses where iterations that run side by side depend on each other, and by
  `print` and `target()` in them. Caught by `try_lanes` of the loop that it names, which then runs in another way; by a
  survey and by a run on the host, which then do not know what they wanted to know.
- `RaggedError` (in `_values.indices`): raised by a range, a condition or a size whose lanes need containers of
  different sizes. Caught by `try_lanes`: iterations of equal sizes run in groups or, if there are too many groups,
  ranges are laid out one after another (`Ragged`). A declaration makes room for the largest size.
- `UnknownSizeError` (in `_values.indices`), with `RaggedUseError` and `UnevenUseError`: raised by whoever needs a size
  that is not known from the data, or one size where there are several. Caught by `try_lanes` if ranges are laid out one
  after another: groups after all, however many. Caught by `execute_for`, whose loop is no scan then. Else `Run.at`
  makes an `UntraceableError` of it.
- `UntraceableError` (in `errors`): raised by whoever needs a value that depends on parameters. Caught as
  `UnknownSizeError` is, and by a run on the host. Else the user sees it, with its place.
- `NewPrivateError` (in `variables`): raised by the log in a step of a scan, where each iteration of a loop around needs
  a copy of a variable. Caught by `execute_scan`, which makes the copy and begins anew.
- `OutsideWindowError` (in `variables`): raised by a window of which a step touches more than it holds. Caught by the
  `execute_scan` that made the window, which carries all of the array and begins anew.
- `ScanError`: raised by `execute_scan` where lanes leave a loop whose steps are compiled once. Caught by `execute_for`,
  which unrolls the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pathfinder.stan._values.contexts import Context
from pathfinder.stan._values.value import Value


Then = Callable[[], None]


def nothing() -> None:
    """Nothing comes after."""


class Leave(Exception):  # noqa: N818
    """The statements behind are not run.

    Attributes:
        statement: The keyword that does it.
    """

    statement: str


class LeaveFunction(Leave):
    """`return`.

    Attributes:
        value: What the function returns, or None.
    """

    statement = "return"

    def __init__(self, value: Value) -> None:
        self.value = value


class LeaveLoop(Leave):
    """`break`."""

    statement = "break"


class LeaveIteration(Leave):
    """`continue`."""

    statement = "continue"


class ConflictError(Exception):
    """Iterations depend on each other.

    Attributes:
        context: The context whose lanes do.
        variable: The name of the variable through which they do.
    """

    def __init__(self, context: Context, variable: str, why: str) -> None:
        super().__init__(f"`{variable}` {why}")
        self.context = context
        self.variable = variable


class ScanError(Exception):
    """A loop cannot be a scan; says why."""


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
