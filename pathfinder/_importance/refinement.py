"""What refinement came to, as results show it."""

import dataclasses
from dataclasses import dataclass

from pathfinder._normals.normal import Normal


@dataclass(frozen=True)
class RefinedMode:
    """What refinement made of one mode of the density.

    Args:
        path: The path whose best approximation it started from.
        approximation: The refined normal approximation.
        elbo: Its ELBO, from the returned draws.
        elbo_standard_error: Monte Carlo standard error of that.
        initial_elbo: ELBO of the starting approximation, from the fresh draws of the first round; NaN if there was
            none, and the approximation is the starting one.
        initial_elbo_standard_error: Monte Carlo standard error of that.
        pareto_k: k-hat of the draws of the refined normal against it alone.
        initial_pareto_k: The same for the starting approximation, from the few draws of the first round.
        elbos: ELBO estimates of the normal that each round began with.
        divergences: Per dimension, the mean squared difference of the scores of the density and that normal, in its own
            metric: 0 where they agree.
        num_undone: Rounds that made things worse and were undone.
        num_gradients: Evaluations of the log density with its gradient.
        uses_start: Whether the starting approximation takes part in the mixture: because its ELBO was higher, or by
            the setting `proposal`.
        weight: Share of the importance weight that fell on the draws of this mode.
        ended_by_budget: Whether its second refinement, if there was one, was ended by its budget of evaluations, where
            it might have gone on.
        form: Of the covariance of the approximation: "dense", "low_rank" or "banded".
        num_kept: Normals whose draws joined the mixture too: of the last rounds, or of the chain at many borders.
    """

    path: int
    approximation: Normal = dataclasses.field(repr=False)
    elbo: float
    elbo_standard_error: float
    initial_elbo: float
    initial_elbo_standard_error: float
    pareto_k: float
    initial_pareto_k: float
    elbos: tuple[float, ...] = dataclasses.field(repr=False)
    divergences: tuple[float, ...] = dataclasses.field(repr=False)
    num_undone: int
    num_gradients: int
    uses_start: bool
    weight: float
    ended_by_budget: bool = False
    form: str = "dense"
    num_kept: int = 0

    @property
    def num_rounds(self) -> int:
        """Batches of gradients."""
        return len(self.elbos)


@dataclass(frozen=True)
class Refinement:
    """How the approximations of a fit were refined, and what the draws come from.

    Args:
        modes: One for each mode that the paths found.
        num_adapted: Rounds of adaptive importance sampling.
        pareto_k_before: k-hat before these.
        effective_sample_size_before: Effective sample size before these.
        num_densities: Evaluations of the log density alone, for draws and to tell modes apart.
    """

    modes: tuple[RefinedMode, ...]
    num_adapted: int
    pareto_k_before: float
    effective_sample_size_before: float
    num_densities: int

    @property
    def num_gradients(self) -> int:
        """Evaluations of the log density with its gradient."""
        return sum(mode.num_gradients for mode in self.modes)
