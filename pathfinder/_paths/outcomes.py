"""What comes of the paths of a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from pathfinder._arrays.namespace import rows
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._optimizer.start import Tries
from pathfinder._status import Status


class Iterations(NamedTuple):
    """What happened along one path: one row per accepted iterate."""

    iteration: Int[np.ndarray, " row"]
    log_density: Float[np.ndarray, " row"]
    step_norm: Float[np.ndarray, " row"]
    gradient_norm: Float[np.ndarray, " row"]
    alpha: Float[np.ndarray, " row"]
    first_alpha: Float[np.ndarray, " row"]
    num_gradients: Int[np.ndarray, " row"]
    was_reset: Bool[np.ndarray, " row"]
    elbo: Float[np.ndarray, " row"]
    elbo_standard_error: Float[np.ndarray, " row"]
    num_finite: Int[np.ndarray, " row"]


class Trajectory(NamedTuple):
    """Positions along one path with the approximations made there: one row per accepted iterate."""

    position: Float[np.ndarray, "row dim"]
    gradient: Float[np.ndarray, "row dim"]  # of the log density
    approximations: LowRankNormal  # with a leading axis of rows


@dataclass
class PathOutcomes:
    """How all lanes ended; lane f * num_paths + p is path p of fit f.

    Args:
        approximations: The best one of each lane, on the leading axis; NaN where there is none.
        status: `Status` of each lane.
        best_iteration: Iteration of the best approximation; -1 where there is none.
        elbo: Its ELBO, -inf where there is none.
        elbo_standard_error: Monte Carlo standard error of it.
        num_iterations: Accepted L-BFGS steps.
        num_gradients: Evaluations of the log density with its gradient.
        num_elbo_draws: Evaluations of the log density alone, for ELBOs.
        tries: Where each lane started, or the last point that it tried.
        num_rejected: How many points it tried in vain.
        iterations: A table for each lane.
        trajectories: If they were asked for.
        seconds: Time of the stages "paths" and "elbo".
        interrupted: Whether the paths, or their refinement, were ended early.
    """

    approximations: LowRankNormal
    status: Int[np.ndarray, " lane"]
    best_iteration: Int[np.ndarray, " lane"]
    elbo: Float[np.ndarray, " lane"]
    elbo_standard_error: Float[np.ndarray, " lane"]
    num_iterations: Int[np.ndarray, " lane"]
    num_gradients: Int[np.ndarray, " lane"]
    num_elbo_draws: Int[np.ndarray, " lane"]
    tries: Tries  # with a leading axis of lanes
    num_rejected: Int[np.ndarray, " lane"]
    iterations: list[Iterations]
    trajectories: list[Trajectory | None] | None
    seconds: dict[str, float]
    interrupted: bool

    def of_lanes(self, lanes: slice) -> PathOutcomes:
        """The outcomes of some of the lanes."""
        per_lane = {
            name: getattr(self, name)[lanes]
            for name in (
                "status", "best_iteration", "elbo", "elbo_standard_error", "num_iterations", "num_gradients",
                "num_elbo_draws", "num_rejected", "iterations",
            )
        }  # fmt: skip
        return PathOutcomes(
            approximations=rows(self.approximations, lanes),
            tries=rows(self.tries, lanes),
            trajectories=None if self.trajectories is None else self.trajectories[lanes],
            seconds=self.seconds,
            interrupted=self.interrupted,
            **per_lane,
        )


class PathReport(NamedTuple):
    """Progress of one lane, given to `report` after its iterates were scored."""

    lane: int
    initial_log_density: float  # at the last point tried, if none could be used
    rejected: Bool[np.ndarray, " point"]  # of points: whether only the gradient was not finite
    iterations: Iterations  # the new ones only
    status: Status
    best_iteration: int
    best_elbo: float


def concatenated(parts: list[Iterations]) -> Iterations:
    """A table from its parts."""
    if not parts:
        empty = np.zeros(0)
        return Iterations(*[empty] * len(Iterations._fields))
    return Iterations(*[np.concatenate(columns) for columns in zip(*parts, strict=True)])
