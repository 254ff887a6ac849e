"""The largest importance weights, and the tail that k-hat is the shape of."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

import psis
from pathfinder._importance.pool import log_ratios
from pathfinder.plots._axes import one_axes


LEAST_SHOWN = 1e-4  # of the mean weight: a single draw far out would take the whole axis


def weights(result: Any, ax: Any = None) -> Any:
    """Importance weights by rank, the largest first, with the tail that Pareto smoothing replaces.

    A line shows the generalized Pareto distribution that was fitted to the tail: its shape is k-hat. The steeper it is,
    the more of the weight is on a few draws.

    Args:
        result: A `PathfinderResult`; of one whose draws are states of chains the weights of the draws that these
            started from.
        ax: Axes to draw on, or a figure; None for new ones.

    Returns:
        The axes.

    Raises:
        ValueError: If the fit was made without log densities of its draws.
    """
    if np.isnan(result.pareto_k):
        raise ValueError("The draws have no importance weights, because the fit was made with calculate_lp=False.")
    return draw_weights(log_ratios(result.pool.log_p, result.pool.log_proposal), ax)


def draw_weights(ratios: Float[np.ndarray, " draw"], ax: Any) -> Any:
    """Draw the weights of log importance ratios."""
    smoothed = psis.smooth_log_weights(ratios)
    size, length = len(ratios), int(smoothed.tail_length)
    # Both relative to the mean of the smoothed ones.
    raw = np.exp(np.where(np.isnan(ratios), -np.inf, ratios) - float(smoothed.log_mean_ratio))
    order = np.argsort(-raw, kind="stable")
    raw, fitted = raw[order], (np.exp(smoothed.log_weights) * size)[order]
    rank, has_fit = np.arange(1, size + 1), np.isfinite(smoothed.pareto_k)
    ax = one_axes(ax)
    tail = length if has_fit else 0
    ax.plot(rank[tail:], raw[tail:], ".", color="0.6", markersize=4, label="draws")
    if has_fit:
        ax.plot(rank[:length], raw[:length], "o", color="C1", markersize=4, label=f"tail: the {length} largest")
        label = f"generalized Pareto, shape k-hat = {smoothed.pareto_k:.2f}"
        ax.plot(rank[:length], fitted[:length], color="C0", linewidth=1.5, label=label)
    ax.axhline(1.0, color="0.4", linestyle=":", linewidth=1.0, label="mean")
    ax.set_xscale("log")
    ax.set_yscale("log")
    least = raw[raw > 0].min(initial=1.0)
    ax.set_ylim(max(LEAST_SHOWN, 0.5 * least), 2.0 * max(raw[0], fitted.max(), 1.0))
    ax.set_xlabel("rank of the draw, largest weight first")
    ax.set_ylabel("importance weight, relative to the mean")
    ax.set_title(
        f"k-hat {smoothed.pareto_k:.2f} (at most {psis.pareto_k_threshold(size):.2f} is good), effective sample size "
        f"{smoothed.effective_sample_size:.0f} of {size}",
        fontsize="medium",
    )
    ax.legend(loc="lower left", fontsize="small")
    return ax
