"""What lies behind the paths: the density on a grid, or that of the draws."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from pathfinder._arrays.vectorized import over_lanes


POINTS = 120  # on each side of the grid
AT_ONCE = 64  # points whose density is evaluated together; many would take much memory where data are large
FEW = 4  # points that tell how long a density outside of JAX takes
MOST_SECONDS = 5.0
MASSES = (0.25, 0.5, 0.8, 0.95, 0.99)
HELD = f"{', '.join(f'{mass * 100:g}' for mass in MASSES)} % inside"


class Contours(NamedTuple):
    """A density on a grid.

    Args:
        x: Of its columns.
        y: Of its rows.
        values: The density or its logarithm.
        levels: Rising; each holds one of `MASSES` of the draws above it.
        label: Whose density it is.
    """

    x: Float[np.ndarray, " column"]
    y: Float[np.ndarray, " row"]
    values: Float[np.ndarray, "row column"]
    levels: Float[np.ndarray, " level"]
    label: str

    def draw(self, ax: Any) -> None:
        """Draw it in grey."""
        gray = [str(shade) for shade in np.linspace(0.95, 0.72, len(self.levels))]
        ends = [*self.levels, max(self.values.max(), self.levels[-1]) + 1.0]
        ax.contourf(self.x, self.y, self.values, ends, colors=gray, zorder=0)
        ax.contour(
            self.x, self.y, self.values, self.levels, colors="0.55", linewidths=0.6, linestyles="solid", zorder=0
        )


def contours_of(
    result: Any, pair: tuple[int, int], low: Float[np.ndarray, " 2"], high: Float[np.ndarray, " 2"]
) -> Contours | None:
    """Contours in a box over two unconstrained parameters; None where the draws have no spread.

    Of a density of two parameters that does not take long they are its own, else those of a kernel estimate from the
    draws.

    Args:
        result: The result.
        pair: The places of the two.
        low: The lower corner.
        high: The upper one.
    """
    x, y = (np.linspace(low[axis], high[axis], POINTS) for axis in (0, 1))
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    if result.model.dim == 2:
        values = _log_densities(result.model, points[:, np.argsort(pair)])
        if values is not None and np.isfinite(values).any():
            levels = _distinct(_levels_of_draws(result.log_p, result.weights))
            lowest = np.where(np.isfinite(values), values, levels[0] - 1e3)
            return Contours(x, y, lowest.reshape(POINTS, POINTS), levels, f"density of the model,\n{HELD}")
    values = _kernel_density(result.unconstrained_draws[:, list(pair)], result.weights, points)
    if values is None:
        return None
    return Contours(
        x, y, values.reshape(POINTS, POINTS), _distinct(_levels_of_grid(values)), f"density of the draws,\n{HELD}"
    )


def _log_densities(model: Any, points: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, " point"] | None:
    """Log densities at points; None of a result that was loaded without its model, and where it would take long."""
    evaluate, probe = _evaluation(model), points[: AT_ONCE if not model.is_callable else FEW]
    try:
        if not model.is_callable:
            evaluate(probe)  # compiles
        begin = perf_counter()
        evaluate(probe)
    except ValueError:
        return None
    if (perf_counter() - begin) * len(points) / len(probe) > MOST_SECONDS:
        return None
    return np.concatenate([evaluate(points[first : first + AT_ONCE]) for first in range(0, len(points), AT_ONCE)])


def _evaluation(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Log densities of some points."""
    if model.is_callable:
        return lambda points: model.density.values(points.astype(model.dtype), None, None)
    import jax

    program = jax.jit(over_lanes(lambda point: model.density(point, model.data)))
    return lambda points: np.asarray(program(points.astype(model.dtype)), float)


def _levels_of_draws(log_p: Float[np.ndarray, " draw"], weights: Float[np.ndarray, " draw"]) -> np.ndarray:
    """Log densities above which there are so many of the draws."""
    order = np.argsort(-log_p)
    within = np.cumsum(weights[order]) / weights.sum()
    return log_p[order][[min(int(np.searchsorted(within, mass)), len(order) - 1) for mass in MASSES[::-1]]]


def _levels_of_grid(values: Float[np.ndarray, " point"]) -> np.ndarray:
    """Densities above which there is so much of the mass of the grid."""
    descending = np.sort(values)[::-1]
    within = np.cumsum(descending) / descending.sum()
    return descending[[int(np.searchsorted(within, mass)) for mass in MASSES[::-1]]]


def _distinct(levels: np.ndarray) -> np.ndarray:
    return np.unique(levels)


def _kernel_density(
    draws: Float[np.ndarray, "draw 2"], weights: Float[np.ndarray, " draw"], points: Float[np.ndarray, "point 2"]
) -> Float[np.ndarray, " point"] | None:
    from scipy.stats import gaussian_kde

    try:
        return gaussian_kde(draws.T.astype(float), weights=weights)(points.T)
    except np.linalg.LinAlgError:  # draws on a line
        return None
