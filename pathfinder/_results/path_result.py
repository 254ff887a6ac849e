"""How the paths of a fit went, and the error if none has anything to draw from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._paths.outcomes import Iterations, Trajectory
from pathfinder._status import Status


@dataclass(frozen=True)
class PathResult:
    """How one path went.

    Args:
        status: How it ended; `status.message` says it in words.
        elbo: ELBO estimate of the best approximation along it; -inf if there is none.
        elbo_standard_error: Monte Carlo standard error of that estimate.
        best_iteration: L-BFGS iteration of the best approximation; -1 if there is none.
        num_iterations: L-BFGS iterations made.
        num_gradients: Evaluations of the log density with its gradient.
        num_densities: Evaluations of the log density alone, for ELBOs and draws.
        pareto_k: k-hat of its draws against its own approximation; NaN if there are none.
        weight: Share of the importance weight that fell on its draws.
        initial_log_density: Log density at the initial point; of a path that found none, at the last point tried.
        initial_position: That point, on the unconstrained scale.
        initial_gradient: Gradient of the log density there.
        num_tries: Points tried, that one included.
        approximation: The best approximation, or None if the path failed.
        iterations: Table of all iterations, with their ELBOs.
        trajectory: Positions, gradients and approximations of all iterations, if `save_trajectory` was set.
    """

    status: Status
    elbo: float
    elbo_standard_error: float
    best_iteration: int
    num_iterations: int
    num_gradients: int
    num_densities: int
    pareto_k: float
    weight: float
    initial_log_density: float
    initial_position: Float[np.ndarray, " dim"] = dataclasses.field(repr=False)
    initial_gradient: Float[np.ndarray, " dim"] = dataclasses.field(repr=False)
    num_tries: int
    approximation: LowRankNormal | None = dataclasses.field(repr=False)
    iterations: Iterations = dataclasses.field(repr=False)
    trajectory: Trajectory | None = dataclasses.field(repr=False)


class PathfinderError(RuntimeError):
    """No path produced a usable approximation.

    Args:
        message: What happened to each path, and what to try.
        statuses: Status of each path.
        reasons: What happened to each path, in words; by default what the status says.
    """

    def __init__(self, message: str, statuses: Sequence[Status], reasons: Sequence[str] | None = None):
        super().__init__(message)
        self.statuses = tuple(statuses)
        self.reasons = tuple([status.message for status in statuses] if reasons is None else reasons)
