"""Cholesky factors of banded matrices, row by row.

A symmetric matrix of lower bandwidth `w` is an array of shape `(n, w + 1)` whose entry `[i, j]` is that of row `i` and
column `i - j`; it is zero where that column does not exist. Lower triangular factors are held alike. The recursion of a
row is written out: `w` is small.

Source: Rue and Held (2005), "Gaussian Markov Random Fields", section 2.4; of the selected inverse Takahashi, Fagan and
Chen (1973).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def band_cholesky(band: Float[Array, "n width"]) -> Float[Array, "n width"]:
    """The lower Cholesky factor of a banded matrix; NaN from the first pivot on that is not positive.

    Args:
        band: The matrix.
    """
    width = band.shape[1] - 1

    def step(above, entries):
        row = [jnp.zeros((), band.dtype)] * (width + 1)
        for offset in range(width, 0, -1):
            known = above[offset - 1]
            inner = sum(row[offset + more] * known[more] for more in range(1, width - offset + 1))
            row[offset] = (entries[offset] - inner) / known[0]
        row[0] = jnp.sqrt(entries[0] - sum(entry * entry for entry in row[1:]))
        found = jnp.stack(row)
        return jnp.concatenate([found[None], above])[:width], found

    # Rows above the first are those of the identity.
    above = jnp.zeros((width, width + 1), band.dtype).at[:, 0].set(1.0)
    return jax.lax.scan(step, above, _within(band))[1]


def band_solve(
    factor: Float[Array, "n width"], right: Float[Array, "n *columns"], *, transpose: bool = False
) -> Float[Array, "n *columns"]:
    """Solve `L x = right`, or `L' x = right`, with a banded lower triangular matrix L.

    Args:
        factor: L.
        right: One vector, or several in columns.
        transpose: Whether with L'.
    """
    width = factor.shape[1] - 1
    entries = columns_of(factor) if transpose else _within(factor)

    def step(before, row):
        own, value = row
        found = (value - jnp.tensordot(own[1:], before, 1)) / own[0]
        return jnp.concatenate([found[None], before])[:width], found

    before = jnp.zeros((width, *right.shape[1:]), jnp.result_type(factor, right))
    return jax.lax.scan(step, before, (entries, right.astype(before.dtype)), reverse=transpose)[1]


def band_product(band: Float[Array, "n width"], right: Float[Array, "n *columns"]) -> Float[Array, "n *columns"]:
    """A symmetric banded matrix times vectors.

    Args:
        band: The matrix.
        right: One vector, or several in columns.
    """
    band = _within(band)
    own = (slice(None), *[None] * (right.ndim - 1))
    product = band[:, 0][own] * right
    for offset in range(1, min(band.shape[1], len(band))):
        entries = band[offset:, offset][own]
        product = product.at[offset:].add(entries * right[:-offset]).at[:-offset].add(entries * right[offset:])
    return product


def lower_product(
    factor: Float[Array, "n width"], right: Float[Array, "n *columns"], *, transpose: bool = False
) -> Float[Array, "n *columns"]:
    """A banded lower triangular matrix, or its transpose, times vectors.

    Args:
        factor: The matrix.
        right: One vector, or several in columns.
        transpose: Whether to take the transpose.
    """
    factor = _within(factor)
    own = (slice(None), *[None] * (right.ndim - 1))
    product = factor[:, 0][own] * right
    for offset in range(1, min(factor.shape[1], len(factor))):
        entries = factor[offset:, offset][own]
        if transpose:
            product = product.at[:-offset].add(entries * right[offset:])
        else:
            product = product.at[offset:].add(entries * right[:-offset])
    return product


def selected_inverse(factor: Float[Array, "n width"]) -> Float[Array, "n width"]:
    """The part of the inverse of `L L'` that lies in the band of L.

    Args:
        factor: L.
    """
    width = factor.shape[1] - 1

    def step(block, column):
        ratios = column[1:] / column[0]
        below = -block @ ratios
        own = 1.0 / column[0] ** 2 - ratios @ below
        grown = jnp.block([[own[None, None], below[None]], [below[:, None], block]])
        return grown[:width, :width], jnp.concatenate([own[None], below])

    block = jnp.zeros((width, width), factor.dtype)
    columns = jax.lax.scan(step, block, columns_of(factor), reverse=True)[1]
    # Entry `[i, j]` is now that of row `i + j` and column `i`.
    shifted = [jnp.concatenate([jnp.zeros(offset, factor.dtype), columns[: len(columns) - offset, offset]])
               for offset in range(min(width + 1, len(columns)))]  # fmt: skip
    shifted += [jnp.zeros(len(columns), factor.dtype)] * (width + 1 - len(shifted))
    return jnp.stack(shifted, axis=1)


def columns_of(factor: Float[Array, "n width"]) -> Float[Array, "n width"]:
    """The same numbers by columns: entry `[i, j]` is that of row `i + j` and column `i`."""
    size = len(factor)
    shifted = [jnp.concatenate([factor[offset:, offset], jnp.zeros(min(offset, size), factor.dtype)])
               for offset in range(factor.shape[1])]  # fmt: skip
    return jnp.stack(shifted, axis=1)


def _within(band: Float[Array, "n width"]) -> Float[Array, "n width"]:
    """With zeros for what would lie left of the first column, which recursions read."""
    rows, offsets = jnp.arange(band.shape[0])[:, None], jnp.arange(band.shape[1])[None]
    return jnp.where(offsets <= rows, band, 0.0)
