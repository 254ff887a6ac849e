"""Test densities with known answers, each with its source.

All take an unconstrained vector and are written so that strict promotion of ranks and dtypes lets them pass. Made anew
with the same arguments they are the same, so that what is compiled for them is, too. They hold no arrays of JAX, which
would have the precision that is set when they are made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True, eq=False)
class Density:
    """A log density on real vectors, up to a constant unless `log_normalizer` is given.

    Args:
        log_density: The function.
        dim: Length of its argument.
        mode: Its only maximum, if known.
        mean: Its mean, if known.
        covariance: Its covariance, if known.
        start: A point from which others start in the literature; the origin if None.
        radius: How far around it starts may be, so that no other optimum is found.
    """

    name: str
    log_density: Callable
    dim: int
    mode: np.ndarray | None = None
    mean: np.ndarray | None = None
    covariance: np.ndarray | None = None
    start: np.ndarray | None = None
    radius: float = 2.0

    def starts(self, num_starts: int) -> np.ndarray:
        """Points around `start`."""
        rng = np.random.default_rng(self.dim)
        center = np.zeros(self.dim) if self.start is None else self.start
        return center + rng.uniform(-self.radius, self.radius, (num_starts, self.dim))


def normal(mean, covariance, name="normal") -> Density:
    """Multivariate normal, with all constants."""
    mean, covariance = np.asarray(mean, float), np.asarray(covariance, float)
    factor = jnp.asarray(np.linalg.cholesky(covariance))
    center = jnp.asarray(mean)
    constant = float(np.log(np.diag(factor)).sum() + 0.5 * len(mean) * np.log(2 * np.pi))

    def log_density(x):
        whitened = jax.scipy.linalg.solve_triangular(factor, x - center, lower=True)
        return -0.5 * jnp.sum(whitened**2) - constant

    return Density(name, log_density, len(mean), mode=mean, mean=mean, covariance=covariance)


@cache
def rotated_normal(dim: int, condition: float, seed: int = 0) -> Density:
    """Normal with mean 1, 2, ... whose eigenvalues are spread evenly on the log scale, from 1 to 1 / condition."""
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    precision = rotation * np.logspace(0, np.log10(condition), dim) @ rotation.T
    covariance = rotation / np.logspace(0, np.log10(condition), dim) @ rotation.T
    mean = np.arange(1.0, dim + 1) / dim

    def log_density(x):
        return -0.5 * (x - jnp.asarray(mean)) @ (jnp.asarray(precision) @ (x - jnp.asarray(mean)))

    return Density(f"rotated_normal_{dim}", log_density, dim, mode=mean, mean=mean, covariance=covariance)


@cache
def rosenbrock(dim: int) -> Density:
    """More, Garbow and Hillstrom (1981), ACM TOMS 7(1), problem 21 in its chained form; the mode is at ones."""

    def log_density(x):
        return -jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    start = np.where(np.arange(dim) % 2 == 0, -1.2, 1.0)
    return Density(f"rosenbrock_{dim}", log_density, dim, mode=np.ones(dim), start=start, radius=0.3)


@cache
def funnel(dim: int) -> Density:
    """Neal (2003), Annals of Statistics 31(3), section 8: x[0] is the log variance of the others.

    The mode is at x[0] = -9 (dim - 1) / 2 and zeros; the mean is 0 and the standard deviation of x[0] is 3.
    """

    def log_density(x):
        log_variance, rest = x[0], x[1:]
        scaled = jnp.sum(rest**2) * jnp.exp(-log_variance)
        return -(log_variance**2) / 18.0 - 0.5 * scaled - 0.5 * (dim - 1) * log_variance

    mode = np.zeros(dim)
    mode[0] = -4.5 * (dim - 1)
    return Density(f"funnel_{dim}", log_density, dim, mode=mode, mean=np.zeros(dim))


@cache
def logistic_regression(dim: int = 10, num_rows: int = 200) -> Density:
    """Simulated binary outcomes with standard normal priors on the coefficients; concave, no closed form."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((num_rows, dim)) * np.linspace(0.3, 3.0, dim)
    y = rng.uniform(size=num_rows) < 1 / (1 + np.exp(-x @ rng.standard_normal(dim)))
    signed = np.where(y, 1.0, -1.0)[:, None] * x

    def log_density(beta):
        return jnp.sum(jax.nn.log_sigmoid(jnp.asarray(signed) @ beta)) - 0.5 * jnp.sum(beta**2)

    return Density(f"logistic_regression_{dim}", log_density, dim)


def bernoulli(x):
    """Twelve trials with three successes and a uniform prior on the chance sigmoid(x), Jacobian included."""
    return 3.0 * jax.nn.log_sigmoid(x[0]) + 9.0 * jax.nn.log_sigmoid(-x[0])


@cache
def scaled_normal(dim: int, condition: float) -> Density:
    """Normal with independent coordinates and standard deviations from 1 down to 1 / sqrt(condition)."""
    scales = np.logspace(0.0, -0.5 * np.log10(condition), dim)

    def log_density(x):
        return -0.5 * jnp.sum(((x - 1.0) / jnp.asarray(scales)) ** 2)

    covariance = np.diag(scales**2)
    return Density(f"scaled_normal_{dim}", log_density, dim, np.ones(dim), np.ones(dim), covariance)
