"""Axes to draw on: those given, or new ones."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from pathfinder._optional_packages import required


MOST_IN_LEGEND = 10
LONGEST = 21  # name that is written whole where there are many


def empty_figure() -> Any:
    """A figure that pyplot knows nothing of.

    Raises:
        ModuleNotFoundError: If matplotlib is not installed.
    """
    return required("matplotlib.figure", "Plots need", "plots").Figure(layout="constrained")


def png(figure: Any, dots_per_inch: float) -> bytes:
    """A figure as the content of a PNG file."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dots_per_inch)
    return content.getvalue()


def grid(ax: Any, rows: int, columns: int, size: tuple[float, float], **options: Any) -> np.ndarray:
    """Axes in rows and columns.

    Args:
        ax: None for those of a new figure of pyplot; a figure, which is made as large as `size` if it is empty; or
            axes, as many as are wanted, row by row.
        rows: How many rows.
        columns: How many columns.
        size: Of a new figure, in inches.
        **options: For `Figure.subplots`.

    Raises:
        ValueError: If another number of axes is given.
    """
    if ax is None:
        figure = required("matplotlib.pyplot", "Plots need", "plots").figure(figsize=size, layout="constrained")
    elif hasattr(ax, "subplots"):
        figure = ax
        if not figure.axes and hasattr(figure, "set_size_inches"):
            figure.set_size_inches(*size)
    else:
        given = np.asarray(ax, dtype=object).ravel()
        if len(given) != rows * columns:
            raise ValueError(f"`ax` must be a figure or {_axes(rows * columns)}, but it has {len(given)}.")
        return given.reshape(rows, columns)
    return figure.subplots(rows, columns, squeeze=False, **options)


def one_axes(ax: Any, size: tuple[float, float] = (7.6, 4.4)) -> Any:
    """The axes given, or new ones, as `grid` has them."""
    return grid(ax, 1, 1, size)[0, 0]


def color_of(number: int) -> str:
    """The colour of a path, from the cycle of the style in use."""
    return f"C{number}"


def as_label(name: str, longest: int = LONGEST) -> str:
    """A name as it can be written: all of it as it is, and without its middle if it is long."""
    if len(name) > longest:
        kept = (longest - 1) // 2
        name = f"{name[:kept]}\N{HORIZONTAL ELLIPSIS}{name[-kept:]}"
    return name.replace("$", r"\$")  # which begins a formula


def legend_beside(ax: Any) -> None:
    """A legend to the right of the axes, where it hides nothing."""
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.0, fontsize="small", frameon=False)


def _axes(count: int) -> str:
    return "axes" if count == 1 else f"{count} axes"
