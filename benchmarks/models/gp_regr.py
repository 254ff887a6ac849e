"""Gaussian process regression, the process integrated out."""

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.linalg import solve_triangular

import pathfinder


def log_density(params, data):
    rho, alpha, sigma = params["rho"], params["alpha"], params["sigma"]
    covariance = alpha**2 * jnp.exp(-data["squared_distances"] / (2 * rho**2))
    covariance += sigma * jnp.eye(len(data["y"]))  # sigma is a variance here
    factor = jnp.linalg.cholesky(covariance)
    whitened = solve_triangular(factor, data["y"], lower=True)
    return (
        dist.Gamma(25, 4).log_prob(rho)
        + dist.Normal(0, 2).log_prob(alpha)
        + dist.Normal(0, 1).log_prob(sigma)
        + dist.Normal(0, 1).log_prob(whitened).sum()
        - jnp.log(jnp.diagonal(factor)).sum()
    )


def model(data):
    x = np.asarray(data["x"], float)
    return pathfinder.Model.from_log_density(
        log_density,
        {"rho": 1.0, "alpha": 1.0, "sigma": 1.0},
        constraints=dict.fromkeys(("rho", "alpha", "sigma"), pathfinder.constraints.positive),
        data={"y": np.asarray(data["y"], float), "squared_distances": (x[:, None] - x) ** 2},
        name="gp_regr",
    )
