"""A density without a maximum."""

import jax.numpy as jnp
import numpyro.distributions as dist

from pathfinder import Model


def log_density(params):
    return params["x"] + dist.Normal().log_prob(params["y"]).sum()


def model(data):
    return Model.from_log_density(log_density, {"x": 0.0, "y": jnp.zeros(2)})
