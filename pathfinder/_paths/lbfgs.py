"""One L-BFGS path as a state machine that evaluates the log density and gradient once per step.

A step takes the evaluation at its trial point, then either narrows the line search or accepts the point as the next
iterate. The user's density is therefore traced once, and under `vmap` no path waits for the line search of another.

The optimizer minimizes `f = -log density` with the tolerances of Stan's BFGS optimizer (Nocedal and Wright 2006,
algorithm 7.4), but that pairs without curvature are left out, and with nearly its line search (see `_line_search`).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pathfinder._arrays.streams import Key, fold_in, uniform
from pathfinder._normals.diagonals import SecantSums, secant_diagonal, update_secant_sums
from pathfinder._normals.low_rank import Pairs, has_curvature, update_diagonal
from pathfinder._paths.direction import newest_pairs, two_loop
from pathfinder._paths.line_search import LineSearch, continue_search, first_trial, new_search, select
from pathfinder._settings import Settings
from pathfinder._status import Status


STARTING, EXPANDING, ZOOMING, DONE = range(4)

LONGEST_FIRST_MOVE = 100.0  # of any coordinate along the gradient, where starts are within about 2
MAX_INIT_TRIES = 100
STAN_EPS = 2.220446049250313e-16  # the unit of tol_rel_obj and tol_rel_grad, whatever the dtype


class Tolerances(NamedTuple):
    """The numbers among the settings that an L-BFGS step uses; arguments of the compiled program."""

    init_alpha: Float[Array, ""]
    tol_obj: Float[Array, ""]
    tol_rel_obj: Float[Array, ""]
    tol_grad: Float[Array, ""]
    tol_rel_grad: Float[Array, ""]
    tol_param: Float[Array, ""]
    max_lbfgs_iters: Int[Array, ""]
    scale_by_diagonal: Bool[Array, ""]

    @classmethod
    def from_settings(cls, settings: Settings, dtype) -> "Tolerances":
        """Tolerances in a dtype; relative ones are raised to what that dtype can resolve."""
        eps = float(jnp.finfo(dtype).eps)

        def number(value):
            return jnp.asarray(value, dtype)

        return cls(
            init_alpha=number(settings.init_alpha),
            tol_obj=number(settings.tol_obj),
            tol_rel_obj=number(max(settings.tol_rel_obj * STAN_EPS, 2 * eps)),
            tol_grad=number(settings.tol_grad),
            tol_rel_grad=number(max(settings.tol_rel_grad * STAN_EPS, 2 * eps)),
            tol_param=number(settings.tol_param),
            max_lbfgs_iters=jnp.asarray(settings.max_lbfgs_iters, jnp.int32),
            scale_by_diagonal=jnp.asarray(settings.scale_by_diagonal),
        )


class Start(NamedTuple):
    """Where a path may start: uniformly within `radius` of `center`, coordinate by coordinate."""

    key: Key
    center: Float[Array | np.ndarray, " dim"]
    radius: Float[Array | np.ndarray, " dim"]
    max_tries: Int[Array | np.ndarray, ""]


class Tries(NamedTuple):
    """The last point that a path tried to start from, which is where it starts unless all were rejected."""

    position: Float[Array | np.ndarray, " dim"]
    log_density: Float[Array | np.ndarray, ""]
    gradient: Float[Array | np.ndarray, " dim"]  # of the log density
    num_tries: Int[Array | np.ndarray, ""]  # that one included
    is_finite: Bool[Array | np.ndarray, " try"]  # the log density at each point tried; the gradient may not be


class Trace(NamedTuple):
    """The accepted iterates of a chunk: row r holds the r-th, rows from `PathState.num_recorded` on are unused."""

    position: Float[Array, "row dim"]
    gradient: Float[Array, "row dim"]  # of the negative log density
    diagonal: Float[Array, "row dim"]  # initial inverse Hessian of the approximation there
    secant: Float[Array, "row dim"] | None  # another one, if it is followed
    pairs_end: Int[Array, " row"]  # the newest pair of the approximation is row pairs_end - 1 of the pairs
    log_density: Float[Array, " row"]
    iteration: Int[Array, " row"]
    step_norm: Float[Array, " row"]
    gradient_norm: Float[Array, " row"]
    alpha: Float[Array, " row"]
    first_alpha: Float[Array, " row"]
    num_gradients: Int[Array, " row"]
    was_reset: Bool[Array, " row"]


class Records(NamedTuple):
    """What a path leaves behind, written in place: the pairs that entered its history and its accepted iterates.

    The first `num_kept` rows of `pairs` hold the newest pairs of before the last `rewind`.
    """

    pairs: Pairs
    trace: Trace


class PathState(NamedTuple):
    """Where a path is."""

    phase: Int[Array, ""]
    status: Int[Array, ""]
    start: Start
    position: Float[Array, " dim"]
    gradient: Float[Array, " dim"]
    f: Float[Array, ""]
    direction: Float[Array, " dim"]
    search: LineSearch
    is_reset: Bool[Array, ""]  # the direction is steepest descent
    was_reset: Bool[Array, ""]  # because a line search along the L-BFGS direction failed
    iteration: Int[Array, ""]
    num_gradients: Int[Array, ""]
    tries: Tries
    diagonal: Float[Array, " dim"]
    secant_sums: SecantSums | None  # if they are followed
    pairs_end: Int[Array, ""]  # rows [pairs_end - num_kept, pairs_end) of the pairs are the newest
    num_pairs: Int[Array, ""]  # since the last reset, for the direction
    num_recorded: Int[Array, ""]


class Path(NamedTuple):
    """All of one path."""

    state: PathState
    records: Records


def init(start: Start, num_kept: int, num_rows: int, follows_secant: bool = False) -> Path:
    """A path that has not been evaluated yet.

    Args:
        start: Where it may start.
        num_kept: Number of newest pairs that are kept, for directions and approximations.
        num_rows: Number of iterates that can be recorded before `rewind`.
        follows_secant: Whether to follow the diagonal of `secant_diagonal` as well.
    """
    dim, dtype = start.center.shape[0], start.center.dtype
    zero, nothing, no = jnp.zeros((), dtype), jnp.zeros((), jnp.int32), jnp.zeros((), bool)
    vector = jnp.zeros(dim, dtype)
    state = PathState(
        phase=jnp.asarray(STARTING, jnp.int32),
        status=jnp.asarray(Status.RUNNING, jnp.int32),
        start=start,
        position=vector,
        gradient=vector,
        f=zero,
        direction=vector,
        search=new_search(zero, zero, zero),
        is_reset=no,
        was_reset=no,
        iteration=nothing,
        num_gradients=nothing,
        tries=Tries(vector, jnp.full_like(zero, -jnp.inf), vector, nothing, jnp.zeros(MAX_INIT_TRIES, bool)),
        diagonal=jnp.ones(dim, dtype),
        secant_sums=SecantSums(vector, vector) if follows_secant else None,
        pairs_end=jnp.asarray(num_kept, jnp.int32),
        num_pairs=nothing,
        num_recorded=nothing,
    )
    row = _trace_row(state, zero, zero, zero)
    trace = jax.tree_util.tree_map(lambda value: jnp.zeros((num_rows, *value.shape), value.dtype), row)
    pairs = Pairs(*[jnp.zeros((num_kept + num_rows, dim), dtype)] * 2)
    return Path(state, Records(pairs, trace))


def can_step(path: Path) -> Bool[Array, ""]:
    """Whether the path is neither done nor out of rows."""
    return (path.state.phase != DONE) & (path.state.num_recorded < path.records.trace.iteration.shape[0])


def propose_start(state: PathState) -> Float[Array, " dim"]:
    """Where a path is, or where it will try to start next."""
    return jnp.where(state.phase == STARTING, initial_point(state.start, state.num_gradients), state.position)


def rewind(path: Path, num_kept: int) -> Path:
    """Forget the recorded iterates, but for the pairs that later directions and approximations need."""
    state, (pairs, trace) = path
    newest = newest_pairs(pairs, state.pairs_end, num_kept)
    pairs = Pairs(*[rows.at[:num_kept].set(part) for rows, part in zip(pairs, newest, strict=True)])
    state = state._replace(
        pairs_end=jnp.full_like(state.pairs_end, num_kept), num_recorded=jnp.zeros_like(state.num_recorded)
    )
    return Path(state, Records(pairs, trace))


def trial_point(path: Path) -> Float[Array, " dim"]:
    """Where the next step needs the log density and its gradient."""
    state = path.state
    starting = state.phase == STARTING
    return jnp.where(starting, state.position, state.position + state.search.step * state.direction)


def step(
    path: Path,
    trial: Float[Array, " dim"],
    log_density: Float[Array, ""],
    score: Float[Array, " dim"],
    tolerances: Tolerances,
    history_size: int,
) -> Path:
    """Move on, given the log density and its gradient at the trial point; a path that cannot step stays as it is."""
    state = path.state
    starting = state.phase == STARTING
    f, gradient = -log_density, -score
    # A gradient whose squared norm overflows is no use either: no slope can be told from it.
    finite = jnp.isfinite(f) & jnp.isfinite(gradient @ gradient)
    # Unused branches get harmless numbers instead of NaN.
    f = jnp.where(finite, f, 0.0)
    gradient = jnp.where(finite, gradient, 0.0)
    moving = can_step(path)
    evaluated = state._replace(num_gradients=state.num_gradients + 1)

    tries = _noted(state.tries, starting & moving, trial, log_density, score)
    evaluated = evaluated._replace(tries=tries)
    started = _start(evaluated, trial, f, gradient, finite, tolerances)
    search, accepted, failed, zooming = continue_search(
        state.search, state.phase == ZOOMING, state.f, f, gradient @ state.direction, finite
    )
    searching = evaluated._replace(search=search, phase=jnp.where(zooming, ZOOMING, EXPANDING).astype(jnp.int32))
    accepted = accepted & moving & ~starting
    moved, pairs = accept(evaluated, path.records.pairs, accepted, trial, f, gradient, tolerances, history_size)
    retried = _retry(evaluated, tolerances)

    following = select(starting, started, select(accepted, moved, select(failed, retried, searching)))
    following = select(moving, following, state._replace(tries=tries))
    stationary = moving & starting & (following.status == Status.STATIONARY_START)
    return record(Path(following, Records(pairs, path.records.trace)), accepted | stationary, state)


def initial_point(start: Start, attempt: Int[Array, ""]) -> Float[Array, " dim"]:
    """The point that a path tries to start from after `attempt` failures."""
    noise = uniform(fold_in(start.key, attempt), start.center.shape[0], start.center.dtype)
    return jnp.asarray(start.center) + start.radius * noise


def _noted(tries: Tries, is_try: Bool[Array, ""], position, log_density, gradient) -> Tries:
    """With one more point, if this is one."""
    is_this = is_try & (jnp.arange(MAX_INIT_TRIES, dtype=jnp.int32) == tries.num_tries)
    is_finite = jnp.where(is_this, jnp.isfinite(log_density), tries.is_finite)
    log_density = log_density.astype(tries.log_density.dtype)
    return select(is_try, Tries(position, log_density, gradient, tries.num_tries + 1, is_finite), tries)


def _start(state: PathState, trial, f, gradient, finite, tolerances: Tolerances) -> PathState:
    """Take the point as the start of the path if the density is finite there, else try the next one."""
    attempt = state.num_gradients
    exhausted = ~finite & (attempt >= state.start.max_tries)
    stationary = finite & (jnp.linalg.norm(gradient) <= tolerances.tol_grad)
    ended = exhausted | stationary
    taken = state._replace(
        position=trial,
        f=f,
        gradient=gradient,
        phase=jnp.where(ended, DONE, jnp.where(finite, EXPANDING, STARTING)).astype(jnp.int32),
        status=jnp.where(
            exhausted,
            Status.INITIALIZATION_FAILED,
            jnp.where(stationary, Status.STATIONARY_START, Status.RUNNING),
        ).astype(jnp.int32),
    )
    return _steepest_descent(taken, tolerances.init_alpha)


def _steepest_descent(state: PathState, first_step) -> PathState:
    direction = -state.gradient
    # A gradient of 1e100 would throw the first trial so far out that no retreat finds back.
    longest = jnp.max(jnp.abs(direction))
    first_step = jnp.minimum(first_step, LONGEST_FIRST_MOVE / jnp.where(longest > 0, longest, 1.0))
    search = new_search(state.f, state.gradient @ direction, first_step)
    return state._replace(
        direction=direction,
        search=search,
        is_reset=jnp.ones((), bool),
        num_pairs=jnp.zeros((), jnp.int32),
        phase=jnp.where(state.phase == DONE, DONE, jnp.where(state.phase == STARTING, STARTING, EXPANDING)).astype(
            jnp.int32
        ),
    )


def _retry(state: PathState, tolerances: Tolerances) -> PathState:
    """After a failed line search: once more along the gradient, or the end."""
    ended = jnp.where(state.iteration == 0, Status.LINE_SEARCH_FAILED_AT_START, Status.LINE_SEARCH_FAILED)
    over = state._replace(phase=jnp.full_like(state.phase, DONE), status=ended.astype(jnp.int32))
    again = _steepest_descent(state, tolerances.init_alpha)._replace(
        phase=jnp.full_like(state.phase, EXPANDING), was_reset=jnp.ones((), bool)
    )
    return select(state.is_reset, over, again)


def accept(
    state: PathState, pairs: Pairs, accepted: Bool[Array, ""], position, f, gradient, tolerances, history_size: int
) -> tuple[PathState, Pairs]:
    """Move to a point: pairs, diagonal, tolerances, next direction. Unless `accepted`, the pairs stay as they are."""
    change = gradient - state.gradient
    moved = position - state.position
    diagonal = update_diagonal(state.diagonal, moved, change)
    curved = has_curvature(moved, change) & jnp.all(jnp.isfinite(diagonal) & (diagonal > 0))
    diagonal = jnp.where(curved, diagonal, state.diagonal)
    secant_sums = state.secant_sums
    if secant_sums is not None:
        secant_sums = select(curved, update_secant_sums(secant_sums, moved, change), secant_sums)
    row = jnp.where(curved & accepted, state.pairs_end, pairs.positions.shape[0])  # out of bounds: dropped
    pairs = Pairs(pairs.positions.at[row].set(moved, mode="drop"), pairs.gradients.at[row].set(change, mode="drop"))
    pairs_end = state.pairs_end + (curved & accepted).astype(jnp.int32)
    num_pairs = jnp.minimum(jnp.where(state.is_reset, 0, state.num_pairs) + curved.astype(jnp.int32), history_size)

    initial = jnp.where(tolerances.scale_by_diagonal, diagonal, jnp.ones_like(diagonal))
    direction = two_loop(newest_pairs(pairs, pairs_end, history_size), num_pairs, initial, gradient)
    slope = direction @ gradient
    status = _termination(state, moved, f, gradient, slope, tolerances)
    first_step = first_trial(state.search, state.is_reset, f - state.f, gradient @ state.direction, moved, change)
    iterated = state._replace(
        phase=jnp.where(status == Status.RUNNING, EXPANDING, DONE).astype(jnp.int32),
        status=status,
        position=position,
        gradient=gradient,
        f=f,
        direction=direction,
        search=new_search(f, slope, first_step),
        is_reset=jnp.zeros((), bool),
        was_reset=jnp.zeros((), bool),
        iteration=state.iteration + 1,
        diagonal=diagonal,
        secant_sums=secant_sums,
        pairs_end=pairs_end,
        num_pairs=num_pairs,
    )
    # After a leap from where the density falls like exp(x) the pair says that everything is minute: its direction leads
    # nowhere, and would take twenty trials to find that out.
    stays = _is_leap(state, f) & (-slope / jnp.maximum(jnp.abs(f), 1.0) < tolerances.tol_rel_grad)
    descends = jnp.isfinite(slope) & (slope < 0) & ~stays
    return select(descends, iterated, _steepest_descent(iterated, tolerances.init_alpha)), pairs


def record(path: Path, keep: Bool[Array, ""], before: PathState) -> Path:
    """Write the state as an iterate, if `keep`; `before` is the state that it was reached from."""
    state, (pairs, trace) = path
    row = jnp.where(keep, state.num_recorded, trace.iteration.shape[0])  # out of bounds: dropped
    step_norm = jnp.linalg.norm(state.position - before.position)
    values = _trace_row(state, step_norm, before.search.step, before.search.first_step)
    values = values._replace(was_reset=before.was_reset)
    trace = jax.tree_util.tree_map(lambda rows, value: rows.at[row].set(value, mode="drop"), trace, values)
    return Path(state._replace(num_recorded=state.num_recorded + keep.astype(jnp.int32)), Records(pairs, trace))


def _trace_row(state: PathState, step_norm, alpha, first_alpha) -> Trace:
    return Trace(
        position=state.position,
        gradient=state.gradient,
        diagonal=state.diagonal,
        secant=None if state.secant_sums is None else secant_diagonal(state.secant_sums, state.diagonal),
        pairs_end=state.pairs_end,
        log_density=-state.f,
        iteration=state.iteration,
        step_norm=step_norm,
        gradient_norm=jnp.linalg.norm(state.gradient),
        alpha=alpha,
        first_alpha=first_alpha,
        num_gradients=state.num_gradients,
        was_reset=state.was_reset,
    )


def _termination(state: PathState, moved, f, gradient, slope, tolerances: Tolerances) -> Int[Array, ""]:
    """The first of Stan's tests that holds, in Stan's order; `slope` is minus g'Hg with the new inverse Hessian H."""
    # A step that a failed search has settled for says nothing about convergence.
    change = jnp.where(state.search.settles, jnp.inf, jnp.abs(state.f - f))
    largest = jnp.maximum(jnp.maximum(jnp.abs(state.f), jnp.abs(f)), 1.0)
    tests = [
        (change < tolerances.tol_obj, Status.CONVERGED_OBJECTIVE),
        (jnp.linalg.norm(gradient) < tolerances.tol_grad, Status.CONVERGED_GRADIENT),
        ((jnp.linalg.norm(moved) < tolerances.tol_param) & ~state.search.settles, Status.CONVERGED_PARAMETERS),
        (state.iteration + 1 >= tolerances.max_lbfgs_iters, Status.ITERATION_LIMIT),
        (change / largest < tolerances.tol_rel_obj, Status.CONVERGED_RELATIVE_OBJECTIVE),
        (
            (-slope / jnp.maximum(jnp.abs(f), 1.0) < tolerances.tol_rel_grad) & ~_is_leap(state, f),
            Status.CONVERGED_RELATIVE_GRADIENT,
        ),
    ]
    conditions, codes = zip(*tests, strict=True)
    return jnp.select(conditions, [jnp.int32(code) for code in codes], jnp.int32(Status.RUNNING))


def _is_leap(state: PathState, f) -> Bool[Array, ""]:
    """Whether a step changed the log density by about as much as there is of it."""
    largest = jnp.maximum(jnp.maximum(jnp.abs(state.f), jnp.abs(f)), 1.0)
    return jnp.abs(state.f - f) >= 0.5 * largest
