"""Varying intercepts in PyMC: the model of `varying_intercepts.stan`, with dims and an index as data.

`python examples/pymc_varying_intercepts.py` fits it, and then to other outcomes without compiling anything.
"""

import json
from pathlib import Path

import numpy as np

import pathfinder


DATA = Path(__file__).with_name("varying_intercepts.data.json")


def pymc_model(data):
    import pymc as pm

    coords = {"group": range(1, data["J"] + 1), "observation": range(1, data["N"] + 1)}
    with pm.Model(coords=coords) as model:
        group = pm.Data("group_index", np.asarray(data["group"]) - 1, dims="observation")
        x = pm.Data("x", np.asarray(data["x"]), dims="observation")
        outcomes = pm.Data("outcomes", np.asarray(data["y"]), dims="observation")
        mu = pm.Normal("mu", 0, 5)
        tau = pm.HalfNormal("tau", 2)
        z = pm.Normal("z", dims="group")
        intercept = pm.Deterministic("intercept", mu + tau * z, dims="group")
        slope = pm.Normal("slope", 0, 2)
        sigma = pm.Exponential("sigma", 1)
        pm.Normal("y", intercept[group] + slope * x, sigma, observed=outcomes, dims="observation")
    return model


def model(data):
    return pathfinder.Model.from_pymc(pymc_model(data), name="varying_intercepts")


def main():
    import pymc as pm

    own = pymc_model(json.loads(DATA.read_text()))
    result = pathfinder.fit(own, seed=1)
    print(result.summary().loc[["mu", "tau", "slope", "sigma"]].round(2))
    with own:
        pm.set_data({"outcomes": 2 * own["outcomes"].get_value()})
        print(pathfinder.fit(own, seed=1).summary().loc[["mu", "tau", "slope", "sigma"]].round(2))


if __name__ == "__main__":
    main()
