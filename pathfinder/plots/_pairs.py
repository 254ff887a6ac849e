"""Scatter matrix of the draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from pathfinder.plots._axes import MOST_IN_LEGEND, as_label, color_of, grid
from pathfinder.plots._columns import scalars
from pathfinder.plots._reference import reference_draws


BY_DEFAULT = 5
MOST = 12
TAILS = (0.002, 0.998)  # of the draws that are shown
MARGIN = 0.05
BINS = 30
MOST_POINTS = 2000
COLORS = ("path", "mode")


def pairs(
    result: Any,
    var_names: str | Sequence[str] | None = None,
    color: Literal["path", "mode"] = "path",
    reference: Any = None,
    ax: Any = None,
) -> np.ndarray:
    """Draws of every pair of some scalars, with histograms of each on the diagonal.

    Args:
        result: A `PathfinderResult`.
        var_names: Variables (`theta`) or scalars (`theta[1]`), at most twelve scalars. By default the first five
            parameters, of which single numbers come before elements of arrays.
        color: What draws are coloured by: the "path" that they come from, or the "mode" of a refined fit.
        reference: Draws of a reference, in grey: InferenceData, a DataTree, another result, or a dictionary of arrays
            by name.
        ax: A figure to draw in, or axes, as many in rows and columns as there are scalars; None for new ones.

    Returns:
        The axes in rows and columns.

    Raises:
        ValueError: If there is no such variable, or nothing is known of modes.
    """
    most = BY_DEFAULT if var_names is None else MOST
    names, values = scalars(result.model, result.draws, var_names, most)
    if color not in COLORS:
        raise ValueError(f"`color` must be one of {', '.join(map(repr, COLORS))}, but it is {color!r}.")
    if color == "mode" and result.refinement is None:
        raise ValueError("The fit was not refined, so that nothing is known of modes; colour by 'path'.")
    grey = {} if reference is None else reference_draws(reference, result.model.variables, names)
    kind = "mode of path" if color == "mode" else "from path"
    return draw_pairs(names, values, result.weights, result.path_ids, kind, grey, ax)


def draw_pairs(
    names: Sequence[str],
    values: Float[np.ndarray, "draw scalar"],
    weights: Float[np.ndarray, " draw"],
    groups: Int[np.ndarray, " draw"],
    kind: str,
    grey: dict[str, Float[np.ndarray, " other"]],
    ax: Any,
) -> np.ndarray:
    """Draw a scatter matrix.

    Args:
        names: Of the scalars.
        values: Their draws.
        weights: Of these.
        groups: Number of the path of each draw, which gives its colour.
        kind: What to call a group, before its number.
        grey: Draws of a reference by name.
        ax: As for `pairs`.
    """
    count = len(names)
    side = max(1.7 * count, 4.0 if count == 1 else 5.4)  # so that a legend has room in a corner
    axes = grid(ax, count, count, (side, side))
    limits = [_limits(values[:, place], weights, grey.get(name)) for place, name in enumerate(names)]
    shown = _shown(len(values))
    for row in range(count):
        for column in range(count):
            own: Any = axes[row, column]
            if column > row:
                own.set_axis_off()
                continue
            if row == column:
                _histogram(own, values[:, row], weights, groups, grey.get(names[row]), limits[row])
            else:
                both = [column, row]
                _scatter(own, values[shown][:, both], groups[shown], [grey.get(names[place]) for place in both])
                own.set_ylim(*limits[row])
            own.set_xlim(*limits[column])
            _label(own, names, row, column)
    _legend(axes, groups, kind, bool(grey))
    return axes


def _limits(
    values: Float[np.ndarray, " draw"], weights: Float[np.ndarray, " draw"], grey: np.ndarray | None
) -> tuple[float, float]:
    is_finite = np.isfinite(values) & (weights > 0)
    ends = [np.quantile(values[is_finite], TAILS)] if is_finite.any() else []
    if grey is not None and np.isfinite(grey).any():
        ends.append(np.quantile(grey[np.isfinite(grey)], TAILS))
    low, high = (np.min(ends), np.max(ends)) if ends else (0.0, 1.0)
    margin = MARGIN * (high - low) or 0.5
    return float(low - margin), float(high + margin)


def _shown(count: int) -> Int[np.ndarray, " draw"]:
    """Which draws are points: of many some, evenly."""
    return np.arange(count) if count <= MOST_POINTS else np.linspace(0, count - 1, MOST_POINTS).astype(int)


def _histogram(ax: Any, values: Any, weights: Any, groups: Any, grey: Any, limits: tuple[float, float]) -> None:
    edges = np.linspace(*limits, BINS + 1)
    numbers = np.unique(groups)
    if grey is not None:
        ax.hist(grey, edges, weights=np.full(len(grey), 1.0 / len(grey)), color="0.8")
    ax.hist(
        [values[groups == number] for number in numbers], edges,
        weights=[weights[groups == number] for number in numbers],
        color=[color_of(int(number)) for number in numbers], stacked=True, histtype="stepfilled", alpha=0.6,
    )  # fmt: skip
    ax.set_yticks([])


def _scatter(ax: Any, points: Any, groups: Any, grey: list[np.ndarray | None]) -> None:
    if grey[0] is not None and grey[1] is not None:
        shown = _shown(len(grey[0]))
        ax.plot(grey[0][shown], grey[1][shown], ".", color="0.75", markersize=3, rasterized=True, zorder=1)
    for number in np.unique(groups):
        own = points[groups == number]
        color = color_of(int(number))
        ax.plot(*own.T, ".", color=color, markersize=3.5, alpha=0.5, rasterized=True, zorder=2)


def _label(ax: Any, names: Sequence[str], row: int, column: int) -> None:
    last = len(names) - 1
    if row == column:
        ax.set_title(as_label(names[row]), fontsize="medium")
    if row == last:
        ax.set_xlabel(as_label(names[column]))
    else:
        ax.set_xticklabels([])
    if column == 0 and row > 0:
        ax.set_ylabel(as_label(names[row]))
    elif row != column:
        ax.set_yticklabels([])
    ax.locator_params(axis="x", nbins=4)
    if row != column:
        ax.locator_params(axis="y", nbins=4)


def _legend(axes: np.ndarray, groups: Any, kind: str, has_grey: bool) -> None:
    """In the empty corner, or in the only axes."""
    place = axes[0, -1]
    numbers, counts = np.unique(groups, return_counts=True)
    for number, count in list(zip(numbers, counts, strict=True))[:MOST_IN_LEGEND]:
        place.plot([], [], "o", color=color_of(int(number)), alpha=0.7, label=f"{kind} {number}: {count} draws")
    if len(numbers) > MOST_IN_LEGEND:
        place.plot([], [], " ", label=f"and {len(numbers) - MOST_IN_LEGEND} more")
    if has_grey:
        place.plot([], [], "o", color="0.75", label="reference")
    legend = place.legend(loc="upper right", fontsize="small", frameon=False)
    legend.set_in_layout(False)  # it would push the last column away
