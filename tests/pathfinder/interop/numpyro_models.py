"""NumPyro models of many kinds, with arguments for each."""

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.contrib.control_flow import scan


Y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SIGMA = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def eight_schools(num_schools, sigma, y=None):
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfCauchy(5))
    with numpyro.plate("school", num_schools):
        z = numpyro.sample("z", dist.Normal(0, 1))
        theta = numpyro.deterministic("theta", mu + tau * z)
        numpyro.sample("obs", dist.Normal(theta, sigma), obs=y)


def three_levels(state_of, county, y):
    num_states, num_counties = 4, len(state_of)
    mu = numpyro.sample("mu", dist.Normal(0, 2))
    scales = numpyro.sample("scales", dist.HalfNormal(1).expand([3]).to_event(1))
    with numpyro.plate("state", num_states):
        state = numpyro.sample("state_effect", dist.Normal(mu, scales[0]))
    with numpyro.plate("county", num_counties):
        effect = numpyro.sample("county_effect", dist.Normal(state[state_of], scales[1]))
    with numpyro.plate("row", y.shape[0]):
        numpyro.sample("y", dist.Normal(effect[county], scales[2]), obs=y)


def varying_slopes(group, x, y):
    scale = numpyro.sample("scale", dist.HalfNormal(1).expand([2]).to_event(1))
    correlation = numpyro.sample("correlation", dist.LKJCholesky(2, 2.0))
    mean = numpyro.sample("mean", dist.Normal(0, 1).expand([2]).to_event(1))
    covariance = (scale[:, None] * correlation) @ (scale[:, None] * correlation).T
    with numpyro.plate("group", 5):
        coefficients = numpyro.sample(
            "coefficients",
            dist.MultivariateNormal(mean, covariance_matrix=covariance),
            infer={"event_dims": ["coefficient"]},
        )
    sigma = numpyro.sample("sigma", dist.HalfNormal(1))
    numpyro.sample("y", dist.Normal(coefficients[group, 0] + coefficients[group, 1] * x, sigma), obs=y)


def mixture_parameters():
    weights = numpyro.sample("weights", dist.Dirichlet(jnp.ones(3)))
    means = numpyro.sample("means", dist.ImproperUniform(dist.constraints.ordered_vector, (), (3,)))
    numpyro.factor("means_prior", dist.Normal(0, 3).log_prob(means).sum())
    scale = numpyro.sample("scale", dist.HalfNormal(1).expand([3]).to_event(1))
    return weights, means, scale


def mixture(y):
    weights, means, scale = mixture_parameters()
    numpyro.sample("y", dist.MixtureSameFamily(dist.Categorical(weights), dist.Normal(means, scale)), obs=y)


def enumerated_mixture(y):
    weights, means, scale = mixture_parameters()
    with numpyro.plate("row", y.shape[0]):
        component = numpyro.sample("component", dist.Categorical(weights))
        numpyro.deterministic("center", means[component])
        numpyro.sample("y", dist.Normal(means[component], scale[component]), obs=y)


def dynamic_supports(y):
    a = numpyro.sample("a", dist.LogNormal(0, 1))
    b = numpyro.sample("b", dist.Uniform(0, a))
    c = numpyro.sample("c", dist.TruncatedNormal(0, 1, low=b))
    numpyro.sample("y", dist.Normal(c, a), obs=y)


def random_walk(y):
    drift = numpyro.sample("drift", dist.Normal(0, 1))

    def step(before, now):
        level = numpyro.sample("level", dist.Normal(before + drift, 0.5))
        numpyro.sample("y", dist.Normal(level, 1.0), obs=now)
        return level, level

    scan(step, 0.0, y)


def hidden_markov(y):
    stay = numpyro.sample("stay", dist.Beta(5, 2))
    means = numpyro.sample("means", dist.Normal(jnp.array([-1.0, 1.0]), 0.5).to_event(1))
    rows = jnp.stack([jnp.stack([stay, 1 - stay]), jnp.stack([1 - stay, stay])])

    def step(before, now):
        state = numpyro.sample("state", dist.Categorical(rows[before]))
        numpyro.sample("y", dist.Normal(means[state], 0.7), obs=now)
        return state, None

    scan(step, 0, y)


def arguments(name, seed=0):
    """Positional and named arguments of a model."""
    rng = np.random.default_rng(seed)
    county = rng.integers(12, size=200)
    group, x = rng.integers(5, size=60), rng.normal(size=60)
    y = np.concatenate([rng.normal(-2, 0.5, 30), rng.normal(0, 0.5, 20), rng.normal(2, 0.5, 30)])
    shifted = Y + seed
    return {
        "eight_schools": ((8, SIGMA), {"y": shifted}),
        "three_levels": ((np.arange(12) % 4, county, rng.normal(county / 6, 1.0)), {}),
        "varying_slopes": ((group, x, rng.normal(group / 2 + x, 1.0)), {}),
        "mixture": ((y,), {}),
        "enumerated_mixture": ((y,), {}),
        "dynamic_supports": ((rng.normal(1, 1, 10),), {}),
        "random_walk": ((np.cumsum(rng.normal(size=10)),), {}),
        "hidden_markov": ((np.repeat([-1.0, 1.0, -1.0], 4) + 0.3 * rng.normal(size=12),), {}),
    }[name]


MODELS = {
    function.__name__: function
    for function in (
        eight_schools, three_levels, varying_slopes, mixture, enumerated_mixture, dynamic_supports, random_walk,
        hidden_markov,
    )
}  # fmt: skip
