"""Poisson regression on a latent Gaussian process.

The covariance matrix is nearly singular: its factor has eight or so good digits in double precision. Where the
factorization fails the factor, and so the density, is NaN; single precision is too little for this model.
"""

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.special import gammaln

import pathfinder


def log_rates(params, data):
    squared_distances = data["squared_distances"]
    covariance = params["alpha"] ** 2 * jnp.exp(-squared_distances / (2 * params["rho"] ** 2))
    covariance += 1e-10 * jnp.eye(len(squared_distances))
    return {"f": jnp.linalg.cholesky(covariance) @ params["f_tilde"]}


def log_density(params, data):
    f, k = log_rates(params, data)["f"], data["k"]
    return (
        dist.Gamma(25, 4).log_prob(params["rho"])
        + dist.Normal(0, 2).log_prob(params["alpha"])
        + dist.Normal(0, 1).log_prob(params["f_tilde"]).sum()
        + (k * f - jnp.exp(f) - gammaln(k + 1)).sum()  # Poisson by its log rate, which dist.Poisson would take apart
    )


def model(data):
    x = np.asarray(data["x"], float)
    return pathfinder.Model.from_log_density(
        log_density,
        {"rho": 1.0, "alpha": 1.0, "f_tilde": np.zeros(len(x))},
        constraints=dict.fromkeys(("rho", "alpha"), pathfinder.constraints.positive),
        data={"k": np.asarray(data["k"], float), "squared_distances": (x[:, None] - x) ** 2},
        transformed=log_rates,
        name="gp_pois_regr",
    )
