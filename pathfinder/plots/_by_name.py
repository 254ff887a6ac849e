"""Pictures of a result by the name of their kind."""

from __future__ import annotations

from typing import Any

from pathfinder._close_names import did_you_mean
from pathfinder.plots._axes import empty_figure
from pathfinder.plots._chains import chains
from pathfinder.plots._compare import compare
from pathfinder.plots._elbo import elbo
from pathfinder.plots._pairs import pairs
from pathfinder.plots._trajectory import trajectory
from pathfinder.plots._weights import weights


KINDS = {
    "trajectory": trajectory,
    "elbo": elbo,
    "weights": weights,
    "pairs": pairs,
    "compare": compare,
    "chains": chains,
}


def figure_with(result: Any, kind: str, *arguments: Any, **options: Any) -> Any:
    """A figure with a picture of some kind, which pyplot knows nothing of.

    Args:
        result: As for `draw_kind`.
        kind: Likewise.
        *arguments: Likewise.
        **options: Likewise.

    Raises:
        ModuleNotFoundError: If matplotlib is not installed.
        ValueError: If the result has not what it needs.
    """
    figure = empty_figure()
    draw_kind(result, kind, *arguments, **options, ax=figure)
    return figure


def draw_kind(result: Any, kind: str, *arguments: Any, **options: Any) -> Any:
    """Draw a picture of some kind.

    Args:
        result: A `PathfinderResult`.
        kind: Which.
        *arguments: For the function of `pathfinder.plots` of that name, after the result.
        **options: Likewise.

    Raises:
        ValueError: If there is no such kind; it lists those that there are.
    """
    if kind not in KINDS:
        question = did_you_mean(kind, KINDS) if isinstance(kind, str) else ""
        raise ValueError(f"There is no plot {kind!r}{question or '.'} There are {', '.join(map(repr, KINDS))}.")
    return KINDS[kind](result, *arguments, **options)
