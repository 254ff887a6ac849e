"""Steps of all lanes in NumPy: the driver for the host, where nothing is compiled but the density."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from pathfinder._arrays.blas_threads import one_blas_thread
from pathfinder._density.host import HostDensity
from pathfinder._optimizer.chosen import Chosen
from pathfinder._optimizer.lbfgs import propose_start, step, trial_point
from pathfinder._optimizer.state import Path, Tolerances, can_step


@np.errstate(all="ignore")
@one_blas_thread()
def advance_on_host(
    paths: Path,
    density: HostDensity,
    fits: Int[np.ndarray, " lane"] | None,
    tolerances: Tolerances,
    max_steps: int,
    *,
    history_size: int,
) -> Path:
    """Move every lane by up to `max_steps` evaluations, until none can step.

    The given paths stay as they are but for rows of the records that they do not use, so that an interrupt may come at
    any time.

    Args:
        paths: The paths.
        density: What to fit.
        fits: The fit that each lane is about; None if there is only one.
        tolerances: When paths end.
        max_steps: Most evaluations of each lane.
        history_size: Number of pairs of the direction.
    """
    for _ in range(max_steps):
        moving = Chosen(can_step(paths))
        if moving.is_none:
            break
        paths = paths._replace(state=paths.state._replace(position=propose_start(paths.state)))
        trials = np.asarray(trial_point(paths))
        # Lanes that are done cost nothing.
        evaluated = density.values_and_gradients(*moving.take((trials, fits)))
        log_density, score = moving.put(evaluated, (np.zeros_like(paths.state.f), np.zeros_like(trials)))
        paths = step(paths, trials, log_density, score, tolerances, history_size)
    return paths
