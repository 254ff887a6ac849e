"""Solutions of initial value problems, with derivatives in everything that they depend on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._library.solvers.last_axis import on_lanes, with_lanes
from pathfinder.stan._library.solvers.ode_adjoint import History, adjoint, integrate_recorded
from pathfinder.stan._library.solvers.ode_steps import Method, Problem, integrate_sensitivities, integrate_states


@jax.tree_util.register_static
@dataclass(frozen=True)
class _Wanted:
    """What derivatives are taken in: the initial state, the initial time, the times, and arguments by position."""

    y0: bool = False
    t0: bool = False
    ts: bool = False
    arguments: tuple[int, ...] = ()


class _Given(NamedTuple):
    """What a solution depends on."""

    y0: Any
    t0: Any
    ts: Any
    arguments: tuple[Any, ...]

    @classmethod
    def of(cls, y0: Any, t0: Any, ts: Any, *arguments: Any) -> _Given:
        """From the arguments in a row."""
        return cls(y0, t0, ts, arguments)


class _Residuals(NamedTuple):
    """For the way back; `jacobian` [time, direction, state] or the history of the steps, and slopes at the times."""

    wanted: _Wanted
    given: _Given
    jacobian: jax.Array | None
    history: History | None
    slopes: jax.Array | None


def _sizes(wanted: _Wanted, given: _Given) -> list[int]:
    """Numbers of directions: of the initial state, of each argument that is wanted, of the initial time."""
    state = given.y0.size if wanted.y0 else 0
    return [state, *(int(np.size(given.arguments[i])) for i in wanted.arguments), int(wanted.t0)]


def _problem(slope: Callable[..., Any], wanted: _Wanted, lanes: int, given: _Given, has_lanes: _Given) -> Problem:
    """The problem of all lanes, in each of which the arguments that are wanted have their own values."""
    arguments, has = list(given.arguments), list(has_lanes.arguments)
    for i in wanted.arguments:
        arguments[i], has[i] = with_lanes(arguments[i], has[i], lanes), True
    axes = [-1 if has_lanes else None for has_lanes in has]

    def rhs(time, state, active):
        values = list(arguments)
        for i, value in zip(wanted.arguments, active, strict=True):
            values[i] = value
        return jax.vmap(slope, in_axes=(-1, -1, *axes), out_axes=-1)(time, state, *values)

    y0, t0, ts = (with_lanes(x, of_lanes, lanes) for x, of_lanes in zip(given[:3], has_lanes[:3], strict=True))
    return Problem(rhs, y0, t0, ts, tuple(arguments[i] for i in wanted.arguments))


def _start_slope(problem: Problem) -> jax.Array:
    return problem.rhs(problem.start, problem.state, problem.active)


def _directions(problem: Problem, wanted: _Wanted, sizes: list[int]) -> tuple[jax.Array, Any]:
    """Unit directions of the initial state and of the arguments."""
    ends = np.cumsum(sizes)

    def unit(block, value):
        columns = jnp.eye(ends[-1], dtype=value.dtype)[:, ends[block] - sizes[block] : ends[block]]
        return jnp.broadcast_to(columns.reshape(-1, *value.shape[:-1], 1), (ends[-1], *value.shape))

    zero = jnp.zeros((ends[-1], *problem.state.shape), problem.state.dtype)
    state = unit(0, problem.state) if wanted.y0 else zero
    if wanted.t0:
        # To start later is to start from an earlier point of the same solution.
        state = state.at[-1].set(-_start_slope(problem))
    return state, tuple(unit(i, value) for i, value in enumerate(problem.active, 1))


def states(method: Method, rhs: Callable[..., Any], y0: jax.Array, t0: jax.Array, ts: jax.Array, args: Any) -> Any:
    """States [time, state] of one problem, differentiable in reverse mode.

    With few numbers to differentiate in, their sensitivities are integrated beside the state, as in Stan; with more,
    the derivative goes backwards through the steps.
    """
    leaves, structure = jax.tree.flatten(args)
    # Traced once, and not in each of the stages.
    slope = jax.jit(lambda t, y, *leaves: jnp.asarray(rhs(t, y, *structure.unflatten(leaves)), y.dtype))

    def solved(solve: Callable[..., Any], wanted: _Wanted, given: _Given, *more: Any) -> Any:
        """`solve(problem, *more)` of one problem, or at once of all lanes of a `vmap`."""
        arrays, tree = jax.tree.flatten((given, more))

        def on_all(has_lanes, lanes, *arrays):
            given, more = tree.unflatten(arrays)
            of_given, of_more = tree.unflatten(has_lanes)
            more = jax.tree.map(lambda x, has: with_lanes(x, has, lanes), more, of_more)
            return solve(_problem(slope, wanted, lanes, given, of_given), *more)

        return on_lanes(on_all)(*arrays)

    @jax.custom_vjp
    def solution(*given):
        return solved(lambda problem: integrate_states(method, problem), _Wanted(), _Given.of(*given))

    def forward(*given):
        perturbed = _Given.of(*(x.perturbed for x in given))
        wanted = _Wanted(*perturbed[:3], tuple(np.flatnonzero(perturbed.arguments).tolist()))
        given = _Given.of(*(x.value for x in given))
        sizes = _sizes(wanted, given)
        jacobian = history = slopes = None
        if sum(sizes) == 0:
            found = solved(lambda problem: integrate_states(method, problem), wanted, given)
        elif sum(sizes) <= method.limits.most_directions:

            def solve(problem):
                return integrate_sensitivities(method, problem, _directions(problem, wanted, sizes))

            found, jacobian = solved(solve, wanted, given)
        else:
            found, history = solved(lambda problem: integrate_recorded(method, problem), wanted, given)
        if wanted.ts:
            slopes = jax.vmap(lambda t, y: slope(t, y, *given.arguments))(given.ts, found)
        return found, _Residuals(wanted, given, jacobian, history, slopes)

    def backward(residuals, cotangent):
        wanted, given, jacobian, history, slopes = residuals
        parts: list[Any] = [None] * len(_sizes(wanted, given))
        if jacobian is not None:
            along = jnp.einsum("ts,tds->d", cotangent, jacobian)
            parts = jnp.split(along, np.cumsum(_sizes(wanted, given))[:-1])
        elif history is not None:

            def solve(problem, history, cotangent):
                of_state, of_active = adjoint(method, problem, history, cotangent)
                return of_state, *of_active, -jnp.sum(of_state * _start_slope(problem), axis=0)

            parts = solved(solve, wanted, given, history, cotangent)
        of_state, *of_active, of_start = parts  # in the order of `_sizes`
        of_arguments: list[Any] = [None] * len(given.arguments)
        for i, part in zip(wanted.arguments, of_active, strict=True):
            of_arguments[i] = jnp.reshape(part, np.shape(given.arguments[i]))
        return (
            of_state if wanted.y0 else None,
            jnp.reshape(of_start, ()) if wanted.t0 else None,
            None if slopes is None else jnp.sum(cotangent * slopes, axis=1),
            *of_arguments,
        )

    solution.defvjp(forward, backward, symbolic_zeros=True)
    # Copied, because `vmap` leaves NumPy arrays as they are, which a custom derivative then rejects (JAX 0.10).
    return solution(*(jnp.array(x) for x in (y0, t0, ts, *leaves)))
