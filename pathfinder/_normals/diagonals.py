"""Diagonals that an approximation may be built on, besides that of Gilbert and Lemarechal (`update_diagonal`)."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from pathfinder._normals.inverse_hessian import Pairs


DECAY = 0.9  # weight of a pair relative to the next one

# The candidates of each choice of the option `diagonals`. The first wins ties.
BANKS = {"gilbert": ("gilbert",), "secant": ("secant",), "bank": ("gilbert", "secant", "scalar")}


class SecantSums(NamedTuple):
    """Sums over the pairs (s, y) of a path, each pair divided by its s'y and by 1 / DECAY for every later pair."""

    positions: Float[Array, " dim"]  # of s_i^2
    gradients: Float[Array, " dim"]  # of y_i^2


def update_secant_sums(sums: SecantSums, step: Float[Array, " dim"], change: Float[Array, " dim"]) -> SecantSums:
    """The sums with one more pair, which must satisfy `has_curvature`; a pair that overflows is left out."""
    inner = step @ change
    inner = jnp.where(inner > 0, inner, 1.0)
    positions = DECAY * sums.positions + step**2 / inner
    gradients = DECAY * sums.gradients + change**2 / inner
    usable = jnp.all(jnp.isfinite(positions) & jnp.isfinite(gradients))
    return SecantSums(jnp.where(usable, positions, sums.positions), jnp.where(usable, gradients, sums.gradients))


def secant_diagonal(sums: SecantSums, otherwise: Float[Array, " dim"]) -> Float[Array, " dim"]:
    """The diagonal a that fits all pairs in both directions: it minimizes the sum of |s|^2 / a + a |y|^2.

    With samples for pairs this is the diagonal metric of Seyboldt, Carlson and Carpenter (2026, arXiv:2603.18845). It
    is exact for a normal with independent coordinates, and follows any rescaling of coordinates.

    Args:
        sums: Over the pairs.
        otherwise: What to take in coordinates that have not moved.
    """
    known = (sums.positions > 0) & (sums.gradients > 0)
    ratio = jnp.where(known, sums.positions, 1.0) / jnp.where(known, sums.gradients, 1.0)
    known &= (ratio > 0) & jnp.isfinite(ratio)
    return jnp.where(known, jnp.sqrt(jnp.where(known, ratio, 1.0)), otherwise)


def scalar_diagonal(pairs: Pairs) -> Float[Array, " dim"]:
    """The number s'y / y'y of the newest pair in every coordinate (Nocedal and Wright 2006, equation 7.20).

    Ones where there is no pair yet.
    """
    step, change = pairs.positions[-1], pairs.gradients[-1]
    inner = step @ change
    scale = jnp.where(inner > 0, inner / jnp.where(inner > 0, change @ change, 1.0), 1.0)
    return jnp.full_like(step, scale)
