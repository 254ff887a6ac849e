"""Densities whose parameters are neighbours in a band, with what is known of them."""

import jax.numpy as jnp
import numpy as np

from pathfinder._density.host import HostDensity
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._pattern import Pattern
from pathfinder._refinement.banded.curvatures import PatternDensity
from pathfinder._refinement.history import RefinedLane
from tests.pathfinder.normals.test_bordered import random_normal


def in_pattern(log_density, pattern, dtype: type = np.float64, **options):
    """A density of JAX in the order of a pattern."""
    density = HostDensity(lambda x, data: log_density(x), pattern.dim, dtype, np.zeros(0))
    return PatternDensity(density, pattern, **options)


def normal_target(chain, width, border, seed=0):
    """A normal with random entries of its precision: log density, pattern, mean and precision."""
    normal, precision = random_normal(chain, width, border, seed)
    mean = np.asarray(normal.mean)

    def log_density(x):
        return -0.5 * (x - mean) @ precision @ (x - mean)

    return log_density, Pattern(np.asarray(normal.order), width, border), mean, precision


def scaled_chain(size):
    """A chain x ~ N(0, exp(s)) with y = x + N(0, 1), and s ~ N(0, 1) as its border; the marginal density of s, too."""
    data = 3.0 * np.random.default_rng(0).normal(size=size)

    def log_density(point):
        x, s = point[:size], point[size]
        return -0.5 * (jnp.sum((x / jnp.exp(s)) ** 2) + jnp.sum((data - x) ** 2) + s**2) - size * s

    def log_marginal(s):
        variance = 1.0 + jnp.exp(2 * s)
        return -0.5 * (jnp.sum(data**2) / variance + size * jnp.log(variance) + s**2)

    return log_density, Pattern(np.arange(size + 1), 0, 1), log_marginal


def lane_at(mean, scale=1.0):
    """The report of a refinement that begins with independent parameters."""
    dim = len(mean)
    normal = LowRankNormal(np.asarray(mean), np.full(dim, scale), np.zeros((dim, 1)), np.eye(1))
    return RefinedLane(0, normal, normal)
