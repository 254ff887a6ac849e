"""Whether the states of chains reach as far as the density does, which no agreement of chains can tell.

For every parameter x with mean m, the mean of -(x - m) d log p / dx is 1: the virial theorem, or Stein's identity for
the function x - m (integrate p by parts). Where chains have not been, as in the neck of a funnel whose scales are
shorter than their steps, the parts of the integral beyond are missing, and the mean over the states is below 1. It is
known from the gradients that were paid for. Where a density is cut off, the integral has a term of the cut, and nothing
follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


# Of states that reach everywhere, if means of superchains are normal. They are skewed where states are few, so that one
# set in a hundred is doubted by chance; chains that are go on.
CHANCE = 0.003
LEAST_SHORTFALL = 0.1  # one that is smaller does not matter
MOST_OUTSIDE = 0.01  # part of the trajectories that end where there is no density, above which it is cut off


class Virial(NamedTuple):
    """Of every parameter, and of all together: the mean over the parameters.

    Args:
        mean: Over all states; NaN where the density is cut off.
        standard_error: By the means of superchains.
        is_short: Whether it is below 1 by more than chance.
    """

    mean: Float[np.ndarray, " quantity"]
    standard_error: Float[np.ndarray, " quantity"]
    is_short: np.ndarray


@dataclass
class VirialSums:
    """What the virial is made of: means over the chains of each superchain, by iteration.

    Args:
        origin: A point near the states.
        num_superchains: How many there are.
    """

    origin: Float[np.ndarray, " dim"]
    num_superchains: int
    _of_gradients: list[Float[np.ndarray, "superchain dim"]] = field(default_factory=list)
    _of_products: list[Float[np.ndarray, "superchain dim"]] = field(default_factory=list)
    _outside: list[float] = field(default_factory=list)

    def add(
        self,
        positions: Float[np.ndarray, "chain dim"],
        gradients: Float[np.ndarray, "chain dim"],
        outside: float,
        num_kept: int,
    ) -> None:
        """Add the states after an iteration, and let go of older ones.

        Args:
            positions: Of the chains, superchains one after another.
            gradients: Of the log density there.
            outside: Part of the trajectories that ended where there is no density.
            num_kept: How many iterations count.
        """
        gradients = np.asarray(gradients, np.float64)
        products = (positions - self.origin) * gradients
        shape = (self.num_superchains, -1, positions.shape[-1])
        self._of_gradients.append(gradients.reshape(shape).mean(axis=1))
        self._of_products.append(products.reshape(shape).mean(axis=1))
        self._outside.append(outside)
        for kept in (self._of_gradients, self._of_products, self._outside):
            del kept[:-num_kept]

    def virial(self, mean: Float[np.ndarray, " dim"]) -> Virial:
        """The virial about the mean of the states that count."""
        away = np.asarray(mean, np.float64) - self.origin
        own = away * np.mean(self._of_gradients, axis=0) - np.mean(self._of_products, axis=0)
        if np.mean(self._outside) > MOST_OUTSIDE:
            own = np.full_like(own, np.nan)
        return virial_of(own)


def virial_of(values: Float[np.ndarray, "superchain dim"]) -> Virial:
    """The virial from that of each superchain.

    Args:
        values: The means over the states of superchains.
    """
    from scipy.special import stdtrit  # loaded for those who have chains

    count = len(values)
    together = np.append(values, values.mean(axis=1, keepdims=True), axis=1)
    with np.errstate(invalid="ignore"):  # states that are not finite have none
        mean, error = together.mean(axis=0), together.std(axis=0, ddof=1) / np.sqrt(count)
    most = stdtrit(count - 1, 1.0 - CHANCE / together.shape[1])
    shortfall = 1.0 - mean
    return Virial(mean, error, (shortfall > LEAST_SHORTFALL) & (shortfall > most * error))
