"""Stationary kernels as functions of the squared distance, with their derivatives: finite where points coincide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def with_slope(function: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of numbers with a derivative that is given."""
    own = jax.custom_jvp(function)

    @own.defjvp
    def _jvp(primals, tangents):
        (square,), (of_square,) = primals, tangents
        return own(square), slope(square) * of_square

    return own


def root(square: Any) -> Any:
    """Its square root, whose derivative is taken for 0 at 0."""
    is_zero = square == 0.0
    return jnp.where(is_zero, 0.0, jnp.sqrt(jnp.where(is_zero, 1.0, square)))


def _matern32(square: Any) -> Any:
    distance = np.sqrt(3.0).astype(square.dtype) * jnp.sqrt(square)
    return (1.0 + distance) * jnp.exp(-distance)


def _matern52(square: Any) -> Any:
    distance = np.sqrt(5.0).astype(square.dtype) * jnp.sqrt(square)
    return (1.0 + distance + (5.0 / 3.0) * square) * jnp.exp(-distance)


def _slope_of_matern52(square: Any) -> Any:
    distance = np.sqrt(5.0).astype(square.dtype) * root(square)
    return (-5.0 / 6.0) * (1.0 + distance) * jnp.exp(-distance)


def _slope_of_exponential(square: Any) -> Any:
    # Infinite where points coincide: the kernel has a kink there, and points do not move apart by a derivative.
    is_zero = square == 0.0
    distance = jnp.sqrt(jnp.where(is_zero, 1.0, square))
    return jnp.where(is_zero, 0.0, -0.5 * jnp.exp(-distance) / distance)


rbf_profile = with_slope(lambda square: jnp.exp(-0.5 * square), lambda square: -0.5 * jnp.exp(-0.5 * square))
exponential = with_slope(lambda square: jnp.exp(-jnp.sqrt(square)), _slope_of_exponential)
matern32_profile = with_slope(
    _matern32, lambda square: -1.5 * jnp.exp(-np.sqrt(3.0).astype(square.dtype) * root(square))
)
matern52_profile = with_slope(_matern52, _slope_of_matern52)
