"""Weight of mesquite bushes by their size, not transformed (Gelman and Hill, 2006); no priors."""

import numpy as np
import numpyro.distributions as dist

import pathfinder


def log_density(params, data):
    mean = data["predictors"] @ params["beta"]
    return dist.Normal(mean, params["sigma"]).log_prob(data["weight"]).sum()


def model(data):
    weight = np.asarray(data["weight"], float)
    measured = ("diam1", "diam2", "canopy_height", "total_height", "density", "group")
    predictors = np.column_stack([np.ones_like(weight), *(np.asarray(data[name], float) for name in measured)])
    return pathfinder.Model.from_log_density(
        log_density,
        {"beta": np.zeros(7), "sigma": 1.0},
        constraints={"sigma": pathfinder.constraints.positive},
        data={"weight": weight, "predictors": predictors},
        name="mesquite",
    )
