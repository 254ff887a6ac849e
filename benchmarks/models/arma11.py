"""Autoregressive moving average of order (1, 1)."""

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax import lax

import pathfinder


def prediction_errors(params, y):
    """The errors e[1], ..., e[T]; outside |theta| < 1 they may grow like theta^t."""
    mu, phi, theta = params["mu"], params["phi"], params["theta"]
    # At t = 1 the value before is taken to be mu, and the error before to be 0.
    autoregressive_errors = y - mu - phi * jnp.concatenate([mu[None], y[:-1]])

    def step(error, autoregressive_error):
        error = autoregressive_error - theta * error
        return error, error

    return lax.scan(step, jnp.zeros_like(mu), autoregressive_errors)[1]


def log_density(params, data):
    return (
        dist.Normal(0, 10).log_prob(params["mu"])
        + dist.Normal(0, 2).log_prob(params["phi"])
        + dist.Normal(0, 2).log_prob(params["theta"])
        + dist.Cauchy(0, 2.5).log_prob(params["sigma"])  # of the whole line: no log 2 for sigma > 0, as in Stan
        + dist.Normal(0, params["sigma"]).log_prob(prediction_errors(params, data["y"])).sum()
    )


def model(data):
    return pathfinder.Model.from_log_density(
        log_density,
        {"mu": 0.0, "phi": 0.0, "theta": 0.0, "sigma": 1.0},
        constraints={"sigma": pathfinder.constraints.positive},
        data={"y": np.asarray(data["y"], float)},
        name="arma11",
    )
