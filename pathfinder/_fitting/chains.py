"""Whether a fit goes on with short chains, and from where."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.namespace import Array
from pathfinder._arrays.namespace import rows as rows_of
from pathfinder._arrays.streams import host_generator
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._chains.run_chains import ChainOptions, run_chains
from pathfinder._chains.starts import choose_starts
from pathfinder._density.either import Density
from pathfinder._density.interrupt import Interrupt
from pathfinder._importance.fit_pool import FitPool
from pathfinder._importance.path_draws import PathDraws
from pathfinder._importance.pool import weights_will_do
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.student_t import NormalOrT
from pathfinder._settings import Settings, superchains


def chain_draws(
    density: Density,
    weighted: FitPool,
    key: UInt32[Array, " 2"],
    settings: Settings,
    check: Callable[[], None],
    *,
    was_rescued: bool = False,
) -> tuple[ChainDraws | None, bool]:
    """The states of short chains from the weighted draws of a fit, and whether an interrupt ended them early.

    There are none if the weights will do, or no chains are wanted, or an interrupt or the budget left too few.

    Args:
        density: What was fitted; one data set.
        weighted: Its draws.
        key: Key of the fit.
        settings: Options.
        check: As in `run_chains`.
        was_rescued: Whether a second refinement was needed. Weights that will do after it may be those of a part of the
            mass that is all its normals cover; chains go where the others were.
    """
    in_doubt = was_rescued or not weights_will_do(weighted.pool, settings)
    if not settings.may_run_chains or (settings.chains == "auto" and not in_doubt):
        return None, False
    shares = superchains(settings.num_chains)
    assert shares is not None  # checked with the settings
    options = ChainOptions(*shares, settings.max_chain_gradients, settings.num_psis_draws)
    pool, source = weighted.pool, weighted.source
    rows = choose_starts(pool.log_weights, options.num_superchains, host_generator(key, "starts of chains"))
    starts = np.empty((len(rows), density.dim), density.dtype)
    for which, positions in source.positions(pool.lanes[rows], pool.indices[rows]):
        starts[which] = positions
    whitening = _whitening(source, pool.lanes[rows], starts)
    try:
        found = run_chains(density, starts, rows, pool.paths[rows], whitening, key, options, check=check)
    except Interrupt:
        return None, True
    return found, found is not None and found.ended == "interrupted"


def _whitening(
    source: PathDraws, lanes: Int[np.ndarray, " start"], starts: Float[np.ndarray, "start dim"]
) -> LowRankNormal:
    """Of the normals that starts came from, the one under which all of them are likeliest.

    That with the highest ELBO may be far narrower than the posterior.
    """
    proposals = source.approximations
    normals = proposals.normal if isinstance(proposals, NormalOrT) else proposals
    candidates = [on_host(rows_of(normals, int(lane))) for lane in np.unique(lanes)]
    with np.errstate(all="ignore"):
        scores = [np.mean(normal.log_density(starts), dtype=float) for normal in candidates]
    return candidates[int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))]
