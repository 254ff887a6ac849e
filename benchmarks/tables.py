"""Tables of results, as text or in Markdown."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Table(NamedTuple):
    """A table to print: cells as text, the first column left-aligned."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def render(self, markdown: bool = False) -> str:
        """The table as aligned text, or in Markdown."""
        lines = [self.header, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]

        def aligned(line):
            cells = [line[0].ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
            return f"| {' | '.join(cells)} |" if markdown else "  ".join(cells)

        rule = "|" + "|".join(["-" * (widths[0] + 2)] + ["-" * (width + 1) + ":" for width in widths[1:]]) + "|"
        body = [aligned(self.header), rule if markdown else "", *map(aligned, self.rows)]
        notes = [f"{'- ' * markdown}{note}" for note in self.notes]
        return "\n".join([f"{'**' * markdown}{self.title}{'**' * markdown}", "", *body, "", *notes, ""])


def geometric_mean(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))
