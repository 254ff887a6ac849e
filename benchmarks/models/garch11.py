"""Generalized autoregressive conditional heteroscedasticity of order (1, 1); flat on its support.

The share `beta1_share` of the interval (0, 1 - alpha1) takes the place of beta1, whose upper bound depends on alpha1.
"""

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax

import pathfinder


def persistence(params, data):
    return {"beta1": (1 - params["alpha1"]) * params["beta1_share"]}


def variances(params, data):
    """The conditional variances sig[1]^2, ..., sig[T]^2."""
    beta1 = persistence(params, data)["beta1"]
    shocks = params["alpha0"] + params["alpha1"] * (data["y"][:-1] - params["mu"]) ** 2
    first = data["sigma1"] ** 2

    def step(variance, shock):
        variance = shock + beta1 * variance
        return variance, variance

    return jnp.concatenate([first[None], lax.scan(step, first, shocks)[1]])


def log_density(params, data):
    log_jacobian = jnp.log1p(-params["alpha1"])  # of beta1 with respect to its share
    volatilities = jnp.sqrt(variances(params, data))
    return dist.Normal(params["mu"], volatilities).log_prob(data["y"]).sum() + log_jacobian


def model(data):
    return pathfinder.Model.from_log_density(
        log_density,
        {"mu": 0.0, "alpha0": 1.0, "alpha1": 0.5, "beta1_share": 0.5},
        constraints={
            "alpha0": pathfinder.constraints.positive,
            "alpha1": pathfinder.constraints.unit_interval,
            "beta1_share": pathfinder.constraints.unit_interval,
        },
        data={"y": np.asarray(data["y"], float), "sigma1": np.asarray(data["sigma1"], float)},
        transformed=persistence,
        name="garch11",
    )
