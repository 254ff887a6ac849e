"""One refined fit on the way from its mixture to weighted draws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

import psis
from pathfinder._importance.components import MOST_ADAPTED, Component, Mixture, MixtureDraws, Positions, is_adaptable
from pathfinder._importance.coordinate_sizes import MOST_NUMBERS, CoordinateSizes, coordinate_sizes
from pathfinder._importance.path_draws import DrawSource, PathDraws
from pathfinder._importance.pool import (
    ADAPTED_OF_WANTED,
    ENOUGH_OF_WANTED,
    FEWEST_OF_WANTED,
    Pool,
    choice_power,
    least_reliable,
    log_ratios,
)
from pathfinder._importance.refinement import RefinedMode, Refinement
from pathfinder._normals.elbo import ElboEstimate
from pathfinder._refinement.refine import RefinedFit
from pathfinder._settings import Settings


LARGEST_ERROR = 1.0  # of a refined ELBO that counts as noise, in nats


class RefinedPool(NamedTuple):
    """The weighted draws of one refined fit.

    Args:
        pool: The draws.
        source: Where they come from.
        refinement: What was refined.
    """

    pool: Pool
    source: DrawSource
    refinement: Refinement


class Weighing:
    """The draws of one fit, which are weighed again with each distribution that is added.

    Args:
        mixture: Where they come from; draws of the refined normals are evaluated.
        refined: What was refined.
        elbo: ELBOs of the refined normals.
        settings: Options.
    """

    def __init__(self, mixture: Mixture, refined: RefinedFit, elbo: ElboEstimate, settings: Settings):
        self.mixture, self.elbo, self._settings = mixture, elbo, settings
        self._lanes = refined.lanes
        self._num_drawn = len(refined.lanes)  # components whose densities are evaluated here
        self._num_rounds = MOST_ADAPTED if is_adaptable(refined) else 0
        self._num_adapted = 0
        self._densities_before = refined.cost.num_densities
        self._uses_start = self._choose_starts()
        self._first: psis.PSISResult | None = None
        self._smoothed: psis.PSISResult | None = None
        self._sizes = CoordinateSizes()
        self._draws: MixtureDraws

    def _choose_starts(self) -> Bool[np.ndarray, " mode"]:
        """Whether the starting normal of each mode takes part: its ELBO was higher, it is kept, or by the setting."""
        initial_error = np.array([lane.initial_elbo_standard_error for lane in self._lanes])
        # A few draws with densities of nothing give an ELBO far below, and an error as large, which is no excuse.
        own_error = np.minimum(np.nan_to_num(self.elbo.standard_error), LARGEST_ERROR)
        error = np.hypot(own_error, np.nan_to_num(initial_error))
        was_better = self.elbo.mean < np.array([lane.initial_elbo for lane in self._lanes]) - 2 * error
        kept = np.array([lane.keeps_initial for lane in self._lanes])
        choices = {"auto": was_better | kept, "refined": np.zeros_like(was_better), "all": np.ones_like(was_better)}
        return choices[self._settings.proposal]

    def starts(self) -> list[Component]:
        """The starting normals that take part, whose draws are to be evaluated."""
        chosen = [self.mixture.starts[mode] for mode in np.flatnonzero(self._uses_start)]
        self._num_drawn += len(chosen)
        return chosen

    def ratios(self) -> Float[np.ndarray, " draw"]:
        """Log importance ratios of all draws so far."""
        self._draws = self.mixture.draws()
        return log_ratios(self._draws.log_p, self._draws.log_mixture)

    def take(self, smoothed: psis.PSISResult | None, positions: Positions) -> bool:
        """Take the weights of all draws so far.

        Args:
            smoothed: The weights; None if no draw is usable.
            positions: Gives the draws of a component.

        Returns:
            Whether to add distributions.
        """
        self._smoothed, self._first = smoothed, self._first or smoothed
        self._sizes = CoordinateSizes()
        if smoothed is None:
            return False
        can_adapt = self._num_adapted < self._num_rounds
        is_good = smoothed.pareto_k <= psis.pareto_k_threshold(len(smoothed.log_weights))
        wanted = self._settings.num_psis_draws
        if can_adapt and not (is_good and smoothed.effective_sample_size >= ENOUGH_OF_WANTED * wanted):
            return True
        self._sizes = self._sizes_by_coordinate(positions)
        fewest = least_reliable(len(self._draws.log_p), FEWEST_OF_WANTED)
        enough = np.all(self._sizes.of_means >= ADAPTED_OF_WANTED * wanted) and np.all(self._sizes.of_tails >= fewest)
        return bool(can_adapt and not enough)

    def _sizes_by_coordinate(self, positions: Positions) -> CoordinateSizes:
        """Effective sample sizes of the coordinates; empty if there are too many numbers to make again for them."""
        normal = self._lanes[0].approximation
        if len(self._draws.log_p) * normal.dim > MOST_NUMBERS:
            return CoordinateSizes()
        parts = [
            (own[which], points)
            for component, own in self.mixture.by_component(self._weights)
            if own.any()
            for which, points in positions(component)
        ]
        return coordinate_sizes(parts, *(np.asarray(part, np.float64) for part in (normal.mean, normal.scale)))

    def adapt(self, positions: Positions) -> list[Component]:
        """Add distributions with the moments of the weighted draws; their own draws are to be evaluated."""
        added = self.mixture.adapt(self._weights, self._num_adapted, positions)
        self._num_adapted += 1
        self._num_drawn += len(added)
        return added

    @property
    def num_densities(self) -> int:
        """Evaluations of the log density alone."""
        return self._densities_before + self._num_drawn * self._settings.num_draws

    def result(
        self, source: PathDraws, pareto_k: Float[np.ndarray, " mode"], initial_pareto_k: Float[np.ndarray, " mode"]
    ) -> RefinedPool | None:
        """The weighted draws, once no more distributions are added; None if no draw has a usable importance ratio.

        Args:
            source: Draws of the paths, for the sizes of batches.
            pareto_k: k-hat of the draws of every refined normal against it alone.
            initial_pareto_k: The same of those that it began with.
        """
        smoothed, first, draws = self._smoothed, self._first, self._draws
        if smoothed is None or first is None:
            return None
        shares = np.bincount(draws.modes, weights=self._weights, minlength=len(self._lanes))
        modes = tuple(
            RefinedMode(
                path=lane.path,
                approximation=lane.approximation,
                elbo=float(self.elbo.mean[mode]),
                elbo_standard_error=float(self.elbo.standard_error[mode]),
                initial_elbo=lane.initial_elbo,
                initial_elbo_standard_error=lane.initial_elbo_standard_error,
                pareto_k=float(pareto_k[mode]),
                initial_pareto_k=float(initial_pareto_k[mode]),
                elbos=tuple(lane.elbos),
                divergences=tuple(lane.divergences),
                num_undone=lane.num_undone,
                num_gradients=lane.num_gradients,
                uses_start=bool(self._uses_start[mode]),
                weight=float(shares[mode]),
                ended_by_budget=lane.ended_by_budget,
                form=lane.form,
                num_kept=len(lane.kept),
            )
            for mode, lane in enumerate(self._lanes)
        )
        size = float(smoothed.effective_sample_size)
        pool = Pool(
            paths=np.array([lane.path for lane in self._lanes])[draws.modes],
            lanes=draws.numbers,
            indices=draws.indices,
            log_p=draws.log_p,
            log_q=draws.log_q,
            log_proposal=draws.log_mixture,
            log_weights=smoothed.log_weights,
            pareto_k=float(smoothed.pareto_k),
            pareto_k_by_path=np.full(self._settings.num_paths, np.nan),
            effective_sample_size=size,
            num_invalid=int(smoothed.num_invalid),
            sizes_by_coordinate=self._sizes.of_means,
            weight_power=choice_power(smoothed, float(self._sizes.of_means.min(initial=size)), self._settings),
            tail_sizes_by_coordinate=self._sizes.of_tails,
        )
        before = float(first.pareto_k), float(first.effective_sample_size)
        refinement = Refinement(modes, self._num_adapted, *before, self.num_densities)
        return RefinedPool(pool, self.mixture.source(source), refinement)

    @property
    def _weights(self) -> Float[np.ndarray, " draw"]:
        assert self._smoothed is not None
        return np.exp(self._smoothed.log_weights)
