"""Bayesian linear regression on simulated data."""

import numpy as np
import numpyro.distributions as dist

import pathfinder


def log_density(params, data):
    beta, sigma = params["beta"], params["sigma"]
    return (
        dist.Normal(0, 10).log_prob(beta).sum()
        + dist.Normal(0, 10).log_prob(sigma)  # of the whole line: no log 2 for sigma > 0, as in Stan
        + dist.Normal(data["X"] @ beta, sigma).log_prob(data["y"]).sum()
    )


def model(data):
    return pathfinder.Model.from_log_density(
        log_density,
        {"beta": np.zeros(data["D"]), "sigma": 1.0},
        constraints={"sigma": pathfinder.constraints.positive},
        data={"X": np.asarray(data["X"], float), "y": np.asarray(data["y"], float)},
        name="blr",
    )
