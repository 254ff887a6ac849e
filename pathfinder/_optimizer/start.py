"""Where a path starts, and the points that were tried for it."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Bool, Float, Int, UInt32

from pathfinder._arrays.namespace import Array, namespace, select
from pathfinder._arrays.streams import fold_in, uniform


LONGEST_FIRST_MOVE = 100.0  # of any coordinate along the gradient, where starts are within about 2
MAX_INIT_TRIES = 100


class Start(NamedTuple):
    """Where the path of each lane may start: uniformly within `radius` of `center`, coordinate by coordinate."""

    key: UInt32[Array, "lane 2"]
    center: Float[Array, "lane dim"]
    radius: Float[Array, "lane dim"]
    max_tries: Int[Array, " lane"]


class Tries(NamedTuple):
    """The last point that each path tried to start from, which is where it starts unless all were rejected."""

    position: Float[Array, "lane dim"]
    log_density: Float[Array, " lane"]
    gradient: Float[Array, "lane dim"]  # of the log density
    num_tries: Int[Array, " lane"]  # that one included
    is_finite: Bool[Array, "lane try"]  # the log density at each point tried; the gradient may not be


def tried_points(start: Start, attempt: Int[Array, " lane"]) -> Float[Array, "lane dim"]:
    """The point that each path tries to start from after `attempt` failures."""
    noise = uniform(fold_in(start.key, attempt), start.center.shape[-1], start.center.dtype)
    return start.center + start.radius * noise


def noted(tries: Tries, is_try: Bool[Array, " lane"], position, log_density, gradient) -> Tries:
    """With one more point, where this is one."""
    xp = namespace(tries, position)
    counters = xp.arange(MAX_INIT_TRIES, dtype=tries.num_tries.dtype)
    is_this = is_try[:, None] & (counters[None, :] == tries.num_tries[:, None])
    is_finite = xp.where(is_this, xp.isfinite(log_density)[:, None], tries.is_finite)
    log_density = log_density.astype(tries.log_density.dtype)
    return select(is_try, Tries(position, log_density, gradient, tries.num_tries + 1, is_finite), tries)
