"""The mode of the chain given its border, by Newton's method with a banded factor, for many borders at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pathfinder._refinement.banded.chain_factor import ChainFactor
from pathfinder._refinement.banded.curvatures import Expansions, PatternDensity


MOST_STEPS = 40
SHORTEST_STEP = 1e-3
SUFFICIENT_INCREASE = 1e-4


@dataclass
class ConditionalMode:
    """Where the log density is highest as a function of the chain alone.

    Args:
        point: The chain and its border.
        value: Log density.
        gradient: Gradient; that with respect to the chain is nearly 0.
        factor: Of the chain's negative Hessian.
    """

    point: Float[np.ndarray, " dim"]
    value: float
    gradient: Float[np.ndarray, " dim"]
    factor: ChainFactor

    @property
    def log_marginal(self) -> float:
        """Laplace's approximation of the log density with the chain integrated out, but for a constant."""
        return self.value - self.factor.log_det

    @property
    def is_proper(self) -> bool:
        """Whether the Hessian there is that of a maximum."""
        return bool(np.isfinite(self.value)) and not self.factor.is_mended


def conditional_modes(
    density: PatternDensity, points: Float[np.ndarray, "point dim"], tolerance: float
) -> list[ConditionalMode | None]:
    """Climb to the mode of the chain from each point, with the border as it is.

    Steps are halved until the density rises enough; where pivots of the Hessian are not positive, they are replaced.

    Args:
        density: The density in the order of its pattern.
        points: Where to begin.
        tolerance: In nats: how much higher the mode may be, as far as the Hessian tells.

    Returns:
        For each point the mode, or where the climb ended; None where there was no density to begin with.

    Raises:
        BudgetSpentError: If it would take too many evaluations.
    """
    climbs = [_Climb(mode) if mode is not None else None for mode in _modes_at(points, density.expansions(points))]
    going = [climb for climb in climbs if climb is not None and climb.promised > tolerance]
    for _ in range(MOST_STEPS):
        if not going:
            break
        trials = np.stack([climb.trial for climb in going])
        for climb, reached in zip(going, _modes_at(trials, density.expansions(trials)), strict=True):
            climb.take(reached)
        going = [climb for climb in going if climb.promised > tolerance and climb.length > SHORTEST_STEP]
    return [None if climb is None else climb.mode for climb in climbs]


class _Climb:
    """One point on its way, with Newton's step of the chain from where it is.

    Args:
        mode: Where it is.
    """

    def __init__(self, mode: ConditionalMode):
        self._stand_at(mode)

    def _stand_at(self, mode: ConditionalMode) -> None:
        self.mode, self.length = mode, 1.0
        half = mode.factor.solve_lower(mode.gradient[: len(mode.factor.band)])
        self.step = mode.factor.solve_upper(half)
        self.promised = float(half @ half)  # twice the rise of the density, if that is quadratic

    @property
    def trial(self) -> Float[np.ndarray, " dim"]:
        """Where the step leads."""
        point = self.mode.point.copy()
        point[: len(self.step)] += self.length * self.step
        return point

    def take(self, reached: ConditionalMode | None) -> None:
        """Go there if the density rises enough, else halve the step."""
        enough = self.mode.value + SUFFICIENT_INCREASE * self.length * self.promised
        if reached is not None and reached.value >= enough:
            self._stand_at(reached)
        else:
            self.length *= 0.5


def _modes_at(points: np.ndarray, expansions: Expansions) -> list[ConditionalMode | None]:
    return [
        ConditionalMode(point, float(value), gradient, ChainFactor(band, mends=True)) if np.isfinite(value) else None
        for point, value, gradient, band in zip(points, *expansions, strict=True)
    ]
