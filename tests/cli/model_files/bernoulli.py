"""CmdStan's example of N trials, with its data block."""

import numpy as np
import numpyro.distributions as dist

from pathfinder import Model, constraints


data_block = """
  int<lower=0> N;
  array[N] int<lower=0, upper=1> y;
"""


def log_density(params, data):
    return dist.Bernoulli(params["theta"]).log_prob(data["y"]).sum()


def model(data):
    return Model.from_log_density(
        log_density,
        {"theta": 0.5},
        constraints={"theta": constraints.unit_interval},
        data={"y": np.asarray(data["y"])},
    )
