"""The chance of success in N trials, with a uniform prior on it.

The posterior is known: a beta distribution with shapes 1 + successes and 1 + failures.
"""

import numpy as np
import numpyro.distributions as dist

from pathfinder import Model, constraints


def log_density(params, data):
    return dist.Bernoulli(params["theta"]).log_prob(data["y"]).sum()


def model(data):
    return Model.from_log_density(
        log_density,
        {"theta": 0.5},
        constraints={"theta": constraints.unit_interval},
        data={"y": np.asarray(data["y"])},
        name="bernoulli",
    )
