"""Where a path starts, and the points that were tried for it."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pathfinder._arrays.namespace import select
from pathfinder._arrays.streams import Key, fold_in, uniform


LONGEST_FIRST_MOVE = 100.0  # of any coordinate along the gradient, where starts are within about 2
MAX_INIT_TRIES = 100


class Start(NamedTuple):
    """Where a path may start: uniformly within `radius` of `center`, coordinate by coordinate."""

    key: Key
    center: Float[Array | np.ndarray, " dim"]
    radius: Float[Array | np.ndarray, " dim"]
    max_tries: Int[Array | np.ndarray, ""]


class Tries(NamedTuple):
    """The last point that a path tried to start from, which is where it starts unless all were rejected."""

    position: Float[Array | np.ndarray, " dim"]
    log_density: Float[Array | np.ndarray, ""]
    gradient: Float[Array | np.ndarray, " dim"]  # of the log density
    num_tries: Int[Array | np.ndarray, ""]  # that one included
    is_finite: Bool[Array | np.ndarray, " try"]  # the log density at each point tried; the gradient may not be


def initial_point(start: Start, attempt: Int[Array, ""]) -> Float[Array, " dim"]:
    """The point that a path tries to start from after `attempt` failures."""
    noise = uniform(fold_in(start.key, attempt), start.center.shape[0], start.center.dtype)
    return jnp.asarray(start.center) + start.radius * noise


def noted(tries: Tries, is_try: Bool[Array, ""], position, log_density, gradient) -> Tries:
    """With one more point, if this is one."""
    is_this = is_try & (jnp.arange(MAX_INIT_TRIES, dtype=jnp.int32) == tries.num_tries)
    is_finite = jnp.where(is_this, jnp.isfinite(log_density), tries.is_finite)
    log_density = log_density.astype(tries.log_density.dtype)
    return select(is_try, Tries(position, log_density, gradient, tries.num_tries + 1, is_finite), tries)
