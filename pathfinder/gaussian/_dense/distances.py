"""Squared distances between points by products of matrices."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def squared_distances(x: Float[Array, "n columns"], y: Float[Array, "m columns"], same: bool) -> Float[Array, "n m"]:
    """Squared Euclidean distances; their derivative, too, is products of matrices, and linear in few large arrays.

    Args:
        x: Points.
        y: Other points.
        same: Whether these are the same points; the diagonal is then exactly 0.
    """
    # Around their middle, so that as few digits are lost as can be.
    middle = jnp.mean(x, axis=0, keepdims=True)
    x, y = x - middle, y - middle
    square = jnp.sum(x * x, axis=1)[:, None] + jnp.sum(y * y, axis=1)[None] - 2.0 * (x @ y.T)
    square = jnp.maximum(square, 0.0)
    return jnp.where(jnp.eye(len(x), dtype=bool), 0.0, square) if same else square


@squared_distances.defjvp
def _squared_distances_jvp(same, primals, tangents):
    (x, y), (of_x, of_y) = primals, tangents
    middle = jax.lax.stop_gradient(jnp.mean(x, axis=0, keepdims=True))
    own, other = x - middle, y - middle
    rows, columns = jnp.sum(own * of_x, axis=1)[:, None], jnp.sum(other * of_y, axis=1)[None]
    slope = 2.0 * (rows + columns - own @ of_y.T - of_x @ other.T)
    return squared_distances(x, y, same), slope
