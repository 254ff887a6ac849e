"""The state of the paths of the optimizer, one in each lane, and what is recorded of their steps."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from pathfinder._arrays.namespace import (
    Array,
    finfo_eps,
    is_nowhere,
    jit_unless_numpy,
    namespace,
    norm,
    put,
    put_rows,
)
from pathfinder._normals.diagonals import SecantSums, secant_diagonal
from pathfinder._normals.inverse_hessian import Pairs
from pathfinder._optimizer.direction import newest_pairs
from pathfinder._optimizer.line_search import LineSearch, new_search
from pathfinder._optimizer.start import MAX_INIT_TRIES, Start, Tries
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
    def from_settings(cls, settings: Settings, dtype) -> Tolerances:
        """Tolerances in a dtype; relative ones are raised to what that dtype can resolve."""
        eps = finfo_eps(dtype)

        def number(value):
            return np.asarray(value, dtype)

        return cls(
            init_alpha=number(settings.init_alpha),
            tol_obj=number(settings.tol_obj),
            tol_rel_obj=number(max(settings.tol_rel_obj * STAN_EPS, 2 * eps)),
            tol_grad=number(settings.tol_grad),
            tol_rel_grad=number(max(settings.tol_rel_grad * STAN_EPS, 2 * eps)),
            tol_param=number(settings.tol_param),
            max_lbfgs_iters=np.asarray(settings.max_lbfgs_iters, np.int32),
            scale_by_diagonal=np.asarray(settings.scale_by_diagonal),
        )


class Trace(NamedTuple):
    """The accepted iterates of a chunk: row r holds a lane's r-th; rows from `PathState.num_recorded` on are unused."""

    position: Float[Array, "lane row dim"]
    gradient: Float[Array, "lane row dim"]  # of the negative log density
    diagonal: Float[Array, "lane row dim"]  # initial inverse Hessian of the approximation there
    secant: Float[Array, "lane row dim"] | None  # another one, if it is followed
    pairs_end: Int[Array, "lane row"]  # the newest pair of the approximation is row pairs_end - 1 of the pairs
    log_density: Float[Array, "lane row"]
    iteration: Int[Array, "lane row"]
    step_norm: Float[Array, "lane row"]
    gradient_norm: Float[Array, "lane row"]
    alpha: Float[Array, "lane row"]
    first_alpha: Float[Array, "lane row"]
    num_gradients: Int[Array, "lane row"]
    was_reset: Bool[Array, "lane row"]


class Records(NamedTuple):
    """What paths leave behind, written in place: the pairs that entered its history and its accepted iterates.

    The first `num_kept` rows of `pairs` hold the newest pairs of before the last `rewind`.
    """

    pairs: Pairs
    trace: Trace


class PathState(NamedTuple):
    """Where the path of every lane is."""

    phase: Int[Array, " lane"]
    status: Int[Array, " lane"]
    start: Start
    position: Float[Array, "lane dim"]
    gradient: Float[Array, "lane dim"]
    f: Float[Array, " lane"]
    direction: Float[Array, "lane dim"]
    search: LineSearch
    is_reset: Bool[Array, " lane"]  # the direction is steepest descent
    was_reset: Bool[Array, " lane"]  # because a line search along the L-BFGS direction failed
    iteration: Int[Array, " lane"]
    num_gradients: Int[Array, " lane"]
    tries: Tries
    diagonal: Float[Array, "lane dim"]
    secant_sums: SecantSums | None  # if they are followed
    pairs_end: Int[Array, " lane"]  # rows [pairs_end - num_kept, pairs_end) of the pairs are the newest
    num_pairs: Int[Array, " lane"]  # since the last reset, for the direction
    num_recorded: Int[Array, " lane"]


class Path(NamedTuple):
    """All of the path of every lane."""

    state: PathState
    records: Records


