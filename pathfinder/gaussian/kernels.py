"""Covariance functions of Gaussian processes with analytic derivatives: no array of points by points by columns.

Every kernel gives a matrix, so sums and products of kernels are sums and products (`+`, `*`) of what they give. Source:
Rasmussen and Williams (2006), "Gaussian Processes for Machine Learning", chapter 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pathfinder.gaussian._dense.distances import squared_distances
from pathfinder.gaussian._dense.profiles import exponential, matern32_profile, matern52_profile, rbf_profile


Points = Float[Any, "n *columns"]


def rbf(x: Points, y: Points | None = None, *, scale: Any = 1.0, sd: Any = 1.0) -> Float[Array, "n m"]:
    """The squared exponential kernel, `sd^2 exp(-r^2 / 2)`, where r is the distance in units of `scale`.

    Args:
        x: Points: numbers, or rows of several columns.
        y: Other points; the same if None, and then the diagonal is exact.
        scale: Length scale, one or one for each column.
        sd: Marginal standard deviation.

    Raises:
        ValueError: If points do not have the same columns, or there is another number of length scales.
    """
    return _stationary(rbf_profile, x, y, scale, sd)


def matern12(x: Points, y: Points | None = None, *, scale: Any = 1.0, sd: Any = 1.0) -> Float[Array, "n m"]:
    """The exponential kernel (Matern 1/2, Ornstein and Uhlenbeck), `sd^2 exp(-r)`; arguments as of `rbf`."""
    return _stationary(exponential, x, y, scale, sd)


def matern32(x: Points, y: Points | None = None, *, scale: Any = 1.0, sd: Any = 1.0) -> Float[Array, "n m"]:
    """The Matern 3/2 kernel, `sd^2 (1 + a) exp(-a)` with `a = sqrt(3) r`; arguments as of `rbf`."""
    return _stationary(matern32_profile, x, y, scale, sd)


def matern52(x: Points, y: Points | None = None, *, scale: Any = 1.0, sd: Any = 1.0) -> Float[Array, "n m"]:
    """The Matern 5/2 kernel, `sd^2 (1 + a + a^2 / 3) exp(-a)` with `a = sqrt(5) r`; arguments as of `rbf`."""
    return _stationary(matern52_profile, x, y, scale, sd)


def rational_quadratic(
    x: Points, y: Points | None = None, *, scale: Any = 1.0, sd: Any = 1.0, mixture: Any = 1.0
) -> Float[Array, "n m"]:
    """The rational quadratic kernel, `sd^2 (1 + r^2 / (2 mixture))^-mixture`; other arguments as of `rbf`.

    Args:
        x: Points.
        y: Other points.
        scale: Length scales.
        sd: Marginal standard deviation.
        mixture: How alike the scales are that it is a mixture of; infinite for `rbf`.
    """
    square = _scaled_distances(x, y, scale)
    return jnp.square(sd) * jnp.exp(-mixture * jnp.log1p(square / (2.0 * mixture)))


def periodic(
    x: Points, y: Points | None = None, *, period: Any = 1.0, scale: Any = 1.0, sd: Any = 1.0
) -> Float[Array, "n m"]:
    """The periodic kernel, `sd^2 exp(-2 sum_d sin^2(pi (x_d - y_d) / period_d) / scale_d^2)`.

    Args:
        x: Points.
        y: Other points.
        period: One period, or one for each column.
        scale: Length scales, relative to the circle that a period is.
        sd: Marginal standard deviation.
    """

    def on_circles(points: Any) -> Array:
        rows, own = _rows(points, "x"), jnp.asarray(period)
        angles = 2.0 * np.pi * rows / (own[None] if own.ndim else own)
        return jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], axis=1)

    own = jnp.asarray(scale)
    both = jnp.concatenate([own, own]) if own.ndim else own
    return _stationary(rbf_profile, on_circles(x), None if y is None else on_circles(y), both, sd)


def linear(x: Points, y: Points | None = None, *, scale: Any = 1.0, sd: Any = 1.0) -> Float[Array, "n m"]:
    """The linear kernel, `sd^2 sum_d x_d y_d / scale_d^2`; arguments as of `rbf`."""
    scale = jnp.asarray(scale)
    scale = scale[None] if scale.ndim else scale
    one = _rows(x, "x") / scale
    other = one if y is None else _rows(y, "y") / scale
    return jnp.square(sd) * (one @ other.T)


def _stationary(profile: Callable[[Any], Any], x: Any, y: Any, scale: Any, sd: Any) -> Array:
    return jnp.square(sd) * profile(_scaled_distances(x, y, scale))


def _scaled_distances(x: Any, y: Any, scale: Any) -> Array:
    one, scale = _rows(x, "x"), jnp.asarray(scale)
    other = one if y is None else _rows(y, "y")
    if other.shape[1] != one.shape[1]:
        raise ValueError(f"`x` has {one.shape[1]} columns and `y` has {other.shape[1]}; they must have as many.")
    if scale.ndim > 1 or scale.ndim == 1 and len(scale) != one.shape[1]:
        raise ValueError(
            f"`scale` must be one number or one for each of the {one.shape[1]} columns; its shape is {scale.shape}."
        )
    scale = scale[None] if scale.ndim else scale
    own = one / scale
    return squared_distances(own, own if y is None else other / scale, y is None)


def _rows(points: Any, name: str) -> Array:
    points = jnp.asarray(points)
    if points.ndim not in (1, 2):
        raise ValueError(f"`{name}` must be numbers, or rows of columns; its shape is {points.shape}.")
    if not jnp.issubdtype(points.dtype, jnp.floating):
        points = points.astype(jnp.result_type(float))
    return points[:, None] if points.ndim == 1 else points
