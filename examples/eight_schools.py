"""Effects of coaching in eight schools (Rubin, 1981): a normal hierarchy around a common mean.

The standardized effects `theta_trans` are the parameters, since those of `theta` would make a funnel.
"""

import jax
import numpy as np
import numpyro.distributions as dist

from pathfinder import Model, constraints


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


def predictions(key, params, data):
    theta = school_effects(params, data)["theta"]
    return {"y_rep": theta + data["sigma"] * jax.random.normal(key, theta.shape, theta.dtype)}


def model(data):
    return Model.from_log_density(
        log_density,
        {"theta_trans": np.zeros(data["J"]), "mu": 0.0, "tau": 1.0},
        constraints={"tau": constraints.positive},
        data={"y": np.asarray(data["y"], float), "sigma": np.asarray(data["sigma"], float)},
        transformed=school_effects,
        generated=predictions,
        dims={"theta_trans": ("school",), "theta": ("school",), "y_rep": ("school",)},
        name="eight_schools",
    )
