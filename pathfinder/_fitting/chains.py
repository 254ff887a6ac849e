"""Whether a fit goes on with short chains, and from where."""

from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import UInt32

from pathfinder._arrays.namespace import Array
from pathfinder._arrays.streams import host_generator
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._chains.run_chains import ChainOptions, run_chains
from pathfinder._chains.starts import choose_starts
from pathfinder._density.either import Density
from pathfinder._density.interrupt import Interrupt
from pathfinder._importance.fit_pool import FitPool
from pathfinder._importance.pool import weights_will_do
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._paths.outcomes import PathOutcomes
from pathfinder._settings import Settings, superchains


def chain_draws(
    density: Density,
    outcomes: PathOutcomes,
    weighted: FitPool,
    key: UInt32[Array, " 2"],
    settings: Settings,
    check: Callable[[], None],
) -> tuple[ChainDraws | None, bool]:
    """The states of short chains from the weighted draws of a fit, and whether an interrupt ended them early.

    There are none if the weights will do, or no chains are wanted, or an interrupt or the budget left too few.

    Args:
        density: What was fitted; one data set.
        outcomes: How its paths ended.
        weighted: Its draws.
        key: Key of the fit.
        settings: Options.
        check: As in `run_chains`.
    """
    if not settings.may_run_chains or (settings.chains == "auto" and weights_will_do(weighted.pool, settings)):
        return None, False
    shares = superchains(settings.num_chains)
    assert shares is not None  # checked with the settings
    options = ChainOptions(*shares, settings.max_chain_gradients, settings.num_psis_draws)
    pool, source = weighted.pool, weighted.source
    rows = choose_starts(pool.log_weights, options.num_superchains, host_generator(key, "starts of chains"))
    starts = np.empty((len(rows), density.dim), density.dtype)
    for which, positions in source.positions(pool.lanes[rows], pool.indices[rows]):
        starts[which] = positions
    whitening = _whitening(outcomes, weighted)
    try:
        found = run_chains(density, starts, rows, pool.paths[rows], whitening, key, options, check=check)
    except Interrupt:
        return None, True
    return found, found is not None and found.ended == "interrupted"


def _whitening(outcomes: PathOutcomes, weighted: FitPool) -> LowRankNormal:
    """The normal with the highest ELBO."""
    if weighted.refinement is not None:
        best = max(weighted.refinement.modes, key=lambda mode: np.nan_to_num(mode.elbo, nan=-np.inf))
        return jax.tree_util.tree_map(np.asarray, best.approximation)
    path = int(np.argmax(np.where(outcomes.best_iteration >= 0, outcomes.elbo, -np.inf)))
    return jax.tree_util.tree_map(lambda leaf: np.asarray(leaf[path]), outcomes.approximations)
