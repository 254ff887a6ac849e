"""Gauss-Legendre quadrature of smooth integrands."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np


_NODES = 64


@lru_cache
def gauss_legendre(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the Gauss-Legendre rule on [0, 1]."""
    x, weights = np.polynomial.legendre.leggauss(nodes)
    return (x + 1) / 2, weights / 2


def integrate(function, lower, upper):
    """The integral of an elementwise `function` over [lower, upper], arrays of one shape, with 64 nodes."""
    width = upper - lower
    nodes, weights = (jnp.asarray(v, width.dtype).reshape(-1, *(1,) * width.ndim) for v in gauss_legendre(_NODES))
    return width * jnp.sum(weights * function(lower + width * nodes), axis=0)


def log_mean(log_function, lower, upper):
    """Log of the mean of exp(log_function) over [lower, upper], evaluated one node after the other."""
    lower, upper = jnp.broadcast_arrays(lower, upper)
    width = upper - lower
    nodes, weights = (jnp.asarray(v, width.dtype) for v in gauss_legendre(_NODES))
    values = jax.lax.map(lambda node: log_function(lower + width * node), nodes)
    log_weights = jnp.log(weights).reshape(-1, *(1,) * (values.ndim - 1))
    return jax.nn.logsumexp(values + log_weights, axis=0)
