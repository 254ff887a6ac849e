"""Refinement: normals that match the scores of the density, from the best path of each mode on.

A few hundred gradients at draws of the present approximation correct what five pairs of an L-BFGS path cannot know.
Each round draws a batch, evaluates the density with its gradient, and matches (`score_matching`): first boldly, until
a round changes little, then with steps that average over the remaining rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int, UInt32

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.namespace import Array, jit_unless_numpy, namespace, rows
from pathfinder._arrays.streams import Stream, path_keys
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._density.either import Density
from pathfinder._errors import Interrupt
from pathfinder._normals.low_rank import LowRankNormal, dense_form
from pathfinder._paths.outcomes import PathOutcomes
from pathfinder._refinement.dense_rounds import batch_size, refine_batch
from pathfinder._refinement.history import Cost, RefinedLane
from pathfinder._refinement.low_rank_rounds import low_rank_form, refine_low_rank
from pathfinder._refinement.modes import distinct_modes
from pathfinder._settings import Settings


LANES_PER_BATCH = 64
NUMBERS_ON_HOST = 2**16  # in the draws of the lanes that are refined together: these stay in the cache
# Fills in a lane: of a density, with a key, in so many rounds, between which it looks for an interrupt.
Refining = Callable[[Density, RefinedLane, Any, int, Callable[[], None]], None]

DENSE_LIMIT = 200  # dimensions up to which the covariance is a full matrix
# A mode whose ELBO is lower than the highest by more nats than an approximation from pairs can be off is not refined.
NEGLIGIBLE = 10.0
NEGLIGIBLE_PER_DIM = 2.0


def refine(
    density: Density,
    starts: LowRankNormal,
    paths: Int[np.ndarray, " lane"],
    keys: UInt32[Array, "lane 2"],
    fits: Int[np.ndarray, " lane"],
    worthwhile: Bool[np.ndarray, " lane"],
    max_rounds: int,
    *,
    check: Callable[[], None] = lambda: None,
    beyond_dense: Refining | None = None,
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
        beyond_dense: What refines a lane of more than `DENSE_LIMIT` dimensions; low-rank matching if None.

    Returns:
        The lanes, and whether they were ended early.
    """
    # One after another if they are modes of one fit: an interrupt leaves those alone that have not begun.
    together = density.num_fits is not None and density.dim <= DENSE_LIMIT
    is_compiled = namespace(keys) is not np
    at_once = max(1, NUMBERS_ON_HOST // (batch_size(density.dim) * density.dim))
    most = min(LANES_PER_BATCH if is_compiled else at_once, len(paths)) if together else 1
    size = most if is_compiled else None
    keys_of_lanes = np.asarray(keys)
    lanes = []
    for part in _parts(np.arange(len(paths)), most):
        place = part if size is None else part[np.minimum(np.arange(size), len(part) - 1)]
        normals = on_host(refinable(density.arrays(rows(starts, place))))
        for number, row in enumerate(part):
            normal = rows(normals, number)
            form = "dense" if density.dim <= DENSE_LIMIT else "low_rank"
            lanes.append(RefinedLane(int(paths[row]), normal, normal, form=form))
    try:
        for part in _parts(np.flatnonzero(worthwhile), most):
            own = [lanes[row] for row in part]
            if density.dim <= DENSE_LIMIT:
                refine_batch(density, own, keys_of_lanes[part], fits[part], max_rounds, check, size=size)
            else:
                refine_lane = beyond_dense or refine_low_rank
                refine_lane(density.of_fit(fits[part[0]]), own[0], keys_of_lanes[part[0]], max_rounds, check)
    except (Interrupt, KeyboardInterrupt):
        return lanes, True
    return lanes, False


def _parts(lanes: Int[np.ndarray, " lane"], size: int) -> list[Int[np.ndarray, " part"]]:
    """Parts of at most `size` lanes."""
    return [lanes[first : first + size] for first in range(0, len(lanes), size)]


@jit_unless_numpy()
def refinable(normals: LowRankNormal) -> LowRankNormal:
    """The same distributions, on the leading axis, in the form that refinement keeps."""
    dense = normals.mean.shape[-1] <= DENSE_LIMIT
    return over_lanes(dense_form if dense else low_rank_form)(normals)


def _beyond_dense(settings: Settings) -> Refining:
    """What refines lanes of many dimensions; loaded when there are any, as it needs SciPy."""
    from pathfinder._refinement.banded.choice import refine_beyond_dense

    return partial(refine_beyond_dense, settings=settings)


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
        num_densities = self.num_densities + sum(lane.num_densities for lane in self.lanes)
        return Cost(sum(lane.num_gradients for lane in self.lanes), num_densities)


def refine_modes(
    density: Density,
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
        starts = rows(outcomes.approximations, lanes)
        lane_keys = path_keys(keys[fits], paths, Stream.REFINEMENT)
        worthwhile = elbos[fits, paths] >= elbos.max(axis=1)[fits] - NEGLIGIBLE - NEGLIGIBLE_PER_DIM * density.dim
        refined, interrupted = refine(
            density, starts, paths, lane_keys, fits, worthwhile, settings.max_refine_rounds, check=check,
            beyond_dense=_beyond_dense(settings) if density.dim > DENSE_LIMIT else None,
        )  # fmt: skip
    except (Interrupt, KeyboardInterrupt):
        return [None] * num_fits, True
    own = [[refined[row] for row in np.flatnonzero(fits == fit)] for fit in range(num_fits)]
    return [RefinedFit(of_fit, num_densities // num_fits) if of_fit else None for of_fit in own], interrupted
