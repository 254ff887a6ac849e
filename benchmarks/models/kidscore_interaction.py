"""Children's test scores by their mother's schooling and IQ, with interaction (Gelman and Hill, 2006); beta is flat."""

import numpy as np
import numpyro.distributions as dist

import pathfinder


def log_density(params, data):
    mean = data["predictors"] @ params["beta"]
    return (
        dist.Cauchy(0, 2.5).log_prob(params["sigma"])  # of the whole line: no log 2 for sigma > 0, as in Stan
        + dist.Normal(mean, params["sigma"]).log_prob(data["kid_score"]).sum()
    )


def model(data):
    mom_hs, mom_iq = np.asarray(data["mom_hs"], float), np.asarray(data["mom_iq"], float)
    predictors = np.column_stack([np.ones_like(mom_hs), mom_hs, mom_iq, mom_hs * mom_iq])
    return pathfinder.Model.from_log_density(
        log_density,
        {"beta": np.zeros(4), "sigma": 1.0},
        constraints={"sigma": pathfinder.constraints.positive},
        data={"kid_score": np.asarray(data["kid_score"], float), "predictors": predictors},
        name="kidscore_interaction",
    )
