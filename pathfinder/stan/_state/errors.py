"""Errors of an evaluation."""

from __future__ import annotations

from pathfinder.stan._syntax.diagnostics import StanError


class StanEvaluationError(StanError):
    """A program cannot be evaluated with these data; the message shows the place in it."""


class StanRejectError(StanEvaluationError):
    """`reject` or `fatal_error` was reached, or data violate a constraint."""


class NotFiniteError(StanEvaluationError):
    """The log density at a point that is known is not finite."""


class UntraceableError(StanEvaluationError):
    """Something has to be known when the program is compiled, but depends on parameters."""
