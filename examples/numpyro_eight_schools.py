"""Effects of coaching in eight schools as a NumPyro model, fitted with Pathfinder instead of NUTS.

Run it with `python examples/numpyro_eight_schools.py`, or give it to the command line as a model.
"""

import json
from pathlib import Path

import numpy as np
import numpyro
import numpyro.distributions as dist

import pathfinder


def eight_schools(sigma, y=None):
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfCauchy(5))
    with numpyro.plate("school", len(sigma)):
        z = numpyro.sample("z", dist.Normal(0, 1))
        theta = numpyro.deterministic("theta", mu + tau * z)
        numpyro.sample("obs", dist.Normal(theta, sigma), obs=y)


def model(data):
    sigma, y = np.asarray(data["sigma"], float), np.asarray(data["y"], float)
    return pathfinder.Model.from_numpyro(eight_schools, sigma, y=y)


def main():
    data = json.loads(Path(__file__).with_name("eight_schools.data.json").read_text())
    result = pathfinder.fit(model(data), seed=1)
    print(result.summary())
    print(result.to_inferencedata(posterior_predictive=True, log_likelihood=True))


if __name__ == "__main__":
    main()
