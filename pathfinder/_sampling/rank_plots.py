"""Pictures of ranks with bands that uniform ranks stay in."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from pathfinder._optional_packages import required
from pathfinder._sampling.uniform_ranks import UniformRanks


MOST_COLUMNS = 4


def draw_ranks(
    uniform: UniformRanks, ranks: Mapping[str, np.ndarray], kind: str, probability: float, axes: Any
) -> np.ndarray:
    """Draw ranks of scalars, each on axes of its own.

    Args:
        uniform: What is expected of them.
        ranks: The ranks of each scalar by its name.
        kind: "ecdf" or "histogram".
        probability: Of staying within the bands.
        axes: Axes of matplotlib, as many; new ones if None.

    Returns:
        The axes.

    Raises:
        ValueError: If there is no such kind, or another number of axes.
    """
    if kind not in ("ecdf", "histogram"):
        raise ValueError(f"`kind` must be 'ecdf' or 'histogram', but {kind!r} was given.")
    if axes is None:
        axes = _new_axes(len(ranks))
    axes = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
    if len(axes) != len(ranks):
        raise ValueError(f"There are {len(ranks)} scalars, but {len(axes)} axes were given.")
    draw = _draw_ecdf if kind == "ecdf" else _draw_histogram
    for ax, (name, own) in zip(axes, ranks.items(), strict=True):
        draw(ax, uniform, own, probability)
        ax.set_title(name)
    return axes


def _new_axes(count: int) -> np.ndarray:
    subplots = required("matplotlib.pyplot", "Plots need", "plots").subplots
    columns = min(count, MOST_COLUMNS)
    rows = -(-count // columns)
    figure, axes = subplots(rows, columns, figsize=(3 * columns, 2.4 * rows), squeeze=False, layout="constrained")
    for unused in axes.ravel()[count:]:
        figure.delaxes(unused)
    return axes.ravel()[:count]


def _draw_ecdf(ax: Any, uniform: UniformRanks, ranks: np.ndarray, probability: float) -> None:
    places, expected = uniform.places, uniform.num_ranks * uniform.places
    low, high = ((bound - expected) / uniform.num_ranks for bound in uniform.band(probability))
    found = (uniform.counts_below(ranks) - expected) / uniform.num_ranks
    ax.fill_between(places, low, high, color="0.85", linewidth=0, label=f"{probability:.0%} band")
    ax.axhline(0, color="0.5", linewidth=0.8)
    ax.plot(places, found, color="C0", label="ranks")
    ax.set_xlabel("rank / number of draws")
    ax.set_ylabel("ECDF difference")


def _draw_histogram(ax: Any, uniform: UniformRanks, ranks: np.ndarray, probability: float) -> None:
    bins = uniform.num_bins
    tail = (1 - probability) / 2
    low, middle, high = (stats.binom.ppf(q, uniform.num_ranks, 1 / bins) for q in (tail, 0.5, 1 - tail))
    edges = np.arange(bins + 1) / bins
    ax.stairs(uniform.histogram(ranks), edges, fill=True, color="C0", alpha=0.7)
    ax.axhspan(low, high, color="0.85", linewidth=0, zorder=0, label=f"{probability:.0%} of bins")
    ax.axhline(middle, color="0.5", linewidth=0.8)
    ax.set_xlabel("rank / number of draws")
    ax.set_ylabel("data sets")
