"""Paths over a pair of parameters, with their normal approximations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from pathfinder._normals.normal import Normal
from pathfinder.plots._axes import MOST_IN_LEGEND, as_label, color_of, legend_beside, one_axes
from pathfinder.plots._columns import coordinate, coordinate_label, coordinate_names
from pathfinder.plots._contours import Contours, contours_of
from psis._weights import weighted_quantile


TAILS = (0.005, 0.995)  # of the draws; wider limits leave half of the picture empty
WIDENED = 0.15  # by this part on each side
FARTHEST = 3.0  # boxes of the draws: no path that ends further away makes the rest small
LONGEST = 61  # label
ANGLES = np.linspace(0.0, 2.0 * np.pi, 201)


class PlanarNormal(NamedTuple):
    """What a normal distribution is in the plane of two parameters."""

    mean: Float[np.ndarray, " 2"]
    covariance: Float[np.ndarray, "2 2"]

    def ellipse(self, level: float) -> Float[np.ndarray, "point 2"]:
        """The points so many standard deviations away from the mean."""
        values, vectors = np.linalg.eigh(self.covariance)
        circle = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
        return self.mean + level * circle * np.sqrt(np.maximum(values, 0.0)) @ vectors.T


class PlanarPath(NamedTuple):
    """What a path is there.

    Args:
        path: Its number.
        points: Where it started, followed by where each iteration arrived.
        best: The row of the chosen approximation; None if there is none.
        approximation: That approximation; None if there is none.
    """

    path: int
    points: Float[np.ndarray, "row 2"]
    best: int | None
    approximation: PlanarNormal | None


def trajectory(
    result: Any, pair: tuple[str | int, str | int] | None = None, levels: Sequence[float] = (1, 2), ax: Any = None
) -> Any:
    """The paths over two unconstrained parameters, with their approximations, on contours of the density.

    Contours hold 25, 50, 80, 95 and 99 % of the draws: of a density of two parameters they are its own, else those of
    the draws.

    Args:
        result: A `PathfinderResult` of a fit with `save_trajectory=True`.
        pair: Two unconstrained parameters, by name or by number from 0. By default the first two, of which single
            numbers come before elements of arrays.
        levels: Standard deviations at which approximations are drawn: dashed those of paths, solid the refined ones.
        ax: Axes to draw on, or a figure; None for new ones.

    Returns:
        The axes.

    Raises:
        ValueError: If the fit did not keep the points of its paths, or there are no such parameters.
    """
    if all(path.trajectory is None for path in result.paths):
        raise ValueError("The fit did not keep the points of its paths; make it with save_trajectory=True.")
    names = coordinate_names(result.model)
    places = _pair(names, pair)
    paths = [_planar_path(number, path, places) for number, path in enumerate(result.paths)]
    refined = [] if result.refinement is None else [mode for mode in result.refinement.modes if mode.num_rounds]
    draws = result.unconstrained_draws[:, list(places)].astype(float)
    box = limits_of(
        weighted_quantile(draws, result.weights, TAILS[0]), weighted_quantile(draws, result.weights, TAILS[1]), paths
    )
    labels = tuple(coordinate_label(result, names[place], place) for place in places)
    normals = [planar_normal(mode.approximation, places) for mode in refined]
    background = contours_of(result, places, *box)
    return draw_paths(paths, normals, background, box, labels, levels, ax)


def planar_normal(normal: Normal, places: tuple[int, int]) -> PlanarNormal:
    """A normal in the plane of two of its dimensions."""
    units = np.zeros((2, normal.dim), np.asarray(normal.mean).dtype)
    units[[0, 1], list(places)] = 1.0
    rows = np.asarray(normal.covariance_product(units))
    return PlanarNormal(np.asarray(normal.mean)[list(places)].astype(float), rows[:, list(places)].astype(float))


def limits_of(
    low: Float[np.ndarray, " 2"], high: Float[np.ndarray, " 2"], paths: Sequence[PlanarPath]
) -> tuple[np.ndarray, np.ndarray]:
    """Corners of a box that holds what is within two corners, and the chosen points of the paths if they are near."""
    width = np.maximum(high - low, 1e-12)
    for path in paths:
        if path.best is not None:
            point = path.points[path.best]
            if np.all((low - FARTHEST * width < point) & (point < high + FARTHEST * width)):
                low, high = np.minimum(low, point), np.maximum(high, point)
    width = np.maximum(high - low, 1e-12)
    return low - WIDENED * width, high + WIDENED * width


def draw_paths(
    paths: Sequence[PlanarPath],
    refined: Sequence[PlanarNormal],
    background: Contours | None,
    box: tuple[np.ndarray, np.ndarray],
    labels: tuple[str, ...],
    levels: Sequence[float],
    ax: Any,
) -> Any:
    """Draw paths, and the normals that were refined from some of them."""
    ax = one_axes(ax, (7.6, 5.2))
    if background is not None:
        background.draw(ax)
        ax.plot([], [], color="0.55", linewidth=4, alpha=0.5, label=background.label)
    for path in paths:
        _draw_path(ax, path, levels, len(paths) <= MOST_IN_LEGEND)
    for normal in refined:
        for level in levels:
            ax.plot(*normal.ellipse(level).T, color="black", linewidth=1.4, zorder=3)
    (left, bottom), (right, top) = box
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    ax.set_xlabel(as_label(labels[0], LONGEST))
    ax.set_ylabel(as_label(labels[1], LONGEST))
    ax.set_title("Paths and their approximations" + _outside(paths, box))
    _explain(ax, paths, bool(refined), levels)
    return ax


def _pair(names: Sequence[str], pair: tuple[str | int, str | int] | None) -> tuple[int, int]:
    if len(names) < 2:
        raise ValueError("The model has one parameter, and paths are drawn over two.")
    if pair is None:
        first, second = sorted(range(len(names)), key=lambda place: not names[place].isidentifier())[:2]
        return first, second
    if isinstance(pair, str) or len(pair) != 2:
        raise ValueError(f"`pair` must be two parameters, such as {tuple(names[:2])}, but it is {pair!r}.")
    first, second = coordinate(names, pair[0]), coordinate(names, pair[1])
    if first == second:
        raise ValueError(f"`pair` must be two different parameters, but both are {names[first]!r}.")
    return first, second


def _planar_path(number: int, path: Any, places: tuple[int, int]) -> PlanarPath:
    own = np.zeros((0, len(path.initial_position))) if path.trajectory is None else path.trajectory.position
    points = np.vstack([path.initial_position, own])[:, list(places)].astype(float)
    found = np.flatnonzero(path.iterations.iteration == path.best_iteration)
    best = 1 + int(found[0]) if len(found) and len(points) > 1 + found[0] else None
    normal = None if path.approximation is None else planar_normal(path.approximation, places)
    return PlanarPath(number, points, best, normal)


def _draw_path(ax: Any, path: PlanarPath, levels: Sequence[float], has_legend: bool) -> None:
    color = color_of(path.path)
    label = f"path {path.path}" if has_legend else None
    ax.plot(*path.points.T, "o-", color=color, markersize=2.5, linewidth=1.0, label=label, zorder=2)
    ax.plot(*path.points[0], "s", color=color, markersize=6, markeredgecolor="black", markeredgewidth=0.6, zorder=4)
    if path.best is not None:
        point = path.points[path.best]
        ax.plot(*point, "*", color=color, markersize=12, markeredgecolor="black", markeredgewidth=0.6, zorder=5)
    if path.approximation is not None:
        for level in levels:
            ax.plot(*path.approximation.ellipse(level).T, "--", color=color, linewidth=1.0, zorder=2)


def _outside(paths: Sequence[PlanarPath], box: tuple[np.ndarray, np.ndarray]) -> str:
    """How many starts and ends cannot be seen."""

    def hidden(points: list[np.ndarray]) -> int:
        return sum(not np.all((box[0] <= point) & (point <= box[1])) for point in points)

    starts = hidden([path.points[0] for path in paths])
    chosen = hidden([path.points[path.best] for path in paths if path.best is not None])
    parts = [f"{starts} of {len(paths)} starts"] * (starts > 0) + [f"{chosen} chosen points"] * (chosen > 0)
    return f"\n({' and '.join(parts)} outside of the picture)" if parts else ""


def _explain(ax: Any, paths: Sequence[PlanarPath], has_refined: bool, levels: Sequence[float]) -> None:
    sizes = " and ".join(f"{level:g}" for level in levels)
    ax.plot([], [], "s", color="0.4", markersize=6, label="start")
    if any(path.best is not None for path in paths):
        ax.plot([], [], "*", color="0.4", markersize=10, label="chosen approximation")
    if any(path.approximation for path in paths) and len(levels):
        ax.plot([], [], "--", color="0.4", label=f"its normal, {sizes} sd")
    if has_refined and len(levels):
        ax.plot([], [], color="black", label=f"refined normal, {sizes} sd")
    legend_beside(ax)
