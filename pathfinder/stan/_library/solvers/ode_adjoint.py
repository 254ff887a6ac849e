"""Derivatives of initial value problems backwards through their steps, at a cost that does not grow with the arguments.

The states of one segment of steps are kept. If there were more, those of the segments before the last are computed
again, each from its first step, so that memory does not depend on the number of steps.
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


def _rows_of(tree: Any, count: int) -> Any:
    return jax.tree.map(lambda x: jnp.zeros((count, *x.shape), x.dtype), tree)


def _put(rows: Any, position: Any, values: Any) -> Any:
    return jax.tree.map(lambda r, v: r.at[position].set(v), rows, values)


def _recorded(method: Method, problem: Problem, walk: Walk, steps: Steps, position: Any) -> tuple[Walk, Steps]:
    """One step, written down at the position."""
    after, outcome = attempt(method, problem, None, walk)
    return after, _put(steps, position, Steps(walk.time, outcome.size, walk.state, after.reached, outcome.landed))


def integrate_recorded(method: Method, problem: Problem) -> tuple[jax.Array, History]:
    """States [time, state, lane], NaN where there is no way on, and what `adjoint` needs."""
    length = method.limits.segment

    def step(carry):
        walk, rows, (starts, steps, count) = carry
        segment, position = jnp.divmod(count[0], length)
        starts = jax.lax.cond(position == 0, lambda starts: _put(starts, segment, walk), lambda starts: starts, starts)
        walk, steps = _recorded(method, problem, walk, steps, position)
        rows = noted(rows, walk, steps.landed[position], walk.state)
        return walk, rows, History(starts, steps, count + 1)

    def go_on(carry):
        walk, _, history = carry
        return jnp.any(running(problem, walk)) & (history.count[0] < length * length)

    walk = begin(method, problem, None)
    no = jnp.zeros(walk.failed.shape, bool)
    steps = _rows_of(Steps(walk.time, walk.size, walk.state, walk.reached, no), length)
    start = walk, rows_for(problem, walk.state), History(_rows_of(walk, length), steps, walk.tries)
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
    length = method.limits.segment
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

        return jax.lax.while_loop(lambda carry: carry[2] < length, step, (walk, history.last, jnp.zeros((), int)))[1]

    def through_segment(carry):
        segment, steps, of_state, of_active = carry
        last = segment == (number - 1) // length
        steps = jax.lax.cond(last, lambda: steps, lambda: recomputed(segment))
        in_segment = jnp.where(last, (number - 1) % length + 1, length)

        def step(carry):
            position, of_state, of_active = carry
            return position - 1, *backwards(steps, position, of_state, of_active)

        _, of_state, of_active = jax.lax.while_loop(lambda c: c[0] >= 0, step, (in_segment - 1, of_state, of_active))
        return segment - 1, steps, of_state, of_active

    nothing = jax.tree.map(jnp.zeros_like, (problem.state, problem.active))
    start = ((number - 1) // length, history.last, *nothing)
    return jax.lax.while_loop(lambda carry: carry[0] >= 0, through_segment, start)[2:]
