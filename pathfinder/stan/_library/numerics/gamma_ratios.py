"""Ratios of gamma functions, whose logarithms must not be taken one by one.

lgamma(1e10 + 5) - lgamma(1e10) as written has no correct digit behind the point. Here Stirling's formula is subtracted
from itself analytically (DLMF 5.11.1), which leaves a log1p and the difference of two small remainders.
"""

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln

from pathfinder.stan._library.numerics.logarithms import LOG_PI


# From here on the series of `_stirling_remainder` is exact to double precision.
_LARGE = 10.0
# B_2k / (2k (2k - 1)), DLMF 5.11.1
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


def _stirling_remainder(x):
    """gammaln(x) minus Stirling's (x - 1/2) log x - x + log(2 pi) / 2, for x >= 10."""
    z = 1 / (x * x)
    total = jnp.full_like(x, _STIRLING[-1])
    for coefficient in _STIRLING[-2::-1]:
        total = total * z + coefficient
    return total / x


def log_rising(a, n):
    """Log |gamma(a + n) / gamma(a)|, the log of the rising factorial, for n >= 0; exactly 0 at n = 0."""
    large = a >= _LARGE
    x = jnp.where(large, a, _LARGE)
    by_stirling = (
        (x - 0.5) * jnp.log1p(n / x) + n * (jnp.log(x + n) - 1) + _stirling_remainder(x + n) - _stirling_remainder(x)
    )
    small = jnp.where(large, 1.0, a)
    return jnp.where(large, by_stirling, gammaln(small + n) - gammaln(small))


def log_beta(a, b):
    """Log of the beta function, for a, b > 0."""
    smaller, larger = jnp.minimum(a, b), jnp.maximum(a, b)
    return gammaln(smaller) - log_rising(larger, smaller)


def log_choose(n, k):
    """Log of the binomial coefficient, for real -1 <= k <= n + 1."""
    fewer = jnp.minimum(k, n - k)
    return log_rising(n - fewer + 1, fewer) - gammaln(fewer + 1)


def log_multivariate_gamma(k, x):
    """Log of the multivariate gamma function of the dimension `k`, known while tracing; both may be arrays."""
    k = np.asarray(k)
    value = jnp.zeros_like(x) + jnp.asarray(k * (k - 1) / 4 * LOG_PI, x.dtype)
    for j in range(int(k.max(initial=0))):
        value = value + jnp.where(k > j, gammaln(jnp.where(k > j, x - j / 2, 1.0)), 0.0)
    return value
