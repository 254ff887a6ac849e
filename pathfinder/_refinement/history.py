"""What became of one approximation that was refined."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt32

from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.normal import Normal


class Cost(NamedTuple):
    """Evaluations of the log density: with its gradient, and alone."""

    num_gradients: int = 0
    num_densities: int = 0


@dataclass
class RefinedLane:
    """What became of one starting approximation.

    Args:
        path: The path that it came from.
        initial: That approximation, in the form of the refined one.
        approximation: The refined normal; the same as `initial` until it is.
        elbos: ELBO estimates of the normal that each round began with; the first is the starting approximation's.
        elbo_standard_errors: Their Monte Carlo standard errors.
        divergences: Per dimension, the mean squared difference of the scores of the density and that normal, in its own
            metric: 0 where they agree.
        num_undone: Rounds that made things worse and were undone.
        num_gradients: Evaluations of the log density with its gradient; a product with the Hessian counts as two.
        num_densities: Evaluations of the log density alone.
        kept: Rounds whose draws are worth keeping, with the normal that they are from.
        first_draws: Log densities of the draws of the starting approximation.
        keeps_initial: Whether draws should come from `initial` too, because `approximation` was not reached from it by
            rounds, and there may be mass that only the one or the other covers.
        ended_by_budget: Whether the budget of evaluations ended its second refinement where it might have gone on.
        form: Of the covariance of `approximation`: "dense", "low_rank" or "banded".
    """

    path: int
    initial: LowRankNormal
    approximation: Normal
    elbos: list[float] = field(default_factory=list)
    elbo_standard_errors: list[float] = field(default_factory=list)
    divergences: list[float] = field(default_factory=list)
    num_undone: int = 0
    num_gradients: int = 0
    num_densities: int = 0
    kept: list[KeptRound] = field(default_factory=list)
    first_draws: tuple[np.ndarray, np.ndarray] | None = None
    keeps_initial: bool = False
    ended_by_budget: bool = False
    form: str = "low_rank"

    @property
    def initial_elbo(self) -> float:
        """ELBO of the starting approximation; NaN without a round."""
        return self.elbos[0] if self.elbos else np.nan

    @property
    def initial_elbo_standard_error(self) -> float:
        """Monte Carlo standard error of that."""
        return self.elbo_standard_errors[0] if self.elbos else np.nan

    def note(
        self,
        elbo: float,
        standard_error: float,
        divergence: float,
        num_gradients: int,
        log_p: Float[np.ndarray, " draw"],
        log_q: Float[np.ndarray, " draw"],
    ) -> None:
        """Add one round.

        Args:
            elbo: ELBO of the normal that it began with.
            standard_error: Monte Carlo standard error of that.
            divergence: Of the scores.
            num_gradients: Evaluations.
            log_p: Log density of its draws.
            log_q: The same under that normal.
        """
        self.elbos.append(elbo)
        self.elbo_standard_errors.append(standard_error)
        self.divergences.append(divergence)
        self.num_gradients += num_gradients
        if self.first_draws is None:
            self.first_draws = (log_p, log_q)


class KeptRound(NamedTuple):
    """Scored draws of one round, which are made again from the key.

    Args:
        normal: What they are drawn from.
        key: Key of the draws.
        log_p: Their log densities under the model.
        log_q: The same under the normals of all rounds that the lane keeps, if they are known.
    """

    normal: Normal
    key: UInt32[np.ndarray, " 2"]
    log_p: Float[np.ndarray, " draw"]
    log_q: Float[np.ndarray, "round draw"] | None = None
