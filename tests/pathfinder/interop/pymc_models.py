"""The models of `same_models` in PyMC, and their parameters by PyMC's names."""

import numpy as np
import pymc as pm

from tests.pathfinder.interop.same_models import EIGHT_SCHOOLS, LEVELS, MIXTURE, SLOPES


def eight_schools():
    with pm.Model(coords={"school": list("ABCDEFGH")}) as model:
        y = pm.Data("y", EIGHT_SCHOOLS["y"], dims="school")
        sigma = pm.Data("sigma", EIGHT_SCHOOLS["sigma"], dims="school")
        mu = pm.Normal("mu", 0, 5)
        tau = pm.HalfCauchy("tau", 5)
        tilde = pm.Normal("theta_tilde", dims="school")
        theta = pm.Deterministic("theta", mu + tau * tilde, dims="school")
        pm.Normal("effect", theta, sigma, observed=y, dims="school")
    return model


def three_levels():
    coords = {"state": range(LEVELS["state"].max() + 1), "county": range(len(LEVELS["state"]))}
    with pm.Model(coords=coords) as model:
        data = {name: pm.Data(f"{name}_data", values) for name, values in LEVELS.items()}
        mean, slope = pm.Normal("mean", 0, 5), pm.Normal("slope")
        scales = {name: pm.HalfNormal(name) for name in ("between_states", "between_counties", "noise")}
        state_effect = pm.Normal("state_effect", dims="state")
        county_effect = pm.Normal("county_effect", dims="county")
        of_state = mean + scales["between_states"] * state_effect
        of_county = of_state[data["state"]] + scales["between_counties"] * county_effect
        pm.Normal("y", of_county[data["county"]] + slope * data["x"], scales["noise"], observed=data["y"])
    return model


def slopes():
    with pm.Model() as model:
        mean = pm.Normal("mean", 0, 2, shape=2)
        factor, _, _ = pm.LKJCholeskyCov("factor", n=2, eta=2, sd_dist=pm.HalfNormal.dist(1, shape=2))
        z = pm.Normal("z", shape=(2, 6))
        noise = pm.HalfNormal("noise")
        effects = (mean[:, None] + factor @ z).T
        of_data = effects[SLOPES["group"], 0] + effects[SLOPES["group"], 1] * SLOPES["x"]
        pm.Normal("y", of_data, noise, observed=SLOPES["y"])
    return model


def mixture():
    ordered = pm.distributions.transforms.ordered
    with pm.Model() as model:
        weights = pm.Dirichlet("weights", np.full(3, 2.0))
        mu = pm.Normal("mu", 0, 5, shape=3, transform=ordered, initval=[-1.0, 0.0, 1.0])
        sigma = pm.HalfNormal("sigma")
        pm.NormalMixture("y", weights, mu, sigma, observed=MIXTURE["y"])
    return model


MODELS = {"eight schools": eight_schools, "three levels": three_levels, "slopes": slopes, "mixture": mixture}


def by_pymc_names(name, named):
    """Parameters of `same_models` as those of the model here."""
    if name != "slopes":
        return named
    factor = named["tau"][:, None] * named["L"]
    return {"factor": factor[np.tril_indices(2)], **{own: named[own] for own in ("mean", "z", "noise")}}


def by_common_names(name, named):
    """And back, as far as the common coordinates depend on them: of the factor only the correlation."""
    return named if name != "slopes" else {**named, "L": named["factor_corr"], "tau": named["factor_stds"]}
