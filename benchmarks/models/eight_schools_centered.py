"""Eight schools (Rubin, 1981) with the school effects themselves as parameters: a funnel, unbounded as tau -> 0."""

import numpy as np
import numpyro.distributions as dist

import pathfinder


def log_density(params, data):
    theta, mu, tau = params["theta"], params["mu"], params["tau"]
    return (
        dist.Normal(mu, tau).log_prob(theta).sum()
        + dist.Normal(0, 5).log_prob(mu)
        + dist.Cauchy(0, 5).log_prob(tau)  # of the whole line: no log 2 for tau > 0, as in Stan
        + dist.Normal(theta, data["sigma"]).log_prob(data["y"]).sum()
    )


def model(data):
    return pathfinder.Model.from_log_density(
        log_density,
        {"theta": np.zeros(data["J"]), "mu": 0.0, "tau": 1.0},
        constraints={"tau": pathfinder.constraints.positive},
        data={"y": np.asarray(data["y"], float), "sigma": np.asarray(data["sigma"], float)},
        name="eight_schools_centered",
    )
