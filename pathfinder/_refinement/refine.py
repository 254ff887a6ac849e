"""Refinement: normals that match the scores of the density, from the best path of each mode on.

A few hundred gradients at draws of the present approximation correct what five pairs of an L-BFGS path cannot know.
Each round draws a batch, evaluates the density with its gradient, and matches (`score_matching`): first boldly, until
a round changes little, then with steps that average over the remaining rounds.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Int, UInt32

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.streams import Stream, path_keys
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.interrupt import Interrupt
from pathfinder._normals.low_rank import LowRankNormal, dense_form
from pathfinder._paths.outcomes import PathOutcomes
from pathfinder._refinement.dense_rounds import LANES_PER_BATCH, refine_batch
from pathfinder._refinement.history import Cost, RefinedLane
from pathfinder._refinement.low_rank_rounds import low_rank_form, refine_low_rank
from pathfinder._refinement.modes import distinct_modes
from pathfinder._settings import Settings


DENSE_LIMIT = 200  # dimensions up to which the covariance is a full matrix
# A mode whose ELBO is lower than the highest by more nats than an approximation from pairs can be off is not refined.
NEGLIGIBLE = 10.0
NEGLIGIBLE_PER_DIM = 2.0


def refine(
    density: CompiledDensity,
    starts: LowRankNormal,
    paths: Int[np.ndarray, " lane"],
    keys: UInt32[Array, "lane 2"],
    fits: Int[np.ndarray, " lane"],
    worthwhile: Bool[np.ndarray, " lane"],
    max_rounds: int,
    *,
    check: Callable[[], None] = lambda: None,
) -> tuple[list[RefinedLane], bool]:
    """Refine approximations, each on its own.

    Args:
        density: What to fit.
        starts: Starting approximations, on the leading axis.
        paths: The path that each comes from.
        keys: Key of each lane.
        fits: The fit that each is about.
        worthwhile: Which ones to refine; the others are left as they are.
        max_rounds: Most rounds of each.
        check: Called between rounds; ends all by raising `Interrupt`, with what they have come to.

    Returns:
        The lanes, and whether they were ended early.
    """
    most = min(LANES_PER_BATCH, len(paths)) if density.num_fits is not None and density.dim <= DENSE_LIMIT else 1
    lanes = []
    for used, rows in _batches(np.arange(len(paths)), most):
        normals = on_host(refinable(jax.tree_util.tree_map(lambda leaf, own=rows: leaf[own], starts)))
        for place, row in enumerate(used):
            normal = jax.tree_util.tree_map(lambda leaf, i=place: leaf[i], normals)
            lanes.append(RefinedLane(int(paths[row]), normal, normal))
    try:
        for used, rows in _batches(np.flatnonzero(worthwhile), most):
            own = [lanes[row] for row in used]
            if density.dim <= DENSE_LIMIT:
                refine_batch(density, own, keys[rows], fits[rows], max_rounds, check)
            else:
                refine_low_rank(density.of_fit(fits[rows[0]]), own[0], keys[rows[0]], max_rounds, check)
    except (Interrupt, KeyboardInterrupt):
        return lanes, True
    return lanes, False


def _batches(rows: Int[np.ndarray, " row"], size: int):
    """Parts of at most `size` rows, and the same filled up to that size by repeating the last."""
    for first in range(0, len(rows), size):
        yield rows[first : first + size], rows[np.minimum(np.arange(first, first + size), len(rows) - 1)]


@jax.jit
def refinable(normals: LowRankNormal) -> LowRankNormal:
    """The same distributions, on the leading axis, in the form that refinement keeps."""
    dense = normals.mean.shape[-1] <= DENSE_LIMIT
    return over_lanes(dense_form if dense else low_rank_form)(normals)


class RefinedFit(NamedTuple):
    """The refined modes of one fit.

    Args:
        lanes: One for each mode.
        num_densities: Evaluations of the log density to tell modes apart.
    """

    lanes: list[RefinedLane]
    num_densities: int

    @property
    def cost(self) -> Cost:
        """Evaluations so far."""
        return Cost(sum(lane.num_gradients for lane in self.lanes), self.num_densities)


def refine_modes(
    density: CompiledDensity,
    outcomes: PathOutcomes,
    keys: UInt32[Array, "fit 2"],
    settings: Settings,
    *,
    check: Callable[[], None] = lambda: None,
) -> tuple[list[RefinedFit | None], bool]:
    """Refine the best approximation of each mode of every fit that can have a share of the mass.

    Args:
        density: What was fitted.
        outcomes: How the paths ended.
        keys: Key of each fit.
        settings: Options.
        check: As for `refine`.

    Returns:
        One entry per fit, None where no path succeeded or there was no time to tell modes apart; and whether the
        refinement was ended early.
    """
    num_fits = density.num_fits or 1
    elbos = np.where(outcomes.best_iteration >= 0, outcomes.elbo, -np.inf).reshape(num_fits, -1)
    means = outcomes.approximations.mean.reshape(*elbos.shape, -1)
    try:
        check()
        modes, num_densities = distinct_modes(density, means, elbos)
        fits = np.array([fit for fit, own in enumerate(modes) for _ in own if np.any(elbos[fit] > -np.inf)])
        paths = np.array([path for fit, own in enumerate(modes) for path in own if np.any(elbos[fit] > -np.inf)])
        if len(fits) == 0:
            return [None] * num_fits, False
        lanes = fits * elbos.shape[1] + paths
        starts = jax.tree_util.tree_map(lambda leaf: leaf[lanes], outcomes.approximations)
        lane_keys = path_keys(keys[fits], paths, Stream.REFINEMENT)
        worthwhile = elbos[fits, paths] >= elbos.max(axis=1)[fits] - NEGLIGIBLE - NEGLIGIBLE_PER_DIM * density.dim
        refined, interrupted = refine(
            density, starts, paths, lane_keys, fits, worthwhile, settings.max_refine_rounds, check=check
        )
    except (Interrupt, KeyboardInterrupt):
        return [None] * num_fits, True
    own = [[refined[row] for row in np.flatnonzero(fits == fit)] for fit in range(num_fits)]
    return [RefinedFit(of_fit, num_densities // num_fits) if of_fit else None for of_fit in own], interrupted
