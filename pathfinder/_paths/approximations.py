"""The approximations at recorded iterates, and the keys of the draws that estimate their ELBO."""

from __future__ import annotations

from jaxtyping import Int, UInt32

from pathfinder._arrays.namespace import Array, jit_unless_numpy, namespace
from pathfinder._arrays.streams import draw_keys, fold_in
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._normals.diagonals import scalar_diagonal
from pathfinder._normals.inverse_hessian import Pairs, inverse_hessian_normal
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._optimizer.state import Records


# Where the keys of other draws have the iteration. No iteration has this number, so the final draws of an approximation
# are independent of those by which it was chosen, whose ELBO is biased upwards for that very reason.
RACE = -1


@jit_unless_numpy("history_size", "diagonals")
def build_lanes(
    records: Records,
    lanes: Int[Array, " batch"],
    rows: Int[Array, " batch"],
    candidates: Int[Array, " batch"],
    *,
    history_size: int,
    diagonals: tuple[str, ...],
) -> LowRankNormal:
    """The approximations at recorded iterates.

    Args:
        records: Of all lanes.
        lanes: Lane of each iterate.
        rows: Its row in the records.
        candidates: Which of `diagonals` its approximation is built on.
        history_size: Number of pairs of an approximation.
        diagonals: Names of diagonals, see `BANKS`.
    """
    xp, trace = namespace(records), records.trace
    pairs_end = trace.pairs_end[lanes, rows]
    window = pairs_end[:, None] - history_size + xp.arange(history_size, dtype=pairs_end.dtype)[None, :]
    pairs = Pairs(*[part[lanes[:, None], window] for part in records.pairs])
    bank = {"gilbert": trace.diagonal, "secant": trace.secant}
    chosen = [scalar_diagonal(pairs) if name == "scalar" else bank[name][lanes, rows] for name in diagonals]
    diagonal = chosen[0] if len(chosen) == 1 else xp.stack(chosen)[candidates, xp.arange(len(lanes))]
    return over_lanes(inverse_hessian_normal)(trace.position[lanes, rows], trace.gradient[lanes, rows], pairs, diagonal)


@jit_unless_numpy("num_draws")
def elbo_draw_keys(
    elbo_keys: UInt32[Array, "batch 2"], counters: Int[Array, " batch"], *, num_draws: int
) -> UInt32[Array, "batch draw 2"]:
    """The keys of the draws that estimate an ELBO, from the key of the path.

    Args:
        elbo_keys: Keys of the paths.
        counters: The iteration that each is about, or `RACE` for the draws that all of a path have in common:
            differences between ELBOs are what counts in a race, and noise in common cancels from them.
        num_draws: Draws for each ELBO.
    """
    return draw_keys(fold_in(elbo_keys, counters), num_draws)
