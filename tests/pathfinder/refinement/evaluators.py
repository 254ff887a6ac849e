"""Densities of the host that remember where they were evaluated, and may give wrong gradients."""

import numpy as np

from pathfinder._arrays.streams import counted_keys, draw_keys, normal
from pathfinder._density.host import HostDensity


class Quartic:
    """-|x - mean|^2 / 2 - quartic sum (x - mean)^4, with a `quartic` for each fit.

    Args:
        quartic: How far from a normal each fit is.
        mean: Of all.
        spoilt: What becomes of gradients, given the number of the call.
    """

    def __init__(self, quartic, mean=0.0, spoilt=lambda call, gradients: gradients):
        self.quartic, self.mean, self.spoilt = np.atleast_1d(quartic), mean, spoilt
        self.calls = []  # positions

    def values(self, y, quartic):
        return -0.5 * np.sum(y**2, axis=-1) - quartic[..., 0] * np.sum(y**4, axis=-1)

    def gradients(self, y, quartic):
        return self.spoilt(len(self.calls), -y - 4 * quartic * y**3)

    def density(self, dim, num_fits=None, dtype=np.float64):
        return Plain(self, dim, dtype, num_fits=num_fits)


class Plain(HostDensity):
    """A density whose function takes arrays of NumPy, and gives gradients itself."""

    def values(self, positions, fits=None):
        return self.function.values(positions - self.function.mean, self._quartic(positions, fits))

    def values_and_gradients(self, positions, fits=None):
        y, quartic = positions - self.function.mean, self._quartic(positions, fits)
        gradients = self.function.gradients(y, quartic)
        self.function.calls.append(positions.reshape(-1, self.dim))
        return self.function.values(y, quartic), gradients

    def _quartic(self, positions, fits):
        quartic = self.function.quartic
        own = quartic[np.zeros(len(positions), int) if self.num_fits is None else fits]
        return own.reshape(-1, *[1] * (positions.ndim - 1))


def draws_of_round(approximation, key, number, count):
    """The draws that a round makes of a normal."""
    keys = draw_keys(counted_keys(key, np.array([number])), count)[0]
    return approximation.transform(normal(keys, approximation.dim, approximation.mean.dtype))
