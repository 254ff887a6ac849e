"""Party identification in a national election study by ideology and demography (Gelman and Hill, 2006); no priors."""

import numpy as np
import numpyro.distributions as dist

import pathfinder


def log_density(params, data):
    mean = data["predictors"] @ params["beta"]
    return dist.Normal(mean, params["sigma"]).log_prob(data["partyid7"]).sum()


def model(data):
    partyid7, age = np.asarray(data["partyid7"], float), np.asarray(data["age_discrete"])
    predictors = np.column_stack(
        [
            np.ones_like(partyid7),
            data["real_ideo"],
            data["race_adj"],
            *(age == group for group in (2, 3, 4)),
            data["educ1"],
            data["gender"],
            data["income"],
        ]
    )
    return pathfinder.Model.from_log_density(
        log_density,
        {"beta": np.zeros(9), "sigma": 1.0},
        constraints={"sigma": pathfinder.constraints.positive},
        data={"partyid7": partyid7, "predictors": predictors},
        name="nes",
    )
