"""The ELBO along each path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from pathfinder.plots._axes import MOST_IN_LEGEND, color_of, legend_beside, one_axes


MARGIN = 0.06  # of the height


class ElboCurve(NamedTuple):
    """ELBO estimates of one path.

    Args:
        path: Its number.
        iteration: Numbers of the iterations.
        elbo: The estimate of each; not finite where there is none.
        standard_error: Of these; NaN if it is not known.
        best_iteration: That of the chosen approximation; -1 if there is none.
        best_elbo: Its ELBO.
        best_standard_error: Of that.
    """

    path: int
    iteration: Int[np.ndarray, " row"]
    elbo: Float[np.ndarray, " row"]
    standard_error: Float[np.ndarray, " row"]
    best_iteration: int
    best_elbo: float
    best_standard_error: float


def elbo(result: Any, window: float = 30.0, ax: Any = None) -> Any:
    """The estimate of the ELBO by iteration and path, with one standard error as a band.

    A star marks the approximation that was chosen of each path, at the ELBO that was estimated for it again, with new
    draws: it lies below the curve where the first estimate was lucky. Horizontal lines are refined approximations.

    Args:
        result: A `PathfinderResult`.
        window: How many nats below the best of the paths to show.
        ax: Axes to draw on, or a figure; None for new ones.

    Returns:
        The axes.
    """
    curves = [
        ElboCurve(
            number,
            path.iterations.iteration,
            path.iterations.elbo,
            path.iterations.elbo_standard_error,
            path.best_iteration,
            path.elbo,
            path.elbo_standard_error,
        )
        for number, path in enumerate(result.paths)
    ]
    refined = [] if result.refinement is None else [mode for mode in result.refinement.modes if mode.num_rounds]
    return draw_elbos(curves, {mode.path: mode.elbo for mode in refined}, window, ax)


def draw_elbos(
    curves: Sequence[ElboCurve],
    refined: dict[int, float],
    window: float,
    ax: Any,
    star: str = "chosen, estimated again",
) -> Any:
    """Draw curves, and the ELBO of what was refined from some of the paths.

    Raises:
        ValueError: If no ELBO is finite, or the window is not positive.
    """
    if not window > 0:
        raise ValueError(f"`window` must be greater than 0, but it is {window!r}.")
    values = np.concatenate([*(curve.elbo for curve in curves), [curve.best_elbo for curve in curves]])
    values = values[np.isfinite(values)].astype(float)
    if not len(values):
        raise ValueError("No path has a finite ELBO, so that there is nothing to draw.")
    ax = one_axes(ax)
    has_legend = len(curves) <= MOST_IN_LEGEND
    for curve in curves:
        _draw_curve(ax, curve, has_legend)
    for path, level in refined.items():
        label = f"refined from path {path}"
        ax.axhline(level, color=color_of(path), linestyle="--", linewidth=1.2, label=label)
    _limit(ax, values, [*refined.values()], window)
    ax.plot([], [], "*", color="0.4", markersize=10, label=star)
    ax.set_xlabel("L-BFGS iteration")
    has_errors = any(np.isfinite(curve.standard_error).any() for curve in curves)
    ax.set_ylabel("ELBO (nats)" + ", with one standard error" * has_errors)
    ax.ticklabel_format(axis="y", useOffset=False)
    ax.xaxis.get_major_locator().set_params(integer=True)
    legend_beside(ax)
    return ax


def _draw_curve(ax: Any, curve: ElboCurve, has_legend: bool) -> None:
    color = color_of(curve.path)
    is_finite = np.isfinite(curve.elbo)
    iteration, elbo, error = (values[is_finite] for values in (curve.iteration, curve.elbo, curve.standard_error))
    label = f"path {curve.path}" if has_legend else None
    ax.plot(iteration, elbo, "o-", color=color, markersize=2.5, linewidth=1.2, label=label)
    if np.any(np.isfinite(error)):
        ax.fill_between(iteration, elbo - error, elbo + error, color=color, alpha=0.2, linewidth=0)
    if curve.best_iteration >= 0 and np.isfinite(curve.best_elbo):
        bar = curve.best_standard_error if np.isfinite(curve.best_standard_error) else None
        ax.errorbar(
            curve.best_iteration, curve.best_elbo, bar, fmt="*", color=color, markersize=12, capsize=3,
            markeredgecolor="black", markeredgewidth=0.6, zorder=4,
        )  # fmt: skip


def _limit(ax: Any, values: Float[np.ndarray, " value"], refined: Sequence[float], window: float) -> None:
    """Show the best part, and say how much is below it."""
    bottom, top = max(values.min(), values.max() - window), max([values.max(), *refined])
    margin = MARGIN * max(top - bottom, 0.1)
    ax.set_ylim(bottom - margin, top + margin)
    hidden = int(np.sum(values < bottom))
    below = f"; {hidden} lower estimate{'s' * (hidden > 1)} not shown" if hidden else ""
    ax.set_title(f"ELBO along the paths{below}")
