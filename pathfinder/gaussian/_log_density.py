"""The log density of a normal, by whatever its covariance is."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from pathfinder.gaussian._dense.log_density import dense_log_density


def normal_log_density(y: Float[Any, " n"], covariance: Any, mean: Any = 0.0) -> Float[Array, ""]:
    """Log density of a vector under a normal, all constants included.

    Value and gradient take one Cholesky factorization and no inverse by LU. Where there is no such normal, because
    rounding or a wrong length scale has made the covariance indefinite, the result is NaN: a point without density.

    Args:
        y: What is observed.
        covariance: A symmetric positive definite matrix.
        mean: Its mean: a vector, or one number for all.

    Raises:
        ValueError: If shapes do not fit.
    """
    y, mean, covariance = jnp.asarray(y), jnp.asarray(mean), jnp.asarray(covariance)
    if y.ndim != 1:
        raise ValueError(f"`y` must be one vector, but its shape is {y.shape}; `jax.vmap` takes many.")
    if mean.ndim > 0 and mean.shape != y.shape:
        raise ValueError(
            f"`mean` must be one number or have the shape {y.shape} of `y`, but its shape is {mean.shape}."
        )
    if covariance.shape != (*y.shape, *y.shape):
        raise ValueError(
            f"`covariance` must have the shape {(*y.shape, *y.shape)}, as `y` has {len(y)} numbers, but its shape is "
            f"{covariance.shape}."
        )
    return dense_log_density(y - mean, covariance)
