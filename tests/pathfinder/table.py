"""Five densities of one dimension that are one function of their number: what is compiled for one serves all.

Tests that want both drivers, or any fit whatever its density, take these with `SETTINGS`.
"""

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder import Model
from tests import problems


DIM = 6
SETTINGS = {"progress": False, "num_draws": 200, "num_psis_draws": 200, "max_lbfgs_iters": 200}


def half_space(x):
    """Not finite where a coordinate is negative: starts are rejected, and steps go back."""
    return jnp.sum(2.0 * jnp.log(x) - x**2)


def two_modes(x):
    """Two normals, six standard deviations apart."""
    return jnp.logaddexp(-0.5 * jnp.sum((x - 1.5) ** 2), -0.5 * jnp.sum((x + 1.5) ** 2) - 0.5)


DENSITIES = {
    "normal": problems.rotated_normal(DIM, 100.0).log_density,
    "logistic": problems.logistic_regression(DIM).log_density,
    "funnel": problems.funnel(DIM).log_density,
    "half space": half_space,
    "two modes": two_modes,
}


def numbered(x, data):
    """The density of a number."""
    return jax.lax.switch(data["number"], list(DENSITIES.values()), x)


def model(name):
    """One of the densities as a model."""
    data = {"number": np.int32(list(DENSITIES).index(name))}
    return Model.from_log_density(numbered, np.zeros(DIM), data=data, name=name.replace(" ", "_"))
