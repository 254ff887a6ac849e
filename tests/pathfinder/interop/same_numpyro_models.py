"""The models of `same_models` in NumPyro, with the same names."""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro.distributions import constraints

import pathfinder
from benchmarks.models.three_levels import NUM_STATES
from tests.pathfinder.interop.same_models import EIGHT_SCHOOLS, LEVELS, MIXTURE, SLOPES


def eight_schools(y, sigma):
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfCauchy(5))
    with numpyro.plate("school", 8):
        tilde = numpyro.sample("theta_tilde", dist.Normal(0, 1))
        theta = numpyro.deterministic("theta", mu + tau * tilde)
        numpyro.sample("y", dist.Normal(theta, sigma), obs=y)


def three_levels(state, county, x, y):
    mean = numpyro.sample("mean", dist.Normal(0, 5))
    slope = numpyro.sample("slope", dist.Normal(0, 1))
    scales = [numpyro.sample(name, dist.HalfNormal(1)) for name in ("between_states", "between_counties", "noise")]
    with numpyro.plate("states", NUM_STATES):
        state_effect = numpyro.sample("state_effect", dist.Normal(0, 1))
    with numpyro.plate("counties", len(state)):
        county_effect = numpyro.sample("county_effect", dist.Normal(0, 1))
    of_county = (mean + scales[0] * state_effect)[state] + scales[1] * county_effect
    with numpyro.plate("rows", len(y)):
        numpyro.sample("y", dist.Normal(of_county[county] + slope * x, scales[2]), obs=y)


def slopes(group, x, y):
    mean = numpyro.sample("mean", dist.Normal(0, 2).expand([2]).to_event(1))
    tau = numpyro.sample("tau", dist.HalfNormal(1).expand([2]).to_event(1))
    factor = numpyro.sample("L", dist.LKJCholesky(2, 2.0))
    z = numpyro.sample("z", dist.Normal(0, 1).expand([2, 6]).to_event(2))
    noise = numpyro.sample("noise", dist.HalfNormal(1))
    effects = (mean[:, None] + (tau[:, None] * factor) @ z).T
    numpyro.sample("y", dist.Normal(effects[group, 0] + effects[group, 1] * x, noise), obs=y)


def mixture(y):
    weights = numpyro.sample("weights", dist.Dirichlet(jnp.full(3, 2.0)))
    mu = numpyro.sample("mu", dist.ImproperUniform(constraints.ordered_vector, (), (3,)))
    numpyro.factor("prior of mu", dist.Normal(0, 5).log_prob(mu).sum())
    sigma = numpyro.sample("sigma", dist.HalfNormal(1))
    numpyro.sample("y", dist.MixtureSameFamily(dist.Categorical(weights), dist.Normal(mu, sigma)), obs=y)


MODELS = {
    "eight schools": lambda: pathfinder.Model.from_numpyro(eight_schools, **EIGHT_SCHOOLS),
    "three levels": lambda: pathfinder.Model.from_numpyro(three_levels, **LEVELS),
    "slopes": lambda: pathfinder.Model.from_numpyro(slopes, **SLOPES),
    "mixture": lambda: pathfinder.Model.from_numpyro(mixture, **MIXTURE),
}
