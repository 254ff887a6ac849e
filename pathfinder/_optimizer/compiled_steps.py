"""Steps of all lanes as one compiled program: for accelerators, and for work that pays for its compilation."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from pathfinder._density.compiled import CompiledDensity
from pathfinder._optimizer.lbfgs import propose_start, step, trial_point
from pathfinder._optimizer.state import STARTING, Path, Tolerances, can_step


@partial(jax.jit, static_argnames=("history_size",), donate_argnames=("paths",))
def advance(
    paths: Path,
    density: CompiledDensity,
    tolerances: Tolerances,
    max_steps: Int[Array, ""],
    *,
    history_size: int,
) -> Path:
    """Move every lane by up to `max_steps` evaluations, until none can step; lanes are ordered by fit."""

    def go_on(carry):
        num_steps, paths = carry
        return (num_steps < max_steps) & jnp.any(can_step(paths))

    def move(carry):
        num_steps, paths = carry
        # Only while a lane looks for its start are random numbers made.
        position = jax.lax.cond(
            jnp.any(paths.state.phase == STARTING), propose_start, lambda state: state.position, paths.state
        )
        paths = paths._replace(state=paths.state._replace(position=position))
        trials = trial_point(paths)
        log_densities, scores = density.values_and_gradients(trials)
        return num_steps + 1, step(paths, trials, log_densities.astype(trials.dtype), scores, tolerances, history_size)

    return jax.lax.while_loop(go_on, move, (jnp.zeros((), jnp.int32), paths))[1]
