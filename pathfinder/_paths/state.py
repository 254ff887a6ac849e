"""The state of a path of the optimizer, and what is recorded of its steps."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from pathfinder._normals.diagonals import SecantSums, secant_diagonal
from pathfinder._normals.inverse_hessian import Pairs
from pathfinder._paths.direction import newest_pairs
from pathfinder._paths.line_search import LineSearch, new_search
from pathfinder._paths.start import MAX_INIT_TRIES, Start, Tries
from pathfinder._settings import Settings
from pathfinder._status import Status


STARTING, EXPANDING, ZOOMING, DONE = range(4)
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


def rewind(path: Path, num_kept: int) -> Path:
    """Forget the recorded iterates, but for the pairs that later directions and approximations need."""
    state, (pairs, trace) = path
    # Pairs move to the front once in a chunk; a ring buffer would put them in order again for every direction.
    newest = newest_pairs(pairs, state.pairs_end, num_kept)
    pairs = Pairs(*[rows.at[:num_kept].set(part) for rows, part in zip(pairs, newest, strict=True)])
    state = state._replace(
        pairs_end=jnp.full_like(state.pairs_end, num_kept), num_recorded=jnp.zeros_like(state.num_recorded)
    )
    return Path(state, Records(pairs, trace))


def record(path: Path, keep: Bool[Array, ""], before: PathState) -> Path:
    """Write the state as an iterate, if `keep`; `before` is the state that it was reached from."""
    state, (pairs, trace) = path
    # A row out of bounds is dropped. Choosing between the old and the new records would copy all of them at every step.
    row = jnp.where(keep, state.num_recorded, trace.iteration.shape[0])
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
