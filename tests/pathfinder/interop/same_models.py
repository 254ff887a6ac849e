"""Four models in Stan and in plain JAX, for those who compare them with the same ones in other libraries.

Libraries unconstrain simplexes, correlations and ordered vectors in ways of their own, and some have other parameters
for the same matrix. So densities are compared in coordinates that all have in common: `coordinates` of a model gives
them, of its parameters by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp
from jax.scipy.stats import cauchy, norm

import pathfinder
from benchmarks.models import three_levels


EIGHT_SCHOOLS = {
    "y": np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]),
    "sigma": np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]),
}


class SameModel(NamedTuple):
    """One model in two ways.

    Args:
        stan: Text of the Stan program.
        stan_data: Its data.
        jax: The same as a log density.
        coordinates: Coordinates of the space of parameters that libraries share, of parameters by name.
    """

    stan: str
    stan_data: Mapping[str, Any]
    jax: Callable[[], pathfinder.Model]
    coordinates: Callable[[Mapping[str, Any]], Any]


def joined(*names):
    """Coordinates that are the parameters themselves."""
    return lambda named: jnp.concatenate([jnp.ravel(named[name]) for name in names])


def log_density_of(model, coordinates):
    """The log density of the common coordinates, as a function of parameters by name.

    The Jacobian of whatever the model unconstrains by is taken out of its density, by derivatives.
    """

    def of_position(position):
        return coordinates(model.constrain_fn(position, model.data))

    @jax.jit
    def density_and_jacobian(position):
        return model.density(position, model.data), jnp.linalg.slogdet(jax.jacfwd(of_position)(position))[1]

    def log_density(values):
        log_p, log_determinant = density_and_jacobian(jnp.asarray(model.unconstrain(values)))
        return float(log_p - log_determinant)

    return log_density


def half(log_pdf, value):
    return log_pdf + jnp.where(value > 0, jnp.log(2.0), -jnp.inf)


def eight_schools_density(params, data):
    theta = params["mu"] + params["tau"] * params["theta_tilde"]
    return (
        norm.logpdf(params["mu"], 0, 5)
        + half(cauchy.logpdf(params["tau"], 0, 5), params["tau"])
        + norm.logpdf(params["theta_tilde"]).sum()
        + norm.logpdf(data["y"], theta, data["sigma"]).sum()
    )


def eight_schools():
    return pathfinder.Model.from_log_density(
        eight_schools_density,
        {"mu": 0.0, "tau": 1.0, "theta_tilde": np.zeros(8)},
        constraints={"tau": pathfinder.constraints.positive},
        transformed=lambda params, data: {"theta": params["mu"] + params["tau"] * params["theta_tilde"]},
        data=EIGHT_SCHOOLS,
        name="eight_schools",
    )


EIGHT_SCHOOLS_STAN = """
data { vector[8] y; vector<lower=0>[8] sigma; }
parameters { real mu; real<lower=0> tau; vector[8] theta_tilde; }
transformed parameters { vector[8] theta = mu + tau * theta_tilde; }
model {
  mu ~ normal(0, 5);
  tau ~ cauchy(0, 5);
  theta_tilde ~ std_normal();
  y ~ normal(theta, sigma);
}
"""

LEVELS = three_levels.simulated(np.random.default_rng(1))
LEVELS_STAN = """
data {
  int states; int counties; int n;
  array[counties] int<lower=1, upper=states> state;
  array[n] int<lower=1, upper=counties> county_of;
  vector[n] x; vector[n] y;
}
parameters {
  real mean; real slope;
  real<lower=0> between_states; real<lower=0> between_counties; real<lower=0> noise;
  vector[states] state_effect; vector[counties] county_effect;
}
model {
  vector[states] of_state = mean + between_states * state_effect;
  vector[counties] of_county = of_state[state] + between_counties * county_effect;
  mean ~ normal(0, 5);
  slope ~ std_normal();
  between_states ~ std_normal();
  between_counties ~ std_normal();
  noise ~ std_normal();
  state_effect ~ std_normal();
  county_effect ~ std_normal();
  y ~ normal(of_county[county_of] + slope * x, noise);
}
"""


def three_levels_density(params, data):
    renamed = params | {"state": params["state_effect"], "county": params["county_effect"]}
    return three_levels.log_density(renamed, data)


def three_levels_model():
    scales = ("between_states", "between_counties", "noise")
    example = {"mean": 0.0, "slope": 0.0, **dict.fromkeys(scales, 1.0)}
    example |= {
        "state_effect": np.zeros(three_levels.NUM_STATES),
        "county_effect": np.zeros(len(LEVELS["state"])),
    }
    return pathfinder.Model.from_log_density(
        three_levels_density,
        example,
        constraints=dict.fromkeys(scales, pathfinder.constraints.positive),
        data=LEVELS,
        name="three_levels",
    )


def _slopes_data():
    rng = np.random.default_rng(3)
    group, x = np.repeat(np.arange(6), 12), rng.standard_normal(72)
    effects = np.array([1.0, -0.5]) + rng.multivariate_normal([0, 0], [[0.6, 0.2], [0.2, 0.3]], size=6)
    return {"group": group, "x": x, "y": effects[group, 0] + effects[group, 1] * x + 0.5 * rng.standard_normal(72)}


SLOPES = _slopes_data()
SLOPES_STAN = """
data { int n; array[n] int<lower=1, upper=6> group; vector[n] x; vector[n] y; }
parameters {
  vector[2] mean; vector<lower=0>[2] tau; cholesky_factor_corr[2] L; matrix[2, 6] z; real<lower=0> noise;
}
model {
  matrix[6, 2] effects = (rep_matrix(mean, 6) + diag_pre_multiply(tau, L) * z)';
  mean ~ normal(0, 2);
  tau ~ std_normal();
  L ~ lkj_corr_cholesky(2);
  to_vector(z) ~ std_normal();
  noise ~ std_normal();
  y ~ normal(effects[group, 1] + effects[group, 2] .* x, noise);
}
"""


def slopes_density(params, data):
    mean, tau, factor, z, noise = (params[name] for name in ("mean", "tau", "L", "z", "noise"))
    effects = (mean[:, None] + (tau[:, None] * factor) @ z).T
    of_data = effects[data["group"], 0] + effects[data["group"], 1] * data["x"]
    return (
        norm.logpdf(mean, 0, 2).sum()
        + norm.logpdf(tau).sum()
        + 2.0 * jnp.log(factor[1, 1])  # LKJ with 2: K - k + 2 (2 - 1) of the last row
        + norm.logpdf(z).sum()
        + norm.logpdf(noise)
        + norm.logpdf(data["y"], of_data, noise).sum()
    )


def slopes():
    constraints = pathfinder.constraints
    return pathfinder.Model.from_log_density(
        slopes_density,
        {"mean": np.zeros(2), "tau": np.ones(2), "L": np.eye(2), "z": np.zeros((2, 6)), "noise": 1.0},
        constraints={
            "tau": constraints.positive,
            "noise": constraints.positive,
            "L": constraints.corr_cholesky,
        },
        data=SLOPES,
        name="slopes",
    )


def slopes_coordinates(named):
    """The correlation in place of its Cholesky factor, whose last row has unit length."""
    return jnp.concatenate(
        [named["mean"], named["tau"], jnp.ravel(named["L"][1, 0]), jnp.ravel(named["z"]), jnp.ravel(named["noise"])]
    )


MIXTURE = {"y": np.random.default_rng(4).normal(np.repeat([-3.0, 0.0, 4.0], [30, 20, 40]), 0.8)}
MIXTURE_STAN = """
data { int n; vector[n] y; }
parameters { simplex[3] weights; ordered[3] mu; real<lower=0> sigma; }
model {
  weights ~ dirichlet([2, 2, 2]');
  mu ~ normal(0, 5);
  sigma ~ std_normal();
  for (i in 1:n) {
    vector[3] terms = log(weights);
    for (k in 1:3) terms[k] += normal_lpdf(y[i] | mu[k], sigma);
    target += log_sum_exp(terms);
  }
}
"""


def mixture_density(params, data):
    weights, mu, sigma = params["weights"], params["mu"], params["sigma"]
    terms = jnp.log(weights)[None] + norm.logpdf(data["y"][:, None], mu[None], sigma)
    prior = jnp.log(weights).sum() + norm.logpdf(mu, 0, 5).sum() + norm.logpdf(sigma)
    return prior + logsumexp(terms, axis=1).sum()


def mixture():
    constraints = pathfinder.constraints
    return pathfinder.Model.from_log_density(
        mixture_density,
        {"weights": np.full(3, 1 / 3), "mu": np.array([-1.0, 0.0, 1.0]), "sigma": 1.0},
        constraints={"weights": constraints.simplex, "mu": constraints.ordered_vector, "sigma": constraints.positive},
        data=MIXTURE,
        name="mixture",
    )


SAME = {
    "eight schools": SameModel(EIGHT_SCHOOLS_STAN, EIGHT_SCHOOLS, eight_schools, joined("mu", "tau", "theta_tilde")),
    "three levels": SameModel(
        LEVELS_STAN,
        {
            "states": three_levels.NUM_STATES,
            "counties": len(LEVELS["state"]),
            "n": len(LEVELS["y"]),
            "state": LEVELS["state"] + 1,
            "county_of": LEVELS["county"] + 1,
            "x": LEVELS["x"],
            "y": LEVELS["y"],
        },
        three_levels_model,
        joined("mean", "slope", "between_states", "between_counties", "noise", "state_effect", "county_effect"),
    ),
    "slopes": SameModel(SLOPES_STAN, {**SLOPES, "n": 72, "group": SLOPES["group"] + 1}, slopes, slopes_coordinates),
    "mixture": SameModel(
        MIXTURE_STAN,
        {**MIXTURE, "n": 90},
        mixture,
        lambda named: jnp.concatenate([named["weights"][:2], named["mu"], jnp.ravel(named["sigma"])]),
    ),
}
