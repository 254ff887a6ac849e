"""Densities that chains are tested on, of both drivers."""

import jax.numpy as jnp
import numpy as np

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._normals.low_rank import LowRankNormal


class Called:
    """An evaluator of NumPy that counts the points it is asked for.

    Args:
        values_and_gradients: Function of points.
    """

    def __init__(self, values_and_gradients):
        self._both = values_and_gradients
        self.num_points = 0

    def values(self, positions, fits, data):
        return self._both(positions)[0]

    def values_and_gradients(self, positions, fits, data):
        self.num_points += len(positions)
        return self._both(positions)


def host(values_and_gradients, dim, dtype=np.float64):
    """A density of the host by its values and gradients."""
    return HostDensity(Called(values_and_gradients), dim, np.dtype(dtype))


COVARIANCE = np.array([[4.0, 1.2, 0.0], [1.2, 1.0, 0.3], [0.0, 0.3, 0.25]])
MEAN = np.array([1.0, -2.0, 30.0])


def normal_density(dtype=np.float64):
    """A correlated normal."""
    precision = np.linalg.inv(COVARIANCE).astype(dtype)

    def both(positions):
        away = positions - MEAN.astype(dtype)
        return -0.5 * np.sum(away @ precision * away, axis=-1), -away @ precision

    return host(both, 3, dtype)


def compiled_normal_density():
    """The same in JAX."""
    precision, mean = np.linalg.inv(COVARIANCE), MEAN

    def log_density(position, _):
        away = position - jnp.asarray(mean)
        return -0.5 * away @ jnp.asarray(precision) @ away

    return CompiledDensity(log_density, 3, np.dtype(np.float64))


def standard(dim, dtype=np.float64):
    """The standard normal, in the form of refined ones."""
    return LowRankNormal(np.zeros(dim, dtype), np.ones(dim, dtype), None, np.eye(dim, dtype=dtype))


def of_moments(mean, covariance):
    """The normal of a mean and a covariance."""
    return LowRankNormal(np.asarray(mean), np.ones(len(mean)), None, np.linalg.cholesky(covariance))
