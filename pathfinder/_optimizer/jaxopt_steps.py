"""Paths made by `jaxopt.LBFGS` instead of our own steps, recorded in the same way.

One path at a time: jaxopt's nested loops under `vmap` have deadlocked XLA's CPU runtime on densities with a Cholesky
factorization (jax 0.10.2, jaxopt 0.8.5).
"""

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._arrays.namespace import joined_rows, rows
from pathfinder._density.compiled import CompiledDensity
from pathfinder._optimizer.chosen import Chosen
from pathfinder._optimizer.lbfgs import accept, propose_start, step, trial_point
from pathfinder._optimizer.state import DONE, STARTING, Path, PathState, Tolerances, can_step, record
from pathfinder._status import Status


class _Programs(NamedTuple):
    """Compiled functions for one density."""

    try_start: Any
    init_solver: Any
    update: Any
    take_iterate: Any


@lru_cache(maxsize=16)
def _programs(history_size: int) -> _Programs:
    with warnings.catch_warnings():
        # jaxopt warns on import that it is no longer developed; whoever asks for it here has chosen it.
        warnings.simplefilter("ignore", DeprecationWarning)
        import jaxopt

    solver = jaxopt.LBFGS(
        fun=lambda position, density: -density.function(position, density.data),
        history_size=history_size,
        linesearch="zoom",
        tol=0.0,
    )

    def try_start(path: Path, density: CompiledDensity, tolerances: Tolerances) -> Path:
        path = path._replace(state=path.state._replace(position=propose_start(path.state)))
        trial = trial_point(path)
        log_density, score = density.values_and_gradients(trial)
        return step(path, trial, log_density, score, tolerances, history_size)

    def take_iterate(path: Path, position, f, gradient, num_gradients, tolerances: Tolerances) -> Path:
        before = path.state._replace(num_gradients=num_gradients)
        yes, position, f, gradient = jnp.ones(1, bool), position[None], f[None], gradient[None]
        state, pairs = accept(before, path.records.pairs, Chosen(yes), position, f, gradient, tolerances, history_size)
        return record(Path(state, path.records._replace(pairs=pairs)), yes, before)

    def update(position, solver_state, density):
        moved = solver.update(position, solver_state, density)
        finite = jnp.isfinite(moved.state.value) & jnp.all(jnp.isfinite(moved.state.grad))
        return moved.params, moved.state, jnp.any(moved.params != position) & finite

    return _Programs(
        jax.jit(try_start), jax.jit(lambda position, density: solver.init_state(position, density)), jax.jit(update),
        jax.jit(take_iterate),
    )  # fmt: skip


class JaxoptAdvance:
    """Moves lanes like `advance`, with jaxopt's line search (zoom) and direction; Stan's tolerances end the paths.

    Holds jaxopt's state of every lane between calls.

    Args:
        history_size: Number of pairs of jaxopt's direction and of the approximations.
        density_of_lane: The density of one lane.
    """

    def __init__(self, history_size: int, density_of_lane: Callable[[int], CompiledDensity]):
        self.programs = _programs(history_size)
        self.density_of_lane = density_of_lane
        self.solver_states: dict[int, Any] = {}

    def __call__(self, paths: Path, tolerances: Tolerances, max_steps: int) -> Path:
        """Up to `max_steps` iterations of every lane that can step."""
        num_lanes = paths.state.phase.shape[0]
        lanes = [rows(paths, np.array([lane])) for lane in range(num_lanes)]
        moved = [self._advance_lane(lane, path, tolerances, max_steps) for lane, path in enumerate(lanes)]
        return joined_rows(moved)

    def _advance_lane(self, lane: int, path: Path, tolerances: Tolerances, max_steps: int) -> Path:
        density = self.density_of_lane(lane)
        for _ in range(max_steps):
            if not can_step(path).all():
                break
            if path.state.phase[0] == STARTING:
                path = self.programs.try_start(path, density, tolerances)
                continue
            if lane not in self.solver_states:
                self.solver_states[lane] = (
                    self.programs.init_solver(path.state.position[0], density),
                    int(path.state.num_gradients[0]),
                )
            solver_state, gradients_to_start = self.solver_states[lane]
            position, solver_state, usable = self.programs.update(path.state.position[0], solver_state, density)
            self.solver_states[lane] = (solver_state, gradients_to_start)
            num_gradients = np.array([gradients_to_start + int(solver_state.num_grad_eval)], np.int32)
            if usable:
                path = self.programs.take_iterate(
                    path, position, solver_state.value, solver_state.grad, num_gradients, tolerances
                )
            else:
                path = path._replace(state=_failed(path.state._replace(num_gradients=num_gradients)))
        return path


def _failed(state: PathState) -> PathState:
    status = Status.LINE_SEARCH_FAILED_AT_START if state.iteration[0] == 0 else Status.LINE_SEARCH_FAILED
    return state._replace(phase=jnp.full_like(state.phase, DONE), status=jnp.full_like(state.status, status))
