"""L-BFGS paths as a state machine that evaluates the log density and gradient of every lane once per step.

A step takes the evaluation at its trial point, then either narrows the line search or accepts the point as the next
iterate. The user's density is therefore traced once, and no path waits for the line search of another.

The optimizer minimizes `f = -log density` with the tolerances of Stan's BFGS optimizer (Nocedal and Wright 2006,
algorithm 7.4), but that pairs without curvature are left out, and with nearly its line search (see `line_search`).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from pathfinder._arrays.namespace import Array, either, namespace, norm, select
from pathfinder._normals.diagonals import update_secant_sums
from pathfinder._normals.inverse_hessian import Pairs, has_curvature, update_diagonal
from pathfinder._optimizer.chosen import Chosen
from pathfinder._optimizer.direction import newest_pairs, two_loop
from pathfinder._optimizer.line_search import Evaluation, continue_search, first_trial, judged, new_search
from pathfinder._optimizer.start import LONGEST_FIRST_MOVE, noted, tried_points
from pathfinder._optimizer.state import (
    DONE,
    EXPANDING,
    STARTING,
    ZOOMING,
    Path,
    PathState,
    Records,
    Tolerances,
    can_step,
    record,
)
from pathfinder._status import Status


# What Stan's tests of convergence find, in Stan's order.
_TERMINATIONS = [
    np.array(status, np.int32)
    for status in (
        Status.CONVERGED_OBJECTIVE,
        Status.CONVERGED_GRADIENT,
        Status.CONVERGED_PARAMETERS,
        Status.ITERATION_LIMIT,
        Status.CONVERGED_RELATIVE_OBJECTIVE,
        Status.CONVERGED_RELATIVE_GRADIENT,
    )
]


_RUNNING = np.array(Status.RUNNING, np.int32)
_EXPANDING, _ZOOMING, _DONE = (np.array(phase, np.int32) for phase in (EXPANDING, ZOOMING, DONE))


def propose_start(state: PathState) -> Float[Array, "lane dim"]:
    """Where each path is, or where it will try to start next."""
    starting = state.phase == STARTING
    return either(starting, lambda: tried_points(state.start, state.num_gradients), lambda: state.position)


def trial_point(path: Path) -> Float[Array, "lane dim"]:
    """Where the next step needs the log density and its gradient."""
    state = path.state
    moved = state.position + state.search.step[:, None] * state.direction
    return select(state.phase == STARTING, state.position, moved)


def step(
    path: Path,
    trial: Float[Array, "lane dim"],
    log_density: Float[Array, " lane"],
    score: Float[Array, "lane dim"],
    tolerances: Tolerances,
    history_size: int,
) -> Path:
    """Move on, given the log density and its gradient at the trial points; a path that cannot step stays as it is."""
    xp = namespace(trial)
    before, (pairs, trace) = path
    moving = can_step(path)
    f, gradient = -log_density, -score
    # A gradient whose squared norm overflows is no use either: no slope can be told from it.
    finite = xp.isfinite(f) & xp.isfinite(xp.vecdot(gradient, gradient))
    # Unused branches get harmless numbers instead of NaN.
    f, gradient = either(
        finite, lambda: (f, gradient), lambda: (xp.zeros(f.shape, f.dtype), xp.zeros(gradient.shape, f.dtype))
    )
    state = before._replace(num_gradients=before.num_gradients + moving.astype(np.int32))
    stationary = starting = (before.phase == STARTING) & moving
    searching = moving & ~starting
    starts = Chosen(starting)
    if not starts.is_none:
        tries = noted(before.tries, starting, trial, log_density, score)
        started = _start(*starts.take((state._replace(tries=tries), trial, f, gradient, finite)), tolerances)
        state = starts.put(started, state)
        stationary = starting & (state.status == Status.STATIONARY_START)
    slope = xp.vecdot(gradient, before.direction)
    evaluation = Evaluation(before.phase == ZOOMING, before.f, f, slope, finite)
    good, accepted = judged(before.search, evaluation)
    accepted &= searching
    searches = Chosen(searching & ~accepted)
    if not searches.is_none:
        state = searches.put(_search_on(*searches.take((state, good, evaluation)), tolerances), state)
    arrives = Chosen(accepted)
    if not arrives.is_none:
        state, pairs = accept(state, pairs, arrives, trial, f, gradient, tolerances, history_size)
    return record(Path(state, Records(pairs, trace)), accepted | stationary, before)


def _search_on(
    state: PathState, good: Bool[Array, " lane"], evaluation: Evaluation, tolerances: Tolerances
) -> PathState:
    """The next trial of line searches that go on, or what follows one that has failed."""
    search, failed, zooms = continue_search(state.search, good, evaluation)
    phase = namespace(zooms).where(zooms, _ZOOMING, _EXPANDING)
    return either(failed, lambda: _retry(state, tolerances), lambda: state._replace(search=search, phase=phase))


def _start(state: PathState, trial, f, gradient, finite, tolerances: Tolerances) -> PathState:
    """Take the point as the start of the path if the density is finite there, else try the next one."""
    xp = namespace(f)
    exhausted = ~finite & (state.num_gradients >= state.start.max_tries)
    stationary = finite & (norm(gradient) <= tolerances.tol_grad)
    ended = exhausted | stationary
    status = xp.where(stationary, Status.STATIONARY_START, Status.RUNNING)
    taken = state._replace(
        position=trial,
        f=f,
        gradient=gradient,
        phase=xp.where(ended, DONE, xp.where(finite, EXPANDING, STARTING)).astype(np.int32),
        status=xp.where(exhausted, Status.INITIALIZATION_FAILED, status).astype(np.int32),
    )
    return _steepest_descent(taken, tolerances.init_alpha)


def _steepest_descent(state: PathState, first_step) -> PathState:
    xp = namespace(state.f)
    direction = -state.gradient
    # A gradient of 1e100 would throw the first trial so far out that no retreat finds back.
    longest = xp.max(xp.abs(direction), axis=-1)
    first_step = xp.minimum(first_step, LONGEST_FIRST_MOVE / xp.where(longest > 0, longest, 1.0))
    search = new_search(state.f, xp.vecdot(state.gradient, direction), first_step)
    goes_on = (state.phase != DONE) & (state.phase != STARTING)
    return state._replace(
        direction=direction,
        search=search,
        is_reset=xp.ones_like(state.is_reset),
        num_pairs=xp.zeros_like(state.num_pairs),
        phase=xp.where(goes_on, EXPANDING, state.phase).astype(np.int32),
    )


def _retry(state: PathState, tolerances: Tolerances) -> PathState:
    """After a failed line search: once more along the gradient, or the end."""
    xp = namespace(state.f)
    ended = xp.where(state.iteration == 0, Status.LINE_SEARCH_FAILED_AT_START, Status.LINE_SEARCH_FAILED)
    over = state._replace(phase=xp.full_like(state.phase, DONE), status=ended.astype(np.int32))
    again = _steepest_descent(state, tolerances.init_alpha)._replace(
        phase=xp.full_like(state.phase, EXPANDING), was_reset=xp.ones_like(state.was_reset)
    )
    return select(state.is_reset, over, again)


def accept(
    paths: PathState, pairs: Pairs, lanes: Chosen, position, f, gradient, tolerances: Tolerances, history_size: int
) -> tuple[PathState, Pairs]:
    """Move some lanes to points: pairs, diagonal, tolerances, next direction."""
    xp = namespace(f)
    state, position, f, gradient = lanes.take((paths, position, f, gradient))
    change = gradient - state.gradient
    moved = position - state.position
    diagonal = update_diagonal(state.diagonal, moved, change)
    # A pair without curvature would make the inverse Hessian indefinite, and the approximation no normal. The diagonal
    # is asked as well, because its squares overflow before the curvature does.
    curved = has_curvature(moved, change) & ((diagonal > 0) & (diagonal < np.inf)).all(axis=-1)
    diagonal = select(curved, diagonal, state.diagonal)
    secant_sums = state.secant_sums
    if secant_sums is not None:
        secant_sums = select(curved, update_secant_sums(secant_sums, moved, change), secant_sums)
    pairs = lanes.put_rows(pairs, state.pairs_end, Pairs(moved, change), curved)
    enters = curved.astype(np.int32)
    pairs_end = state.pairs_end + enters
    # A reset forgets the pairs for the direction, which they had led astray. Approximations keep them, as curvature
    # that was seen: `pairs_end` goes on.
    num_pairs = xp.minimum(xp.where(state.is_reset, 0, state.num_pairs) + enters, history_size)

    initial = either(tolerances.scale_by_diagonal, lambda: diagonal, lambda: xp.ones(diagonal.shape, diagonal.dtype))
    direction = two_loop(newest_pairs(pairs, pairs_end, history_size, lanes), num_pairs, initial, gradient)
    slope = xp.vecdot(direction, gradient)
    # Whether the step changed the log density by about as much as there is of it.
    f_change = f - state.f
    largest = xp.maximum(xp.maximum(xp.abs(state.f), xp.abs(f)), 1.0)
    leaps = xp.abs(f_change) >= 0.5 * largest
    decrement_is_small = -slope / xp.maximum(xp.abs(f), 1.0) < tolerances.tol_rel_grad
    status = _termination(state, moved, f_change, gradient, largest, decrement_is_small & ~leaps, tolerances)
    last_slope = xp.vecdot(gradient, state.direction)
    first_step = first_trial(state.search, state.is_reset, f_change, last_slope, moved, change)
    iterated = state._replace(
        phase=xp.where(status == _RUNNING, _EXPANDING, _DONE),
        status=status,
        position=position,
        gradient=gradient,
        f=f,
        direction=direction,
        search=new_search(f, slope, first_step),
        is_reset=xp.zeros(f.shape, bool),
        was_reset=xp.zeros(f.shape, bool),
        iteration=state.iteration + 1,
        diagonal=diagonal,
        secant_sums=secant_sums,
        pairs_end=pairs_end,
        num_pairs=num_pairs,
    )
    # After a leap from where the density falls like exp(x) the pair says that everything is minute: its direction leads
    # nowhere, and would take twenty trials to find that out.
    descends = xp.isfinite(slope) & (slope < 0) & ~(leaps & decrement_is_small)
    arrived = either(descends, lambda: iterated, lambda: _steepest_descent(iterated, tolerances.init_alpha))
    return lanes.put(arrived, paths), pairs


def _termination(
    state: PathState, moved, f_change, gradient, largest_f, has_small_decrement, tolerances: Tolerances
) -> Int[Array, " lane"]:
    """The first of Stan's tests that holds, in Stan's order.

    Args:
        state: The states before the step.
        moved: The step.
        f_change: What it changed of the objective.
        gradient: The gradient after it.
        largest_f: The larger absolute value of the objective before and after, at least 1.
        has_small_decrement: Whether g'Hg with the new inverse Hessian H is small, and that says something.
        tolerances: When paths end.
    """
    xp = namespace(gradient)
    settles = state.search.settles
    # A step that a failed search has settled for says nothing about convergence.
    change = xp.where(settles, xp.inf, xp.abs(f_change))
    in_order = [
        change < tolerances.tol_obj,
        norm(gradient) < tolerances.tol_grad,
        (norm(moved) < tolerances.tol_param) & ~settles,
        state.iteration + 1 >= tolerances.max_lbfgs_iters,
        change / largest_f < tolerances.tol_rel_obj,
        has_small_decrement,
    ]
    status = xp.full(settles.shape, Status.RUNNING, np.int32)
    for holds, code in zip(reversed(in_order), reversed(_TERMINATIONS), strict=True):
        status = xp.where(holds, code, status)
    return status
