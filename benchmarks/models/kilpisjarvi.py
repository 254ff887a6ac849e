"""Linear trend of summer temperatures by calendar year, not centred: intercept and slope correlate at -0.99999."""

import numpy as np
import numpyro.distributions as dist

import pathfinder


def log_density(params, data):
    alpha, beta, sigma = params["alpha"], params["beta"], params["sigma"]
    return (
        dist.Normal(data["pmualpha"], data["psalpha"]).log_prob(alpha)
        + dist.Normal(data["pmubeta"], data["psbeta"]).log_prob(beta)
        + dist.Normal(alpha + beta * data["x"], sigma).log_prob(data["y"]).sum()
    )


def model(data):
    used = ("x", "y", "pmualpha", "psalpha", "pmubeta", "psbeta")
    return pathfinder.Model.from_log_density(
        log_density,
        {"alpha": 0.0, "beta": 0.0, "sigma": 1.0},
        constraints={"sigma": pathfinder.constraints.positive},
        data={name: np.asarray(data[name], float) for name in used},
        name="kilpisjarvi",
    )
