"""Cholesky factors of matrices that rounding has made indefinite: with the smallest jitter that helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.lax.linalg import cholesky as factorized
from jaxtyping import Array, Float

from pathfinder.gaussian._dense.cholesky import cholesky_tangent


class SafeFactor(NamedTuple):
    """A factor and what it took.

    Args:
        factor: Lower Cholesky factor; NaN if no jitter helped.
        jitter: What was added to the diagonal, relative to its mean; the largest one that was tried if none helped.
    """

    factor: Float[Array, "n n"]
    jitter: Float[Array, ""]


def safe_cholesky(covariance: Float[Array, "n n"], jitter: Sequence[float] = (0.0, 1e-8, 1e-6, 1e-4)) -> SafeFactor:
    """The factor of a matrix plus the first jitter, times the mean of its diagonal, with which it is positive definite.

    Nothing warns from within a compiled program: look at the jitter that comes back. Log densities add none by
    themselves: a point without a density is one where they are NaN.

    Args:
        covariance: A symmetric matrix, of which the lower triangle is read.
        jitter: What is tried in turn, relative to the mean of the diagonal. In single precision 1e-8 changes nothing.

    Raises:
        ValueError: If nothing is to be tried, or the matrix is not square.
    """
    covariance = jnp.asarray(covariance)
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
        raise ValueError(f"`covariance` must be a square matrix, but its shape is {covariance.shape}.")
    if len(jitter) == 0:
        raise ValueError("`jitter` must hold at least one number to try; 0 adds nothing.")
    return SafeFactor(*_tried(covariance, tuple(float(own) for own in jitter)))


def _with_jitter(covariance: Array, jitter: Array) -> Array:
    size = len(covariance)
    return covariance + jitter * jnp.trace(covariance) / size * jnp.eye(size, dtype=covariance.dtype)


def _tried(covariance: Array, jitter: tuple[float, ...]) -> tuple[Array, Array]:
    def on_rung(rung):
        # Numbers and not an array of them, which would be a constant of the program.
        value = jnp.full((), jitter[0], covariance.dtype)
        for place, number in enumerate(jitter[1:], 1):
            value = jnp.where(rung == place, jnp.full((), number, covariance.dtype), value)
        return value

    @jax.custom_jvp
    def tried(covariance):
        def attempt(rung):
            return factorized(_with_jitter(covariance, on_rung(rung)), symmetrize_input=False)

        def goes_on(carry):
            factor, rung = carry
            return ~jnp.isfinite(factor[-1, -1]) & (rung + 1 < len(jitter))

        def next_rung(carry):
            return attempt(carry[1] + 1), carry[1] + 1

        # The last pivot is NaN if any before it is.
        return jax.lax.while_loop(goes_on, next_rung, (attempt(0), jnp.zeros((), jnp.int32)))

    @tried.defjvp
    def _tried_jvp(primals, tangents):
        (covariance,), (of_covariance,) = primals, tangents
        factor, rung = tried(covariance)
        of_factor = cholesky_tangent(factor, _with_jitter(of_covariance, on_rung(rung)))
        return (factor, rung), (of_factor, jnp.zeros(rung.shape, jax.dtypes.float0))

    factor, rung = tried(covariance)
    return factor, on_rung(rung)
