"""Adaptive steps of initial value problems side by side, with their sensitivities.

Each lane has its own steps, and lands on each of its times. The sensitivities are those of the discretised solution
whose steps are held fixed, and do not change the steps: values are the same with and without them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from pathfinder.stan._library.solvers.runge_kutta import Slope, Tableau, error_ratio, explicit_step, first_step


_SAFETY, _SMALLEST, _LARGEST = 0.9, 0.2, 10.0  # of the factor between steps, as in `dopri5.f`


class DerivativeLimits(NamedTuple):
    """Which way derivatives are taken, and how much of the way forwards is kept for it.

    Attributes:
        most_directions: Numbers to differentiate in up to which sensitivities are integrated beside the state; from
            there on the way back is cheaper (docs/decisions/ode-sensitivities.md).
        segment: Steps whose states are kept for the way back, and the largest number of segments.
    """

    most_directions: int = 8
    segment: int = 512


DEFAULT_LIMITS = DerivativeLimits()


class Method(NamedTuple):
    """What is fixed while tracing."""

    tableau: Tableau
    rel_tol: float
    abs_tol: float
    max_num_steps: int
    limits: DerivativeLimits = DEFAULT_LIMITS


class Problem(NamedTuple):
    """Initial value problems: `rhs(time, state, active)`, `state` [state, lane], `start` [lane], `times` [time, lane].

    The arguments `active` are those that derivatives are taken in.
    """

    rhs: Slope
    state: jax.Array
    start: jax.Array
    times: jax.Array
    active: Any


class Walk(NamedTuple):
    """Where each lane is.

    Attributes:
        time: Present time.
        size: The step to try next.
        state: Present state.
        slope: Its derivative.
        reached: How many of the times have been reached.
        tries: Steps tried since the last of them.
        accepted: Whether the last step was.
        failed: Whether there was no way on.
        tangents: Derivatives of the state and the slope, [direction, state, lane], or `None`.
    """

    time: jax.Array
    size: jax.Array
    state: jax.Array
    slope: jax.Array
    reached: jax.Array
    tries: jax.Array
    accepted: jax.Array
    failed: jax.Array
    tangents: tuple[jax.Array, jax.Array] | None


class Outcome(NamedTuple):
    """What came of a try: whether it landed on a time, and the size of the step, zero unless it was accepted."""

    landed: jax.Array
    size: jax.Array


def running(problem: Problem, walk: Walk) -> jax.Array:
    """The lanes that are neither at their last time nor failed."""
    return (walk.reached < problem.times.shape[0]) & ~walk.failed


def begin(method: Method, problem: Problem, directions: tuple[jax.Array, Any] | None) -> Walk:
    """The walk at its start; `directions` are those of the initial state and of the active arguments."""
    rhs, state, time, active = problem.rhs, problem.state, problem.start, problem.active
    slope = rhs(time, state, active)
    tangents = None
    if directions is not None:

        def along(of_state, of_active):
            return jax.jvp(lambda y, active: rhs(time, y, active), (state, active), (of_state, of_active))[1]

        tangents = (directions[0], jax.vmap(along)(*directions))
    count = jnp.zeros(time.shape, int)
    no = jnp.zeros(time.shape, bool)
    scale = method.abs_tol + method.rel_tol * jnp.abs(state)
    size = first_step(method.tableau, rhs, time, state, slope, active, scale)
    # written so that it does not hold where something is NaN
    ordered = (time < problem.times[0]) & jnp.all(problem.times[1:] >= problem.times[:-1], axis=0)
    possible = ordered & jnp.isfinite(problem.times[-1]) & jnp.all(jnp.isfinite(slope), axis=0)
    return Walk(time, size, state, slope, count, count, ~no, ~possible, tangents)


def attempt(
    method: Method, problem: Problem, directions: tuple[jax.Array, Any] | None, walk: Walk
) -> tuple[Walk, Outcome]:
    """Try one step in each lane that runs."""
    run = running(problem, walk)
    last = problem.times.shape[0] - 1
    target = jnp.take_along_axis(problem.times, jnp.minimum(walk.reached, last)[None], axis=0)[0]
    remaining = target - walk.time
    eps = jnp.finfo(walk.time.dtype).eps
    # Half of what remains is better than a step and a tiny one.
    lands = walk.size >= remaining * (1 - 16 * eps)
    size = jnp.where(lands, remaining, jnp.where(2 * walk.size > remaining, 0.5 * remaining, walk.size))
    size = jnp.where(run, size, 0.0)

    def step(state, slope, active):
        new, new_slope, errors = explicit_step(method.tableau, problem.rhs, walk.time, size, state, slope, active)
        return (new, new_slope), errors

    point = (walk.state, walk.slope, problem.active)
    if directions is None or walk.tangents is None:
        (state, slope), errors = step(*point)
        tangents = None
    else:

        def along(*tangents):
            return jax.jvp(step, point, tangents, has_aux=True)

        (state, slope), tangents, errors = jax.vmap(along, out_axes=(None, 0, None))(*walk.tangents, directions[1])
    scale = method.abs_tol + method.rel_tol * jnp.maximum(jnp.abs(walk.state), jnp.abs(state))
    ratio = error_ratio(errors, scale)
    accepted = run & (ratio <= 1)
    factor = _SAFETY * jnp.where(ratio > 0, ratio, 1e-10) ** (-1 / method.tableau.exponent)
    factor = jnp.clip(factor, _SMALLEST, jnp.where(walk.accepted, _LARGEST, 1.0))
    factor = jnp.where(jnp.isnan(ratio), _SMALLEST, factor)
    wished = size * factor
    # A step that was cut short to land says nothing against the longer one.
    wished = jnp.where(accepted & (size < walk.size), jnp.maximum(wished, walk.size), wished)
    landed = accepted & lands
    tries = jnp.where(landed, 0, walk.tries + 1)
    # Negated, so that a step that is not a number is stuck too.
    stuck = ~accepted & ~(wished > 16 * eps * jnp.maximum(jnp.abs(walk.time), jnp.abs(target)))
    kept = (walk.state, walk.slope, walk.tangents)
    state, slope, tangents = jax.tree.map(
        lambda new, old: jnp.where(accepted[(None,) * (new.ndim - 1)], new, old), (state, slope, tangents), kept
    )
    return Walk(
        time=jnp.where(accepted, jnp.where(lands, target, walk.time + size), walk.time),
        size=jnp.where(run, wished, walk.size),
        state=state,
        slope=slope,
        reached=walk.reached + landed,
        tries=tries,
        accepted=accepted,
        failed=walk.failed | (run & (stuck | (tries >= method.max_num_steps))),
        tangents=tangents,
    ), Outcome(landed, jnp.where(accepted, size, 0.0))


def rows_for(problem: Problem, *values: jax.Array) -> tuple[jax.Array, ...]:
    """Arrays [time, lane, ...] for values like these [..., lane]."""
    return tuple(jnp.full((*problem.times.shape, *v.shape[:-1]), jnp.nan, v.dtype) for v in values)


def noted(rows: tuple[jax.Array, ...], walk: Walk, landed: jax.Array, *values: jax.Array) -> tuple[jax.Array, ...]:
    """The rows with the values of those lanes that landed."""

    def note(rows):
        position = jnp.where(landed, walk.reached - 1, rows[0].shape[0])
        at = (position, jnp.arange(landed.shape[0]))
        pairs = zip(rows, values, strict=True)
        return tuple(r.at[at].set(jnp.moveaxis(v, -1, 0), mode="drop", unique_indices=True) for r, v in pairs)

    # Under a condition, since nothing lands in most steps and writing is not free.
    return jax.lax.cond(jnp.any(landed), note, lambda rows: rows, rows)


def results(rows: tuple[jax.Array, ...], failed: jax.Array) -> list[jax.Array]:
    """The rows with the lanes last, NaN where a lane failed."""
    return [jnp.where(failed[(None,) * (r.ndim - 1)], jnp.nan, jnp.moveaxis(r, 1, -1)) for r in rows]


def integrate_states(method: Method, problem: Problem) -> jax.Array:
    """States [time, state, lane], NaN where there is no way on."""
    return _integrate(method, problem, None)[0]


def integrate_sensitivities(
    method: Method, problem: Problem, directions: tuple[jax.Array, Any]
) -> tuple[jax.Array, jax.Array]:
    """States, and their derivatives [time, direction, state, lane].

    Args:
        method: How.
        problem: What.
        directions: Of the initial state [direction, state, lane] and of the active arguments.
    """
    found, derivatives = _integrate(method, problem, directions)
    return found, derivatives


def _integrate(method: Method, problem: Problem, directions: tuple[jax.Array, Any] | None) -> list[jax.Array]:
    def kept(walk):
        return (walk.state,) if walk.tangents is None else (walk.state, walk.tangents[0])

    def step(carry):
        walk, outcome = attempt(method, problem, directions, carry[0])
        return walk, noted(carry[1], walk, outcome.landed, *kept(walk))

    walk = begin(method, problem, directions)
    start = walk, rows_for(problem, *kept(walk))
    walk, rows = jax.lax.while_loop(lambda carry: jnp.any(running(problem, carry[0])), step, start)
    return results(rows, walk.failed)
