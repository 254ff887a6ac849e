"""Whether chains have mixed: nested R-hat by parameter, and what the worst ones did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from pathfinder._chains.mixing import LARGEST_NESTED_RHAT
from pathfinder.plots._axes import as_label, grid
from pathfinder.plots._columns import chosen, coordinate_names


TRACES = 3
MOST_ROWS = 40
MOST_TRACES = 8


def chains(result: Any, var_names: str | Sequence[str] | None = None, ax: Any = None) -> np.ndarray:
    """Nested R-hat of every unconstrained parameter, and traces of the chains in some.

    A trace has a thin line for each chain, and one in colour for the mean of each superchain, whose chains started from
    the same point: nested R-hat is near one where these means agree.

    Args:
        result: A `PathfinderResult` with chains.
        var_names: Unconstrained parameters of which traces are drawn. By default the three with the largest nested
            R-hat, of which "log density" may be one.
        ax: A figure to draw in, or axes, one more than there are traces; None for new ones.

    Returns:
        The axes, that of nested R-hat first.

    Raises:
        ValueError: If no chains ran, or there is no such parameter.
    """
    own = result.chains
    if own is None:
        raise ValueError("The fit has no chains; make it with chains=True to run some in any case.")
    names = [*coordinate_names(result.model), "log density"]
    values = own.mixing_of_all.nested_rhat
    worst = np.argsort(-np.nan_to_num(values, nan=np.inf), kind="stable")
    wanted = [var_names] if isinstance(var_names, str) else var_names
    traces = worst[:TRACES].tolist() if wanted is None else _places(names, wanted)
    shown = sorted(worst[:MOST_ROWS].tolist())
    axes = _panels(ax, 1 + len(traces), 0.22 * len(shown) + 1.2)
    _rhats(axes[0], [names[place] for place in shown], values[shown], len(values) - len(shown))
    for place, panel in zip(traces, axes[1:], strict=True):
        states = own.log_p if place == len(names) - 1 else own.states[..., place]
        _trace(panel, states, own.num_superchains, f"{as_label(names[place])} (nested R-hat {values[place]:.3f})")
    axes[1].plot([], [], color="0.75", label="a chain")
    axes[1].plot([], [], color="C0", label="mean of a superchain")
    axes[1].legend(loc="upper right", fontsize="small")
    return axes


def _panels(ax: Any, count: int, least_height: float) -> np.ndarray:
    """Axes in two columns, or those that are given."""
    if ax is not None and not hasattr(ax, "subplots"):
        return grid(ax, 1, count, (0.0, 0.0))[0]
    rows = -(-count // 2)
    axes = grid(ax, rows, 2, (9.0, max(3.0, least_height) * rows)).ravel()
    for unused in axes[count:]:
        unused.set_axis_off()
    return axes[:count]


def _places(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    whole = [names.index(name) for name in wanted if name in names]
    return whole if len(whole) == len(wanted) else chosen(names, list(wanted), MOST_TRACES)


def _rhats(ax: Any, names: Sequence[str], values: Float[np.ndarray, " quantity"], hidden: int) -> None:
    heights = np.arange(len(names))[::-1]
    is_good = values <= LARGEST_NESTED_RHAT
    for rows, color, label in ((is_good, "C0", "mixed"), (~is_good, "C1", "not mixed")):
        if rows.any():
            ax.plot(values[rows], heights[rows], "o", color=color, markersize=5, label=label)
    ax.axvline(LARGEST_NESTED_RHAT, color="0.4", linestyle="--", linewidth=1.0, label=f"at most {LARGEST_NESTED_RHAT}")
    ax.set_yticks(heights, [as_label(name) for name in names])
    ax.set_ylim(-0.7, len(names) - 0.3)
    ax.set_xlabel("nested R-hat, unconstrained")
    ax.set_title("Do superchains agree?" + (f"\n({hidden} with smaller ones not shown)" if hidden else ""))
    ax.set_xlim(left=min(0.995, values.min() - 0.005) if np.isfinite(values).all() else 0.995)
    ax.legend(loc="best", fontsize="small")


def _trace(ax: Any, states: Float[np.ndarray, "iteration chain"], num_superchains: int, title: str) -> None:
    means = states.reshape(len(states), num_superchains, -1).mean(axis=-1)
    iteration = np.arange(1, len(states) + 1)
    ax.plot(iteration, states, color="0.75", linewidth=0.4, alpha=0.6, zorder=1)
    ax.plot(iteration, means, linewidth=1.0, zorder=2)
    ax.set_title(title, fontsize="medium")
    ax.set_xlabel("kept iteration")
    ax.xaxis.get_major_locator().set_params(integer=True)
