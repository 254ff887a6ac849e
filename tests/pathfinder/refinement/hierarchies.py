"""A centred hierarchy, and a normal in the neck where its scale has collapsed."""

import jax.numpy as jnp
import numpy as np

from pathfinder._normals.low_rank import LowRankNormal


GROUPS, PER_GROUP = 24, 4
DIM = GROUPS + 2


def outcomes(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(rng.normal(5.0, 3.0, GROUPS)[:, None], 1.0, (GROUPS, PER_GROUP))


def hierarchy(x, data):
    """Groups around x[0] with the log standard deviation x[1], flat but for a wide prior on x[0]."""
    center, log_scale, groups = x[0], x[1], x[2:]
    within = jnp.sum((data - groups[:, None]) ** 2)
    around = jnp.sum((groups - center) ** 2) * jnp.exp(-2.0 * log_scale)
    return -0.5 * (within + around + (center / 100.0) ** 2) - (GROUPS - 1) * log_scale


def collapsed(data):
    """All groups at the mean of all, with a scale of a twentieth."""
    mean = np.full(DIM, np.mean(data))
    mean[1] = np.log(0.05)
    scale = np.full(DIM, 0.05)
    scale[:2] = 0.1
    return LowRankNormal(mean[None], scale[None], None, np.eye(DIM)[None])
