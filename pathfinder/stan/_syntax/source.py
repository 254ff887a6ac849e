"""Source texts, and spans of them to point at."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


@dataclass(frozen=True, eq=False)
class Source:
    """One text with the name to call it by.

    Attributes:
        name: What messages call the text, normally its file.
        text: The program, or the part of it that was included.
        included_at: The `#include` that brought the text in; None for the program itself.
    """

    name: str
    text: str
    included_at: "Span | None" = None

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(i + 1 for i, character in enumerate(self.text) if character == "\n")]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Text of a line, counted from 1, without its line break."""
        return self.text[self._line_starts[number - 1] :].partition("\n")[0].rstrip("\r")

    def including_names(self) -> list[str]:
        """Names of this text and of those that include it, innermost first."""
        names, at = [self.name], self.included_at
        while at is not None:
            names.append(at.source.name)
            at = at.source.included_at
        return names


class Span(NamedTuple):
    """The characters `start` to `end` (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """Line of the first character, counted from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """Column of the first character, counted from 1."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def through(self, other: "Span") -> "Span":
        """From the start of this span to the end of a later one; ends here if that one lies in another source."""
        return Span(self.source, self.start, other.end) if other.source is self.source else self

    def after(self) -> "Span":
        """The one place behind this span."""
        return Span(self.source, self.end, self.end)

    def location(self) -> str:
        """Source, line and column in words."""
        return f"{self.source.name}, line {self.line}, column {self.column}"

    def excerpt(self) -> str:
        """The first line of the span with the span's part of it underlined."""
        line, column = self.source.position(self.start)
        text = self.source.line(line)
        width = max(1, min(self.end - self.start, len(text) - column + 1))
        # A tab is as wide in the second line as in the first.
        indent = "".join("\t" if character == "\t" else " " for character in text[: column - 1])
        number = str(line)
        return f"  {number} | {text}\n  {' ' * len(number)} | {indent}{'^' * width}"
