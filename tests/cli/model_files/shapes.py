"""Every shape of variables, in all three blocks."""

import jax
import jax.numpy as jnp
import numpyro.distributions as dist

from pathfinder import Model, constraints


def log_density(params):
    return sum(dist.Normal().log_prob(value).sum() for value in params.values())


def model(data):
    return Model.from_log_density(
        log_density,
        {"s": 0.0, "v": jnp.zeros(2), "m": jnp.zeros((2, 3)), "p": jnp.full(3, 1 / 3)},
        constraints={"p": constraints.simplex},
        transformed=lambda params: {"total": params["v"].sum(), "outer": params["v"][:, None] * params["v"]},
        generated=lambda key, params: {"z": jax.random.normal(key, (2,)), "n": jnp.array(3)},
    )
