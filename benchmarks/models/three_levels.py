"""A hierarchy of three levels: observations in counties, and counties in states; all effects standardized."""

from typing import Any

import numpy as np
import numpyro.distributions as dist

import pathfinder


NUM_STATES, COUNTIES_PER_STATE, NUM_OBSERVATIONS = 6, 5, 600


def log_density(params, data):
    state = params["mean"] + params["between_states"] * params["state"]
    county = state[data["state"]] + params["between_counties"] * params["county"]
    mean = county[data["county"]] + params["slope"] * data["x"]
    return (
        dist.Normal(0, 5).log_prob(params["mean"])
        + dist.Normal(0, 1).log_prob(params["slope"])
        + dist.Normal(0, 1).log_prob(params["state"]).sum()
        + dist.Normal(0, 1).log_prob(params["county"]).sum()
        + sum(dist.HalfNormal(1).log_prob(params[name]) for name in ("between_states", "between_counties", "noise"))
        + dist.Normal(mean, params["noise"]).log_prob(data["y"]).sum()
    )


def simulated(rng: np.random.Generator) -> dict[str, Any]:
    """Data of the model."""
    num_counties = NUM_STATES * COUNTIES_PER_STATE
    state = np.repeat(np.arange(NUM_STATES), COUNTIES_PER_STATE)
    county = rng.integers(num_counties, size=NUM_OBSERVATIONS)
    x = rng.standard_normal(NUM_OBSERVATIONS)
    level = 1.0 + 0.5 * rng.standard_normal(NUM_STATES)[state] + 0.3 * rng.standard_normal(num_counties)
    return {"state": state, "county": county, "x": x, "y": level[county] - 0.7 * x + rng.standard_normal(len(x))}


def model(data):
    positive = pathfinder.constraints.positive
    return pathfinder.Model.from_log_density(
        log_density,
        {
            "mean": 0.0,
            "slope": 0.0,
            "between_states": 1.0,
            "between_counties": 1.0,
            "noise": 1.0,
            "state": np.zeros(NUM_STATES),
            "county": np.zeros(len(data["state"])),
        },
        constraints={"between_states": positive, "between_counties": positive, "noise": positive},
        data=data,
        name="three_levels",
    )
