"""Errors and warnings that show the place in the program."""

from collections.abc import Iterable
from dataclasses import dataclass

from pathfinder._close_names import close_name
from pathfinder.stan._syntax.source import Span


_LEAST_LIKENESS = 0.7  # of names of Stan, which are many and short


@dataclass(frozen=True)
class Diagnostic:
    """What is wrong, where, and what to write instead.

    Attributes:
        message: A sentence on what was expected and what came.
        span: The part of the program that it is about.
        hint: Advice, or nothing.
    """

    message: str
    span: Span
    hint: str = ""

    def __str__(self) -> str:
        lines = [f"{self.span.location()}: {self.message}", self.span.excerpt()]
        at = self.span.source.included_at
        while at is not None:
            lines.append(f"included from {at.location()}")
            at = at.source.included_at
        return "\n".join([*lines, self.hint] if self.hint else lines)

    def in_one_line(self) -> str:
        """The message and the place, without the excerpt."""
        return f"{self.message} ({self.span.location()})"


class StanError(ValueError):
    """Something is wrong in a Stan program; the message shows the place in it."""

    def __init__(self, message: str, span: Span, hint: str = "") -> None:
        self.diagnostic = Diagnostic(message, span, hint)
        super().__init__(str(self.diagnostic))


class StanSyntaxError(StanError):
    """A text is no Stan program."""


class StanTypeError(StanError):
    """A program is well formed, but means nothing: types that do not fit, names that are unknown, and the like."""


def nearest(word: str, known: Iterable[str]) -> str:
    """A question naming the known name that `word` looks like; empty if it looks like none."""
    names = list(known)
    meant = "" if word in names else close_name(word, names, _LEAST_LIKENESS)
    return f"Did you mean `{meant}`?" if meant else ""
