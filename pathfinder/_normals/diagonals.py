"""Diagonals that an approximation may be built on, besides that of Gilbert and Lemarechal (`update_diagonal`)."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float

from pathfinder._arrays.namespace import Array, namespace
from pathfinder._normals.inverse_hessian import Pairs


DECAY = 0.9  # weight of a pair relative to the next one

# The candidates of each choice of the option `diagonals`. The first wins ties.
BANKS = {"gilbert": ("gilbert",), "secant": ("secant",), "bank": ("gilbert", "secant", "scalar")}


class SecantSums(NamedTuple):
    """Sums over the pairs (s, y) of a path, each pair divided by its s'y and by 1 / DECAY for every later pair."""

    positions: Float[Array, "*lanes dim"]  # of s_i^2
    gradients: Float[Array, "*lanes dim"]  # of y_i^2


def update_secant_sums(
    sums: SecantSums, step: Float[Array, "*lanes dim"], change: Float[Array, "*lanes dim"]
) -> SecantSums:
    """The sums with one more pair, which must satisfy `has_curvature`; a pair that overflows is left out."""
    xp = namespace(sums, step, change)
    inner = xp.vecdot(step, change)[..., None]
    inner = xp.where(inner > 0, inner, 1.0)
    positions = DECAY * sums.positions + step**2 / inner
    gradients = DECAY * sums.gradients + change**2 / inner
    usable = xp.all(xp.isfinite(positions) & xp.isfinite(gradients), axis=-1, keepdims=True)
    return SecantSums(xp.where(usable, positions, sums.positions), xp.where(usable, gradients, sums.gradients))


def secant_diagonal(sums: SecantSums, otherwise: Float[Array, "*lanes dim"]) -> Float[Array, "*lanes dim"]:
    """The diagonal a that fits all pairs in both directions: it minimizes the sum of |s|^2 / a + a |y|^2.

    With samples for pairs this is the diagonal metric of Seyboldt, Carlson and Carpenter (2026, arXiv:2603.18845). It
    is exact for a normal with independent coordinates, and follows any rescaling of coordinates.

    Args:
        sums: Over the pairs.
        otherwise: What to take in coordinates that have not moved.
    """
    xp = namespace(sums, otherwise)
    known = (sums.positions > 0) & (sums.gradients > 0)
    ratio = xp.where(known, sums.positions, 1.0) / xp.where(known, sums.gradients, 1.0)
    known &= (ratio > 0) & xp.isfinite(ratio)
    return xp.where(known, xp.sqrt(xp.where(known, ratio, 1.0)), otherwise)


def scalar_diagonal(pairs: Pairs) -> Float[Array, "*lanes dim"]:
    """The number s'y / y'y of the newest pair in every coordinate (Nocedal and Wright 2006, equation 7.20).

    Ones where there is no pair yet.
    """
    xp = namespace(pairs)
    step, change = pairs.positions[..., -1, :], pairs.gradients[..., -1, :]
    inner = xp.vecdot(step, change)
    scale = xp.where(inner > 0, inner / xp.where(inner > 0, xp.vecdot(change, change), 1.0), 1.0)
    return xp.broadcast_to(scale[..., None], step.shape)
