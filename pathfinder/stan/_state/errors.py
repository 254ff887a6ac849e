"""Errors of an evaluation."""

from __future__ import annotations

from pathfinder.stan._syntax.diagnostics import StanError
from pathfinder.stan._syntax.source import Span


class StanEvaluationError(StanError):
    """A program cannot be evaluated with these data; the message shows the place in it."""


class StanRejectError(StanEvaluationError):
    """`reject` or `fatal_error` was reached, or data violate a constraint.

    Args:
        reason: In the program's own words, or ours for what the language demands.
        span: The place.
        said: Whether the program says so, by `reject` or `fatal_error`.
    """

    def __init__(self, reason: str, span: Span, *, said: bool = False) -> None:
        self.reason = reason
        super().__init__(f"rejected: {reason}" if said else reason, span)


class NotFiniteError(StanEvaluationError):
    """The log density at a point that is known is not finite."""


class UntraceableError(StanEvaluationError):
    """Something has to be known when the program is compiled, but depends on parameters."""
