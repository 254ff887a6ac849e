"""Log weight of mesquite bushes by log volume, area and shape (Gelman and Hill, 2006); no priors.

The density is that of the log weights: no Jacobian for the data.
"""

import numpy as np
import numpyro.distributions as dist

import pathfinder


def log_density(params, data):
    mean = data["predictors"] @ params["beta"]
    return dist.Normal(mean, params["sigma"]).log_prob(data["log_weight"]).sum()


def model(data):
    measured = ("diam1", "diam2", "canopy_height", "total_height", "density")
    diam1, diam2, canopy_height, total_height, density = (np.asarray(data[name], float) for name in measured)
    predictors = np.column_stack(
        [
            np.ones_like(diam1),
            np.log(diam1 * diam2 * canopy_height),
            np.log(diam1 * diam2),
            np.log(diam1 / diam2),
            np.log(total_height),
            np.log(density),
            np.asarray(data["group"], float),
        ]
    )
    return pathfinder.Model.from_log_density(
        log_density,
        {"beta": np.zeros(7), "sigma": 1.0},
        constraints={"sigma": pathfinder.constraints.positive},
        data={"log_weight": np.log(np.asarray(data["weight"], float)), "predictors": predictors},
        name="logmesquite_logvas",
    )
