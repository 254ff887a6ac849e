"""Refined fits of small densities."""

import jax
import jax.numpy as jnp
import numpy as np

import pathfinder
from pathfinder import Model


QUICK = {"progress": False, "num_draws": 300, "num_psis_draws": 300}


def refined(density, dim, **options):
    return pathfinder.fit(Model.from_log_density(density, np.zeros(dim)), **{"seed": 1, **QUICK, **options})


def two_modes(weight, separation, scale, dim=3):
    """A mixture of normals: N(-s, 1) with `weight`, and N(s, scale^2)."""

    def log_density(x):
        first = -0.5 * jnp.sum((x + separation) ** 2)
        second = -0.5 * jnp.sum(((x - separation) / scale) ** 2) - dim * np.log(scale)
        return jnp.logaddexp(np.log(weight) + first, np.log1p(-weight) + second)

    return log_density


def low_rank_target(dim, seed=0):
    """A normal with standard deviations from 0.1 to 10 and three wide directions."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(dim, 3)))[0]
    variances = np.array([1000.0, 100.0, 30.0])
    sd = 10 ** rng.uniform(-1, 1, dim)
    covariance_diagonal = sd**2 * (1 + basis**2 @ (variances - 1))

    def log_density(x):
        z = x / sd - 2.0
        along = z @ basis
        return -0.5 * (jnp.sum(z**2) - jnp.sum(along**2 * (1 - 1 / variances)))

    return log_density, 2.0 * sd, np.sqrt(covariance_diagonal)


def misleading(push, near=0.3, end=np.inf):
    """A standard normal that looks like exp(push x[0]) further than `near` from its mode, wherever a gradient is taken.

    Its value alone is right, and NaN from x[0] = `end` on.
    """

    @jax.custom_vjp
    def log_density(x):
        return jnp.where(x[0] < end, -0.5 * jnp.sum(x**2), jnp.nan)

    def forward(x):
        is_near = jnp.sum(x**2) < near**2
        return jnp.where(is_near, -0.5 * jnp.sum(x**2), push * x[0]), (x, is_near)

    def backward(seen, g):
        x, is_near = seen
        return (g * jnp.where(is_near, -x, jnp.zeros_like(x).at[0].set(push)),)

    log_density.defvjp(forward, backward)
    return log_density
