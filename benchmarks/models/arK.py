"""Autoregression of order K, conditional on the first K values."""

import numpy as np
import numpyro.distributions as dist

import pathfinder


def log_density(params, data):
    alpha, beta, sigma = params["alpha"], params["beta"], params["sigma"]
    return (
        dist.Normal(0, 10).log_prob(alpha)
        + dist.Normal(0, 10).log_prob(beta).sum()
        + dist.Cauchy(0, 2.5).log_prob(sigma)  # of the whole line: no log 2 for sigma > 0, as in Stan
        + dist.Normal(alpha + data["lags"] @ beta, sigma).log_prob(data["y"]).sum()
    )


def model(data):
    order, y = data["K"], np.asarray(data["y"], float)
    lags = np.column_stack([y[order - k : len(y) - k] for k in range(1, order + 1)])
    return pathfinder.Model.from_log_density(
        log_density,
        {"alpha": 0.0, "beta": np.zeros(order), "sigma": 1.0},
        constraints={"sigma": pathfinder.constraints.positive},
        data={"y": y[order:], "lags": lags},
        name="arK",
    )
