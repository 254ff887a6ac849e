"""Eight schools, with standardized effects."""

import numpy as np
import numpyro.distributions as dist

from pathfinder import Model, constraints


data_block = """
  int<lower=0> J;
  array[J] real y;
  array[J] real<lower=0> sigma;
"""


def school_effects(params, data):
    return {"theta": params["mu"] + params["tau"] * params["theta_trans"]}


def log_density(params, data):
    theta = school_effects(params, data)["theta"]
    return (
        dist.Normal(0, 1).log_prob(params["theta_trans"]).sum()
        + dist.Normal(0, 5).log_prob(params["mu"])
        + dist.Cauchy(0, 5).log_prob(params["tau"])
        + dist.Normal(theta, data["sigma"]).log_prob(data["y"]).sum()
    )


def model(data):
    return Model.from_log_density(
        log_density,
        {"theta_trans": np.zeros(data["J"]), "mu": 0.0, "tau": 1.0},
        constraints={"tau": constraints.positive},
        data={"y": data["y"], "sigma": data["sigma"]},
        transformed=school_effects,
    )