@jit_unless_numpy("num_kept", "num_rows", "follows_secant")
def init(start: Start, *, num_kept: int, num_rows: int, follows_secant: bool = False) -> Path:
    """Paths that have not been evaluated yet.

    Args:
        start: Where each may start.
        num_kept: Number of newest pairs that are kept, for directions and approximations.
        num_rows: Number of iterates that can be recorded before `rewind`.
        follows_secant: Whether to follow the diagonal of `secant_diagonal` as well.
    """
    xp = namespace(start)
    (lanes, dim), dtype = start.center.shape, start.center.dtype
    zero, nothing, no = xp.zeros(lanes, dtype), xp.zeros(lanes, xp.int32), xp.zeros(lanes, bool)
    vector = xp.zeros((lanes, dim), dtype)
    state = PathState(
        phase=xp.full_like(nothing, STARTING),
        status=xp.full_like(nothing, Status.RUNNING),
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
        tries=Tries(vector, xp.full_like(zero, -xp.inf), vector, nothing, xp.zeros((lanes, MAX_INIT_TRIES), bool)),
        diagonal=xp.ones_like(vector),
        secant_sums=SecantSums(vector, vector) if follows_secant else None,
        pairs_end=xp.full_like(nothing, num_kept),
        num_pairs=nothing,
        num_recorded=nothing,
    )
    row = _trace_rows(state, zero, zero, zero)
    trace = jax.tree_util.tree_map(lambda value: xp.zeros((lanes, num_rows, *value.shape[1:]), value.dtype), row)
    pairs = Pairs(*[xp.zeros((lanes, num_kept + num_rows, dim), dtype) for _ in range(2)])
    return Path(state, Records(pairs, trace))


def can_step(path: Path) -> Bool[Array, " lane"]:
    """Whether each path is neither done nor out of rows."""
    return (path.state.phase != DONE) & (path.state.num_recorded < path.records.trace.iteration.shape[1])


@jit_unless_numpy("num_kept", donate_argnames=("path",))
def rewind(path: Path, *, num_kept: int) -> Path:
    """Forget the recorded iterates, but for the pairs that later directions and approximations need."""
    xp = namespace(path)
    state, (pairs, trace) = path
    # Pairs move to the front once in a chunk; a ring buffer would put them in order again for every direction.
    newest = newest_pairs(pairs, state.pairs_end, num_kept)
    pairs = Pairs(*[put(table, np.s_[:, :num_kept], xp.array(part)) for table, part in zip(pairs, newest, strict=True)])
    state = state._replace(
        pairs_end=xp.full_like(state.pairs_end, num_kept), num_recorded=xp.zeros_like(state.num_recorded)
    )
    return Path(state, Records(pairs, trace))


@jit_unless_numpy("status")
def ended(path: Path, lanes: Bool[Array, " lane"], *, status: Status) -> Path:
    """With the paths of some lanes ended for a reason."""
    state = path.state
    xp = namespace(state.phase)
    phase = xp.where(lanes, xp.asarray(DONE, state.phase.dtype), state.phase)
    return path._replace(
        state=state._replace(phase=phase, status=xp.where(lanes, xp.asarray(status, phase.dtype), state.status))
    )


def record(path: Path, keep: Bool[Array, " lane"], before: PathState) -> Path:
    """Write the states as iterates in the lanes to `keep`; `before` are the states that they were reached from."""
    if is_nowhere(keep):
        return path
    state, (pairs, trace) = path
    step_norm = norm(state.position - before.position)
    values = _trace_rows(state, step_norm, before.search.step, before.search.first_step)
    values = values._replace(was_reset=before.was_reset)
    trace = put_rows(trace, state.num_recorded, values, keep)
    return Path(state._replace(num_recorded=state.num_recorded + keep.astype(np.int32)), Records(pairs, trace))


def _trace_rows(state: PathState, step_norm, alpha, first_alpha) -> Trace:
    """What is recorded of a state, without the axis of rows."""
    return Trace(
        position=state.position,
        gradient=state.gradient,
        diagonal=state.diagonal,
        secant=None if state.secant_sums is None else secant_diagonal(state.secant_sums, state.diagonal),
        pairs_end=state.pairs_end,
        log_density=-state.f,
        iteration=state.iteration,
        step_norm=step_norm,
        gradient_norm=norm(state.gradient),
        alpha=alpha,
        first_alpha=first_alpha,
        num_gradients=state.num_gradients,
        was_reset=state.was_reset,
    )
