"""Derivatives of initial value problems backwards through their steps, at a cost that does not grow with the arguments.

The states of `SEGMENT` steps are kept. If there were more, those of the segments before the last are computed again,
each from its first step, so that memory does not depend on the number of steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from pathfinder.stan._library.solvers.ode_steps import (
    Method,
    Problem,
    Walk,
    attempt,
    begin,
    noted,
    results,
    rows_for,
    running,
)
from pathfinder.stan._library.solvers.runge_kutta import explicit_step


SEGMENT = 512  # steps, and the largest number of segments


class Steps(NamedTuple):
    """The steps of one segment; axes are [step, ..., lane]. A step that was rejected has the size zero."""

    time: jax.Array
    size: jax.Array
    state: jax.Array
    reached: jax.Array
    landed: jax.Array


class History(NamedTuple):
    """What remains of the way forwards: where segments began, the steps of the last one, and the count of all."""

    starts: Walk
    last: Steps
    count: jax.Array  # the same in all lanes


def _stacked(tree: Any) -> Any:
    return jax.tree.map(lambda x: jnp.zeros((SEGMENT, *x.shape), x.dtype), tree)


def _put(rows: Any, position: Any, values: Any) -> Any:
    return jax.tree.map(lambda r, v: r.at[position].set(v), rows, values)


def _recorded(method: Method, problem: Problem, walk: Walk, steps: Steps, position: Any) -> tuple[Walk, Steps]:
    """One step, written down at the position."""
    after, outcome = attempt(method, problem, None, walk)
    return after, _put(steps, position, Steps(walk.time, outcome.size, walk.state, after.reached, outcome.landed))


def integrate_recorded(method: Method, problem: Problem) -> tuple[jax.Array, History]:
    """States [time, state, lane], NaN where there is no way on, and what `adjoint` needs."""

    def step(carry):
        walk, rows, (starts, steps, count) = carry
        segment, position = jnp.divmod(count[0], SEGMENT)
        starts = jax.lax.cond(position == 0, lambda starts: _put(starts, segment, walk), lambda starts: starts, starts)
        walk, steps = _recorded(method, problem, walk, steps, position)
        rows = noted(rows, walk, steps.landed[position], walk.state)
        return walk, rows, History(starts, steps, count + 1)

    def go_on(carry):
        walk, _, history = carry
        return jnp.any(running(problem, walk)) & (history.count[0] < SEGMENT * SEGMENT)

    walk = begin(method, problem, None)
    no = jnp.zeros(walk.failed.shape, bool)
    steps = _stacked(Steps(walk.time, walk.size, walk.state, walk.reached, no))
    start = walk, rows_for(problem, walk.state), History(_stacked(walk), steps, walk.tries)
    walk, rows, history = jax.lax.while_loop(go_on, step, start)
    return results(rows, walk.failed | running(problem, walk))[0], history


def adjoint(method: Method, problem: Problem, history: History, cotangent: jax.Array) -> tuple[jax.Array, Any]:
    """Derivatives in the initial state [state, lane] and the active arguments, which must have lanes.

    Args:
        method: How.
        problem: What was solved.
        history: The way forwards.
        cotangent: Derivatives in the states [time, state, lane].
    """
    number = jnp.max(history.count)

    def backwards(steps, position, of_state, of_active):
        time, size, state, reached, landed = jax.tree.map(lambda x: x[position], steps)

        def add(of_state):
            arrived = jnp.where(landed, reached - 1, 0)[None, None]
            return of_state + jnp.where(landed[None], jnp.take_along_axis(cotangent, arrived, axis=0)[0], 0.0)

        of_state = jax.lax.cond(jnp.any(landed), add, lambda of_state: of_state, of_state)

        def step(state, active):
            slope = problem.rhs(time, state, active)
            return explicit_step(method.tableau, problem.rhs, time, size, state, slope, active)[0]

        through_state, through_active = jax.vjp(step, state, problem.active)[1](of_state)
        return through_state, jax.tree.map(jnp.add, of_active, through_active)

    def recomputed(segment):
        walk = jax.tree.map(lambda x: x[segment], history.starts)

        def step(carry):
            walk, steps, position = carry
            return *_recorded(method, problem, walk, steps, position), position + 1

        return jax.lax.while_loop(lambda carry: carry[2] < SEGMENT, step, (walk, history.last, jnp.zeros((), int)))[1]

    def through_segment(carry):
        segment, steps, of_state, of_active = carry
        last = segment == (number - 1) // SEGMENT
        steps = jax.lax.cond(last, lambda: steps, lambda: recomputed(segment))
        in_segment = jnp.where(last, (number - 1) % SEGMENT + 1, SEGMENT)

        def step(carry):
            position, of_state, of_active = carry
            return position - 1, *backwards(steps, position, of_state, of_active)

        _, of_state, of_active = jax.lax.while_loop(lambda c: c[0] >= 0, step, (in_segment - 1, of_state, of_active))
        return segment - 1, steps, of_state, of_active

    nothing = jax.tree.map(jnp.zeros_like, (problem.state, problem.active))
    start = ((number - 1) // SEGMENT, history.last, *nothing)
    return jax.lax.while_loop(lambda carry: carry[0] >= 0, through_segment, start)[2:]
