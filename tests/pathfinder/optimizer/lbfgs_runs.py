"""Paths of the optimizer alone, one or several at once, in NumPy or compiled."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._arrays.namespace import namespace, rows
from pathfinder._optimizer import lbfgs
from pathfinder._optimizer.lbfgs import propose_start, trial_point
from pathfinder._optimizer.start import Start
from pathfinder._optimizer.state import DONE, Tolerances, can_step, init, rewind
from pathfinder._settings import Settings


def run_path(log_density, start, chunk=100, radius=0.0, max_tries=1, seed=0, xp=np, **options):
    """A path to its end, in chunks of `chunk` recorded iterates that are put together again.

    Returns the last state, the trace, and the pairs after the last chunk.
    """
    start = xp.asarray(start)
    box = Start(
        xp.asarray([[0, seed]], dtype=xp.uint32), start[None], xp.full_like(start, radius)[None],
        xp.asarray([max_tries], dtype=xp.int32),
    )  # fmt: skip
    path, (trace,) = run_from(log_density, box, chunk, **options)
    return rows(path.state, 0), trace, rows(path.records.pairs, 0)


def run_lanes(log_density, starts, xp=np, **options):
    """Paths from many starts as the lanes of one batch: the last state and the trace of each."""
    starts = xp.asarray(starts)
    count = len(starts)
    box = Start(xp.zeros((count, 2), xp.uint32), starts, xp.zeros_like(starts), xp.ones(count, xp.int32))
    path, traces = run_from(log_density, box, 100, **options)
    return [(rows(path.state, lane), trace) for lane, trace in enumerate(traces)]


def run_from(log_density, starts, chunk=100, **options):
    """The paths at their end, on the host, and the trace of each."""
    settings = Settings(**options)
    tolerances = Tolerances.from_settings(settings, starts.center.dtype)
    path = init(starts, num_kept=settings.history_size, num_rows=chunk)
    compiled = namespace(starts) is jnp
    traces = [[] for _ in starts.center]
    evaluate = value_and_gradient(log_density)
    while True:
        if compiled:
            path = _advance(log_density, path, tolerances, settings.history_size)
        else:
            with np.errstate(all="ignore"):
                while can_step(path).any():
                    path = path._replace(state=path.state._replace(position=propose_start(path.state)))
                    trial = trial_point(path)
                    evaluated = [evaluate(own) for own in trial]
                    values, scores = (
                        np.stack([np.asarray(part) for part in parts]) for parts in zip(*evaluated, strict=True)
                    )
                    path = lbfgs.step(
                        path, trial, values.astype(trial.dtype), scores, tolerances, settings.history_size
                    )
        host = jax.tree.map(np.array, path)
        for lane, parts in enumerate(traces):
            num_recorded = int(host.state.num_recorded[lane])
            parts.append(jax.tree.map(lambda table, i=lane, n=num_recorded: table[i, :n], host.records.trace))
        if np.all(host.state.phase == DONE):
            return host, [jax.tree.map(lambda *parts: np.concatenate(parts), *own) for own in traces]
        path = rewind(path, num_kept=settings.history_size)


@partial(jax.jit, static_argnums=(0, 3))
def _advance(log_density, path, tolerances, history_size):
    def move(path):
        path = path._replace(state=path.state._replace(position=propose_start(path.state)))
        trial = trial_point(path)
        values, scores = jax.vmap(jax.value_and_grad(log_density))(trial)
        return lbfgs.step(path, trial, values.astype(trial.dtype), scores, tolerances, history_size)

    return jax.lax.while_loop(lambda path: jnp.any(can_step(path)), move, path)


@cache
def value_and_gradient(log_density):
    return jax.jit(jax.value_and_grad(log_density))
