"""Where the paths of a fit start: the search for a usable initial point, on its own.

`fit` does the same search inside its compiled loop and keeps only the log density; this one is for reports that want
the points.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from pathfinder._fit import seed_and_key
from pathfinder._initial_points import InitialPoints
from pathfinder._lbfgs import Start, initial_point
from pathfinder._model import Model
from pathfinder._streams import Stream, path_keys


class Starts(NamedTuple):
    """The last initial point that each path of a fit tries.

    Args:
        position: The point.
        log_density: Log density there.
        gradient: Its gradient.
        num_tries: Points tried, the last one included.
    """

    position: Float[np.ndarray, "path dim"]
    log_density: Float[np.ndarray, " path"]
    gradient: Float[np.ndarray, "path dim"]
    num_tries: Int[np.ndarray, " path"]

    @property
    def usable(self) -> Bool[np.ndarray, " path"]:
        """Whether the path can start there."""
        return np.isfinite(self.log_density) & np.all(np.isfinite(self.gradient), axis=1)


def find_starts(model: Model, points: InitialPoints, seed: int) -> Starts:
    """The starts of the paths of `fit(model, init=points, seed=seed)`.

    Args:
        model: The model.
        points: Where each path may start.
        seed: The seed of the fit.
    """
    num_paths = len(points.center)
    keys = path_keys(seed_and_key(seed)[1], np.arange(num_paths), Stream.INITIAL_POINT)
    box = Start(keys, jnp.asarray(points.center), jnp.asarray(points.radius), jnp.asarray(points.max_tries))
    evaluate = jax.jit(jax.vmap(jax.value_and_grad(model.density), in_axes=(0, None)))
    propose = jax.jit(jax.vmap(initial_point))
    tries = np.zeros(num_paths, np.int32)
    while True:
        position = propose(box, tries)
        log_density, gradient = evaluate(position, model.data)
        starts = Starts(np.asarray(position), np.asarray(log_density), np.asarray(gradient), tries + 1)
        again = ~starts.usable & (starts.num_tries < points.max_tries)
        if not again.any():
            return starts
        tries = tries + again
