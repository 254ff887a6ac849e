"""Intervals of the draws beside those of a reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from pathfinder.plots._axes import as_label, one_axes
from pathfinder.plots._columns import scalars
from pathfinder.plots._reference import reference_draws
from psis._weights import weighted_quantile


MOST = 40
PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)
APART = 0.16  # of the distance of two rows


def compare(result: Any, reference: Any, var_names: str | Sequence[str] | None = None, ax: Any = None) -> Any:
    """Medians with intervals of 50 and 90 %, beside those of a reference such as draws of NUTS.

    Everything is in standard deviations of the reference away from its mean, so that parameters of all scales share an
    axis. Labels have the Wasserstein distance of the two in the same unit: a thousand exact draws have about 0.04.

    Args:
        result: A `PathfinderResult`.
        reference: InferenceData, a DataTree, another result, or a dictionary of arrays by name.
        var_names: Variables (`theta`) or scalars (`theta[1]`). By default all parameters that the reference has; of
            more than 40 those that are furthest apart.
        ax: Axes to draw on, or a figure; None for new ones.

    Returns:
        The axes.

    Raises:
        ValueError: If there is no such variable, or the reference has none of them.
    """
    names, values = scalars(result.model, result.draws, var_names, MOST if var_names is not None else _count(result))
    other = reference_draws(reference, result.model.variables, names)
    rows = [place for place, name in enumerate(names) if name in other]
    distances = {place: distance(values[:, place], result.weights, other[names[place]]) for place in rows}
    kept = sorted(sorted(rows, key=lambda place: -np.nan_to_num(distances[place], nan=np.inf))[:MOST])
    ax = one_axes(ax, (6.4, 1.6 + 0.3 * len(kept)))
    for height, place in enumerate(reversed(kept)):
        draws = other[names[place]]
        center, scale = draws.mean(), _spread(draws)
        even = np.full(len(draws), 1.0 / len(draws))
        _interval(ax, height + APART, draws, even, center, scale, "0.55", "reference" if height == 0 else None)
        label = "Pathfinder" if height == 0 else None
        _interval(ax, height - APART, values[:, place], result.weights, center, scale, "C0", label)
    labels = [f"{as_label(names[place])}   {distances[place]:.2f}" for place in reversed(kept)]
    ax.set_yticks(range(len(kept)), labels)
    ax.set_ylim(-0.7, len(kept) + 0.4)  # with a row for the legend
    ax.axvline(0.0, color="0.7", linewidth=0.8, linestyle=":", zorder=0)
    ax.set_xlabel("standard deviations of the reference from its mean")
    more = len(rows) - len(kept)
    ax.set_title(
        "Medians with 50 % and 90 % intervals; numbers are W1 / sd"
        + (f"\n({more} closer ones are not shown)" if more else ""),
        fontsize="medium",
    )
    ax.legend(loc="upper right", fontsize="small", ncols=2)
    return ax


def distance(
    values: Float[np.ndarray, " draw"], weights: Float[np.ndarray, " draw"], reference: Float[np.ndarray, " other"]
) -> float:
    """Wasserstein distance of order one, in standard deviations of the reference."""
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(values, reference, weights) / _spread(reference))


def _count(result: Any) -> int:
    return sum(variable.size for variable in result.model.parameters)


def _spread(draws: Float[np.ndarray, " draw"]) -> float:
    return float(draws.std()) or 1.0


def _interval(
    ax: Any, height: float, values: Any, weights: Any, center: float, scale: float, color: str, label: Any
) -> None:
    points = [float(weighted_quantile(values[:, None], weights, p)[0] - center) / scale for p in PROBABILITIES]
    low, lower, median, upper, high = points
    ax.plot([low, high], [height, height], color=color, linewidth=1.2)
    ax.plot([lower, upper], [height, height], color=color, linewidth=3.5, solid_capstyle="butt")
    ax.plot(median, height, "o", color=color, markersize=5, markeredgecolor="white", label=label)
