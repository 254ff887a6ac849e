"""The compiled programs of the paths: moving all lanes on, and making approximations from what they leave."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, UInt32

from pathfinder._arrays.vectorized import over_lanes
from pathfinder._density.compiled import CompiledDensity
from pathfinder._normals.diagonals import scalar_diagonal
from pathfinder._normals.inverse_hessian import inverse_hessian_normal
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._paths.lbfgs import propose_start, step, trial_point
from pathfinder._paths.start import Start
from pathfinder._paths.state import DONE, STARTING, Path, Records, Tolerances, can_step, init, rewind
from pathfinder._status import Status


# Where the keys of other draws have the iteration. No iteration has this number, so the final draws of an approximation
# are independent of those by which it was chosen, whose ELBO is biased upwards for that very reason.
RACE = -1


@partial(jax.jit, static_argnames=("history_size",), donate_argnames=("paths",))
def advance(
    paths: Path,
    density: CompiledDensity,
    tolerances: Tolerances,
    max_steps: Int[Array, ""],
    *,
    history_size: int,
) -> Path:
    """Move every lane by up to `max_steps` evaluations, until none can step; lanes are ordered by fit."""

    def go_on(carry):
        num_steps, paths = carry
        return (num_steps < max_steps) & jnp.any(jax.vmap(can_step)(paths))

    def move(carry):
        num_steps, paths = carry
        # Only while a lane looks for its start are random numbers made.
        position = jax.lax.cond(
            jnp.any(paths.state.phase == STARTING),
            jax.vmap(propose_start),
            lambda state: state.position,
            paths.state,
        )
        paths = paths._replace(state=paths.state._replace(position=position))
        trials = jax.vmap(trial_point)(paths)
        log_densities, scores = density.values_and_gradients(trials)
        step_lanes = jax.vmap(step, in_axes=(0, 0, 0, 0, None, None))
        moved = step_lanes(paths, trials, log_densities.astype(trials.dtype), scores, tolerances, history_size)
        return num_steps + 1, moved

    return jax.lax.while_loop(go_on, move, (jnp.zeros((), jnp.int32), paths))[1]


@partial(jax.jit, static_argnames=("num_kept", "num_rows", "follows_secant"))
def start_lanes(
    starts: Start, unused: Bool[Array, " lane"], *, num_kept: int, num_rows: int, follows_secant: bool
) -> Path:
    """Lanes that have not been evaluated yet; those not in use are done."""
    paths = jax.vmap(lambda start: init(start, num_kept, num_rows, follows_secant))(starts)
    phase = jnp.where(unused, DONE, paths.state.phase)
    return paths._replace(state=paths.state._replace(phase=phase))


@jax.jit
def take(tree: Any, indices: Int[Array, " n"]) -> Any:
    """Some entries of the leading axis of every leaf."""
    return jax.tree_util.tree_map(lambda leaf: leaf[indices], tree)


@partial(jax.jit, static_argnames=("num_kept",), donate_argnames=("paths",))
def rewind_lanes(paths: Path, stalled: Bool[Array, " lane"], *, num_kept: int) -> Path:
    """Make room for the next iterates, and end the lanes whose ELBO has stalled."""
    paths = jax.vmap(lambda path: rewind(path, num_kept))(paths)
    phase = jnp.where(stalled, DONE, paths.state.phase)
    status = jnp.where(stalled, Status.ELBO_STALLED, paths.state.status).astype(paths.state.status.dtype)
    return paths._replace(state=paths.state._replace(phase=phase, status=status))


@partial(jax.jit, static_argnames=("history_size", "diagonals", "num_draws", "is_race"))
def build_lanes(
    records: Records,
    elbo_keys: UInt32[Array, "lane 2"],
    lanes: Int[Array, " batch"],
    rows: Int[Array, " batch"],
    candidates: Int[Array, " batch"],
    *,
    history_size: int,
    diagonals: tuple[str, ...],
    num_draws: int,
    is_race: bool,
) -> tuple[LowRankNormal, UInt32[Array, "batch draw 2"]]:
    """The approximations at recorded iterates, and the keys of the draws that estimate their ELBO.

    Args:
        records: Of all lanes.
        elbo_keys: Key of each lane.
        lanes: Lane of each iterate.
        rows: Its row in the records.
        candidates: Which of `diagonals` its approximation is built on.
        history_size: Number of pairs of an approximation.
        diagonals: Names of diagonals, see `BANKS`.
        num_draws: Draws for each ELBO.
        is_race: Whether all iterates of a lane share their random numbers.
    """

    def one(lane, row, candidate):
        trace = jax.tree_util.tree_map(lambda leaf: leaf[lane, row], records.trace)
        window = trace.pairs_end - history_size + jnp.arange(history_size, dtype=jnp.int32)
        pairs = jax.tree_util.tree_map(lambda leaf: leaf[lane, window], records.pairs)
        bank = {"gilbert": trace.diagonal, "secant": trace.secant, "scalar": scalar_diagonal(pairs)}
        chosen = [bank[name] for name in diagonals]
        diagonal = chosen[0] if len(chosen) == 1 else jnp.stack(chosen)[candidate]
        return inverse_hessian_normal(trace.position, trace.gradient, pairs, diagonal)

    # Candidates of one iterate have the same noise in any case, and in a race so do all iterates of a lane: differences
    # between ELBOs are what counts, and noise in common cancels from them.
    counters = jnp.full_like(lanes, RACE) if is_race else records.trace.iteration[lanes, rows]
    return over_lanes(one)(lanes, rows, candidates), elbo_draw_keys(elbo_keys, lanes, counters, num_draws=num_draws)


@partial(jax.jit, static_argnames=("num_draws",))
def elbo_draw_keys(
    elbo_keys: UInt32[Array, "lane 2"], lanes: Int[Array, " batch"], counters: Int[Array, " batch"], *, num_draws: int
) -> UInt32[Array, "batch draw 2"]:
    """The keys of the draws that estimate the ELBO of one iteration of each lane, or of the race if that is `RACE`."""

    def one(lane, counter):
        key = jax.random.fold_in(elbo_keys[lane], counter)
        return jax.vmap(lambda draw: jax.random.fold_in(key, draw))(jnp.arange(num_draws))

    return jax.vmap(one)(lanes, counters)
