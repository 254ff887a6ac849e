"""Predictions: the conditional normal of what is not observed."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from pathfinder.gaussian._dense.spd import spd_solve


class Conditional(NamedTuple):
    """A conditional normal.

    Args:
        mean: Its mean.
        variance: Its variances, or its covariance matrix.
    """

    mean: Float[Array, " m"]
    variance: Float[Array, "m *m"]


def conditional(
    covariance: Float[Any, "n n"], cross: Float[Any, "n m"], prior_variance: Float[Any, "m *m"], y: Float[Any, " n"]
) -> Conditional:
    """The normal of values that are not observed, given values that are; both have mean 0 (subtract and add means).

    Rasmussen and Williams (2006), equations 2.25 and 2.26.

    Args:
        covariance: Of what is observed, noise included.
        cross: Covariances of what is observed, in rows, and what is not.
        prior_variance: Variances of what is not observed, or their covariance matrix: the result has the same form.
        y: What is observed.

    Raises:
        ValueError: If shapes do not fit.
    """
    covariance, cross, prior_variance, y = map(jnp.asarray, (covariance, cross, prior_variance, y))
    if covariance.shape != (*y.shape, *y.shape) or y.ndim != 1:
        raise ValueError(
            f"`covariance` must have as many rows and columns as `y` has numbers; the shapes are {covariance.shape} "
            f"and {y.shape}."
        )
    if cross.ndim != 2 or len(cross) != len(y):
        raise ValueError(f"`cross` must have {len(y)} rows, one for each number of `y`; its shape is {cross.shape}.")
    own = cross.shape[1:]
    if prior_variance.shape not in (own, own * 2):
        raise ValueError(
            f"`prior_variance` must have the shape {own} or {own * 2}, as `cross` has {own[0]} columns; its shape is "
            f"{prior_variance.shape}."
        )
    weights = spd_solve(covariance, cross)
    taken = jnp.sum(cross * weights, axis=0) if prior_variance.ndim == 1 else cross.T @ weights
    return Conditional(weights.T @ y, prior_variance - taken)
