"""Covariance functions of Gaussian processes.

Source: Stan functions reference, "Gaussian Process Covariance Functions"; Rasmussen and Williams (2006), chapter 4.
Inputs are an array of numbers or of vectors, or two of them for the covariances between both.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from pathfinder.gaussian._dense.distances import squared_distances
from pathfinder.gaussian._dense.profiles import exponential, matern32_profile, matern52_profile, rbf_profile
from pathfinder.stan._library.functions.function import Function, both, real_in
from pathfinder.stan._library.functions.sums import root
from pathfinder.stan._types.types import Type


Types = tuple[Type, ...]
_SQRT_3, _SQRT_5 = float(np.sqrt(3.0)), float(np.sqrt(5.0))


def _points(xp: Any, x: Any) -> Any:
    """Points as the rows of a matrix."""
    x = real_in(xp)(x)
    return x[:, None] if x.ndim == 1 else x


def _squared_distances(xp: Any, x: Any, y: Any, scale: Any) -> Any:
    scale = xp.asarray(scale)
    if xp is jnp and scale.ndim:
        # By products of matrices, as an array of all differences would be as many times as large as there are columns.
        return squared_distances(x / scale[None], y / scale[None], x is y)
    difference = x[:, None, :] - y[None, :, :]
    if scale.ndim:
        difference = difference / scale[None, None, :]
    squares = xp.sum(difference * difference, axis=-1)
    # Divided last, so that distances of data are computed once for a whole batch of parameters.
    return squares if scale.ndim else squares / (scale * scale)


def _split(types: Types, arguments: tuple[Any, ...]) -> tuple[Any, Any, tuple[Any, ...]]:
    """Both sets of points, the second of which is often left out, and the other arguments."""
    x, *rest = arguments
    two = types[1].dims == 1  # the standard deviation, which comes next, is a number
    return (x, rest[0], tuple(rest[1:])) if two else (x, x, tuple(rest))


def _stationary(covariance: Any) -> Function:
    """`sigma^2 covariance(xp, squared distance)` with one length scale, or one for each coordinate."""

    def build(xp):
        def evaluate(types, *arguments):
            x, y, (sigma, scale) = _split(types, arguments)
            points = _points(xp, x)
            distances = _squared_distances(xp, points, points if y is x else _points(xp, y), scale)
            return sigma * sigma * covariance(xp, distances)

        return evaluate

    return both(build, typed=True)


def _matern32(xp: Any, square: Any) -> Any:
    if xp is jnp:
        return matern32_profile(square)
    distance = _SQRT_3 * root(xp, square)
    return (1 + distance) * xp.exp(-distance)


def _matern52(xp: Any, square: Any) -> Any:
    if xp is jnp:
        return matern52_profile(square)
    distance = _SQRT_5 * root(xp, square)
    return (1 + distance + 5 / 3 * square) * xp.exp(-distance)


def _dot_product(xp: Any) -> Any:
    def evaluate(types, *arguments):
        x, y, (sigma,) = _split(types, arguments)
        return sigma * sigma + _points(xp, x) @ _points(xp, y).T

    return evaluate


def _periodic(xp: Any) -> Any:
    def evaluate(types, *arguments):
        x, y, (sigma, scale, period) = _split(types, arguments)
        distances = root(xp, _squared_distances(xp, _points(xp, x), _points(xp, y), 1.0))
        sine = xp.sin(np.pi * distances / period)
        return sigma * sigma * xp.exp(-2 * sine * sine / (scale * scale))

    return evaluate


GAUSSIAN_PROCESS: dict[str, Function] = {
    "gp_exp_quad_cov": _stationary(lambda xp, square: rbf_profile(square) if xp is jnp else xp.exp(-0.5 * square)),
    "gp_exponential_cov": _stationary(
        lambda xp, square: exponential(square) if xp is jnp else xp.exp(-root(xp, square))
    ),
    "gp_matern32_cov": _stationary(_matern32),
    "gp_matern52_cov": _stationary(_matern52),
    "gp_dot_prod_cov": both(_dot_product, typed=True),
    "gp_periodic_cov": both(_periodic, typed=True),
}
GAUSSIAN_PROCESS["cov_exp_quad"] = GAUSSIAN_PROCESS["gp_exp_quad_cov"]  # its name before Stan 2.33
