"""One L-BFGS path as a state machine that evaluates the log density and gradient once per step.

A step takes the evaluation at its trial point, then either narrows the line search or accepts the point as the next
iterate. The user's density is therefore traced once, and under `vmap` no path waits for the line search of another.

The optimizer minimizes `f = -log density` with the tolerances of Stan's BFGS optimizer (Nocedal and Wright 2006,
algorithm 7.4), but that pairs without curvature are left out, and with nearly its line search (see `line_search`).
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from pathfinder._arrays.namespace import select
from pathfinder._normals.diagonals import update_secant_sums
from pathfinder._normals.inverse_hessian import Pairs, has_curvature, update_diagonal
from pathfinder._paths.direction import newest_pairs, two_loop
from pathfinder._paths.line_search import continue_search, first_trial, new_search
from pathfinder._paths.start import LONGEST_FIRST_MOVE, initial_point, noted
from pathfinder._paths.state import (
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


def propose_start(state: PathState) -> Float[Array, " dim"]:
    """Where a path is, or where it will try to start next."""
    return jnp.where(state.phase == STARTING, initial_point(state.start, state.num_gradients), state.position)


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

    tries = noted(state.tries, starting & moving, trial, log_density, score)
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
    # A pair without curvature would make the inverse Hessian indefinite, and the approximation no normal. The diagonal
    # is asked as well, because its squares overflow before the curvature does.
    curved = has_curvature(moved, change) & jnp.all(jnp.isfinite(diagonal) & (diagonal > 0))
    diagonal = jnp.where(curved, diagonal, state.diagonal)
    secant_sums = state.secant_sums
    if secant_sums is not None:
        secant_sums = select(curved, update_secant_sums(secant_sums, moved, change), secant_sums)
    row = jnp.where(curved & accepted, state.pairs_end, pairs.positions.shape[0])  # out of bounds: dropped
    pairs = Pairs(pairs.positions.at[row].set(moved, mode="drop"), pairs.gradients.at[row].set(change, mode="drop"))
    pairs_end = state.pairs_end + (curved & accepted).astype(jnp.int32)
    # A reset forgets the pairs for the direction, which they had led astray. Approximations keep them, as curvature
    # that was seen: `pairs_end` goes on.
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
