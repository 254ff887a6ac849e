"""A random walk with an unknown scale, observed with noise: everything about it is known by integration."""

import jax.numpy as jnp
import numpy as np
from scipy.stats import multivariate_normal

from pathfinder._pattern import Pattern


NOISE, FIRST = 0.5, 1.0
LOG_NOISE, HALF_LOG_2_PI = float(np.log(NOISE)), float(0.5 * np.log(2 * np.pi))


class Walk:
    """`x = (log scale, walk)`, with a normal prior of the log scale.

    Args:
        length: Of the walk.
    """

    def __init__(self, length: int):
        rng = np.random.default_rng(3)
        self.length, self.dim = length, length + 1
        self.y = np.cumsum(0.3 * rng.normal(size=length)) + NOISE * rng.normal(size=length)
        times = np.arange(1, length + 1)
        self.kernel = np.minimum(times[:, None], times).astype(float)

    def log_density(self, x, data=None):
        log_scale, walk = x[0], x[1:]
        steps = jnp.concatenate([walk[:1], jnp.diff(walk)]) / jnp.exp(log_scale)
        process = -0.5 * jnp.sum(steps**2) - self.length * (log_scale + HALF_LOG_2_PI)
        error = (jnp.asarray(self.y, x.dtype) - walk) / NOISE
        observed = -0.5 * jnp.sum(error**2) - self.length * (LOG_NOISE + HALF_LOG_2_PI)
        return process + observed - 0.5 * (log_scale - FIRST) ** 2 - HALF_LOG_2_PI

    def log_marginal(self, log_scale):
        """With the walk integrated out."""
        covariance = np.exp(2 * log_scale) * self.kernel + NOISE**2 * np.eye(self.length)
        return multivariate_normal(np.zeros(self.length), covariance).logpdf(self.y) - 0.5 * (log_scale - FIRST) ** 2

    def moments(self):
        """Exact means and standard deviations of all parameters, in their order."""
        places = np.linspace(-3.0, 1.0, 161)
        logs = np.array([self.log_marginal(own) for own in places])
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
        first, second = np.zeros(self.dim), np.zeros(self.dim)
        for place, weight in zip(places[weights > 1e-12], weights[weights > 1e-12], strict=True):
            prior = np.exp(2 * place) * self.kernel
            gain = prior @ np.linalg.inv(prior + NOISE**2 * np.eye(self.length))
            mean, variance = np.append(place, gain @ self.y), np.append(0.0, np.diag(prior - gain @ prior))
            first += weight * mean
            second += weight * (variance + mean**2)
        return first, np.sqrt(second - first**2)

    @property
    def pattern(self):
        return Pattern(np.append(np.arange(1, self.dim), 0), 1, 1)
