"""Eight schools (Rubin, 1981): a normal hierarchy with standardized school effects."""

import numpy as np
import numpyro.distributions as dist

import pathfinder


def school_effects(params, data):
    return {"theta": params["mu"] + params["tau"] * params["theta_trans"]}


def log_density(params, data):
    theta = school_effects(params, data)["theta"]
    return (
        dist.Normal(0, 1).log_prob(params["theta_trans"]).sum()
        + dist.Normal(0, 5).log_prob(params["mu"])
        + dist.Cauchy(0, 5).log_prob(params["tau"])  # of the whole line: no log 2 for tau > 0, as in Stan
        + dist.Normal(theta, data["sigma"]).log_prob(data["y"]).sum()
    )


def model(data):
    return pathfinder.Model.from_log_density(
        log_density,
        {"theta_trans": np.zeros(data["J"]), "mu": 0.0, "tau": 1.0},
        constraints={"tau": pathfinder.constraints.positive},
        data={"y": np.asarray(data["y"], float), "sigma": np.asarray(data["sigma"], float)},
        transformed=school_effects,
        name="eight_schools_noncentered",
    )
