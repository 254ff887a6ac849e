"""The error of a fit without a result."""

from collections.abc import Sequence

from pathfinder._status import Status


class PathfinderError(RuntimeError):
    """No path produced a usable approximation.

    Args:
        message: What happened to each path, and what to try.
        statuses: Status of each path.
        reasons: What happened to each path, in words; by default what the status says.
    """

    def __init__(self, message: str, statuses: Sequence[Status], reasons: Sequence[str] | None = None):
        super().__init__(message)
        self.statuses = tuple(statuses)
        self.reasons = tuple([status.message for status in statuses] if reasons is None else reasons)
