"""A scale that is negative for half of the initial points."""

import jax.numpy as jnp
import numpyro.distributions as dist

from pathfinder import Model


def log_density(params):
    scale = jnp.where(params["x"] > 0, params["x"], jnp.nan)
    return dist.Normal(0.0, scale).log_prob(params["x"]) + dist.Normal().log_prob(params["b"]).sum()


def model(data):
    return Model.from_log_density(log_density, {"x": 0.0, "b": jnp.zeros(3)})
