"""Ascent of the ELBO of normals with independent coordinates, by L-BFGS on averages over fixed samples.

Where the scale of a group has collapsed, the density is a neck along which the ELBO hardly rises. Normals there are
narrow, and steps that follow the scores of their draws creep. L-BFGS on a function without noise walks through, and
widens as it goes. Each stage has a sample of its own; the best point is chosen by draws that no stage has seen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int, UInt32

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.namespace import Array, rows, select
from pathfinder._arrays.streams import counted_keys, draw_keys
from pathfinder._density.either import Density
from pathfinder._density.host import HostDensity
from pathfinder._density.work import OPERATIONS_OF_STAGE
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.normal import Normal
from pathfinder._optimizer.compiled_steps import advance
from pathfinder._optimizer.host_steps import advance_on_host
from pathfinder._optimizer.start import Start
from pathfinder._optimizer.state import Path, Tolerances, can_step, ended, init
from pathfinder._refinement.history import Cost
from pathfinder._refinement.judging import Judgement, judge
from pathfinder._refinement.sampled_elbo import Sample, balanced_noise, sampled_elbo
from pathfinder._settings import Settings
from pathfinder._status import Status


PAIRS_OF_DRAWS = 8
NUM_DRAWS = 2 * PAIRS_OF_DRAWS  # whose gradients one of the ELBO takes
BUDGET = 8000  # gradients of one lane, but for those of a few steps; fewer by the operations of all lanes of a fit
STAGE = 50  # iterations
HISTORY = 10
STEPS_AT_ONCE = 8  # between looks at the clock
JUDGING_DRAWS = 64
WORTHWHILE_STEP = 1e-3  # nats below which a step ends a stage
WORTHWHILE_STAGE = 0.5  # nats below which a stage that converged is the last one
NARROWER = float(np.log(4.0))  # of standard deviations, where a sample leaves the support
JUDGING = 2**20  # counter of the keys of draws that judge, beside the numbers of stages


def ascend(
    density: Density,
    normals: Normal,
    keys: UInt32[np.ndarray, "lane 2"],
    fits: Int[np.ndarray, " lane"],
    costs: list[Cost],
    check: Callable[[], None],
    *,
    size: int | None = None,
    num_sharing: Int[np.ndarray, " lane"] | None = None,
) -> tuple[LowRankNormal, Bool[np.ndarray, " lane"]]:
    """Ascend from normals, each on its own.

    Args:
        density: What to fit.
        normals: Where to begin; of their covariances the variances matter.
        keys: Key of each lane.
        fits: The fit that each is about.
        costs: Of each lane; evaluations are added as they are made.
        check: Called every few evaluations; ends all by raising `Interrupt`.
        size: How many lanes are computed, some of them repeated; as many as there are if None.
        num_sharing: How many lanes share the operations that each has; none with others if None.

    Returns:
        The best of each, normals with independent coordinates, and which might have risen further but for the budget.
    """
    num_lanes = len(fits)
    place = np.minimum(np.arange(size or num_lanes), num_lanes - 1)
    keys, fits = keys[place], fits[place]
    judging_keys = counted_keys(keys, np.full(len(keys), JUDGING))
    center, deviation = (np.asarray(part)[place] for part in (normals.mean, np.sqrt(normals.variance)))
    goes_on = np.arange(len(place)) < num_lanes
    points = np.zeros((len(place), 2 * density.dim), density.dtype)
    best, judgement, is_cut = points, Judgement.nothing(len(place)), np.zeros(len(place), bool)

    def normals_at(points: Float[np.ndarray, "lane twice"]) -> LowRankNormal:
        means, deviations = Sample(center, deviation, center[:, None]).normals(points)
        return independent(means, deviations)

    sharing = np.ones(num_lanes) if num_sharing is None else num_sharing
    budget, stage = np.minimum(BUDGET, OPERATIONS_OF_STAGE / (density.operations * sharing))[place], 0
    while goes_on.any():
        noise_keys = draw_keys(density.arrays(counted_keys(keys, np.full(len(keys), stage))), PAIRS_OF_DRAWS)
        noise = balanced_noise(noise_keys, dim=density.dim, dtype=np.dtype(density.dtype))
        objective = sampled_elbo(density, fits, Sample(density.arrays(center), density.arrays(deviation), noise))
        points, status = _climb(objective, points, goes_on, costs, (budget - _spent(costs)[place]) / NUM_DRAWS, check)
        started = status != Status.INITIALIZATION_FAILED
        newest = judge(density, normals_at(points), judging_keys, fits, JUDGING_DRAWS)
        for lane in np.flatnonzero(goes_on):
            costs[lane] = costs[lane]._replace(num_densities=costs[lane].num_densities + JUDGING_DRAWS)
        gained = newest.elbo > judgement.elbo + WORTHWHILE_STAGE
        is_best = goes_on & started & (newest.lower_end > judgement.lower_end)
        best, judgement = select(is_best, (points, newest), (best, judgement))
        converged = started & (status != Status.ITERATION_LIMIT) & (status != Status.RUNNING)
        goes_on &= gained | ~converged
        is_cut |= goes_on & (_spent(costs)[place] >= budget)
        goes_on &= ~is_cut
        # Narrower where not even the start is within the support at all draws.
        narrower = points - NARROWER * (np.arange(points.shape[1]) >= density.dim).astype(points.dtype)
        points = select(started, points, narrower)
        stage += 1
    return rows(normals_at(best), slice(num_lanes)), is_cut[:num_lanes]


def independent(means: Float[Array, "lane dim"], deviations: Float[Array, "lane dim"]) -> LowRankNormal:
    """Normals with independent coordinates, in the form with an empty basis."""
    num_lanes, dim = means.shape
    one = np.ones((num_lanes, 1, 1), means.dtype)
    return LowRankNormal(means, deviations, np.zeros((num_lanes, dim, 1), means.dtype), one)


def _climb(
    objective: Density,
    points: Float[np.ndarray, "lane twice"],
    goes_on: Bool[np.ndarray, " lane"],
    costs: list[Cost],
    most_steps: Float[np.ndarray, " lane"],
    check: Callable[[], None],
) -> tuple[Float[np.ndarray, "lane twice"], Int[np.ndarray, " lane"]]:
    """One stage: where the lanes that go on come to, and how they ended; costs are added, also by an interrupt.

    It ends when none can step, or all that can have made their most steps; these are said to be running.
    """
    num_lanes = len(points)
    tolerances = Tolerances.from_settings(Settings(max_lbfgs_iters=STAGE, tol_obj=WORTHWHILE_STEP), objective.dtype)
    start = Start(np.zeros((num_lanes, 2), np.uint32), points, np.zeros_like(points), np.ones(num_lanes, np.int32))
    paths = init(objective.arrays(start), num_kept=HISTORY, num_rows=STAGE + 1)
    paths = ended(paths, objective.arrays(~goes_on), status=Status.RUNNING)
    num_steps = np.zeros(num_lanes, np.int64)
    try:
        while (np.asarray(can_step(paths)) & (num_steps < most_steps)).any():
            check()
            paths = _advanced(paths, objective, tolerances)
            num_steps = np.asarray(paths.state.num_gradients)
    finally:
        for lane in np.flatnonzero(goes_on):
            spent = NUM_DRAWS * int(num_steps[lane])
            costs[lane] = costs[lane]._replace(num_gradients=costs[lane].num_gradients + spent)
    position, status = on_host((paths.state.position, paths.state.status))
    started = (status != Status.INITIALIZATION_FAILED) & goes_on
    return select(started, position, points), status


def _spent(costs: list[Cost]) -> Int[np.ndarray, " lane"]:
    return np.array([cost.num_gradients for cost in costs])


def _advanced(paths: Path, objective: Density, tolerances: Tolerances) -> Path:
    if isinstance(objective, HostDensity):
        lanes = np.arange(len(paths.state.phase))
        return advance_on_host(paths, objective, lanes, tolerances, STEPS_AT_ONCE, history_size=HISTORY)
    return advance(paths, objective, tolerances, np.int32(STEPS_AT_ONCE), history_size=HISTORY)
