"""Paths of the optimizer alone, one or several at once."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._paths import lbfgs
from pathfinder._paths.lbfgs import propose_start, trial_point
from pathfinder._paths.start import Start
from pathfinder._paths.state import DONE, Tolerances, can_step, init, rewind
from pathfinder._settings import Settings


def run_path(log_density, start, chunk=100, radius=0.0, max_tries=1, seed=0, **options):
    """A path to its end, in chunks of `chunk` recorded iterates that are put together again.

    Returns the last state, the trace, and the pairs after the last chunk.
    """
    settings = Settings(**options)
    start = jnp.asarray(start)
    tolerances = Tolerances.from_settings(settings, start.dtype)
    box = Start(jnp.asarray([0, seed], jnp.uint32), start, jnp.full_like(start, radius), jnp.int32(max_tries))
    path = start_path(box, settings.history_size, chunk)
    evaluate = value_and_gradient(log_density)
    traces = []
    while True:
        path, trial, can_step = propose(path)
        if can_step:
            path = step(path, trial, *evaluate(trial), tolerances, settings.history_size)
            continue
        num_recorded = int(path.state.num_recorded)
        traces.append(jax.tree.map(lambda rows, n=num_recorded: np.asarray(rows[:n]), path.records.trace))
        if path.state.phase == DONE:
            trace = jax.tree.map(lambda *parts: np.concatenate(parts), *traces)
            return path.state, trace, path.records.pairs
        path = rewind(path, settings.history_size)


start_path = jax.jit(init, static_argnums=(1, 2))
rewind = jax.jit(rewind, static_argnums=1)
step = jax.jit(lbfgs.step, static_argnums=5)


@jax.jit
def propose(path):
    path = path._replace(state=path.state._replace(position=propose_start(path.state)))
    return path, trial_point(path), can_step(path)


def run_lanes(log_density, starts, **options):
    """Paths from many starts as the lanes of one batch: the last state and the trace of each."""
    tolerances = Tolerances.from_settings(Settings(**options), starts.dtype)
    paths = start_lanes(starts)
    traces = [[] for _ in starts]
    while True:
        paths = advance_lanes(log_density, paths, tolerances)
        host = jax.tree.map(np.asarray, paths)
        for lane, parts in enumerate(traces):
            num_recorded = int(host.state.num_recorded[lane])
            parts.append(jax.tree.map(lambda rows, i=lane, n=num_recorded: rows[i, :n], host.records.trace))
        if np.all(host.state.phase == DONE):
            break
        paths = jax.vmap(partial(rewind, num_kept=5))(paths)
    states = [jax.tree.map(lambda leaf, i=lane: leaf[i], host.state) for lane in range(len(starts))]
    whole = [jax.tree.map(lambda *rows: np.concatenate(rows), *parts) for parts in traces]
    return list(zip(states, whole, strict=True))


@jax.jit
def start_lanes(starts):
    def lane(start):
        box = Start(jnp.zeros(2, jnp.uint32), start, jnp.zeros_like(start), jnp.int32(1))
        return init(box, num_kept=5, num_rows=100)

    return jax.vmap(lane)(starts)


@partial(jax.jit, static_argnums=0)
def advance_lanes(log_density, paths, tolerances):
    def go_on(paths):
        return jnp.any(jax.vmap(can_step)(paths))

    def step_lane(path):
        path, trial, _ = propose(path)
        return lbfgs.step(path, trial, *jax.value_and_grad(log_density)(trial), tolerances, 5)

    return jax.lax.while_loop(go_on, jax.vmap(step_lane), paths)


@cache
def value_and_gradient(log_density):
    return jax.jit(jax.value_and_grad(log_density))
