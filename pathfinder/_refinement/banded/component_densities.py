"""Log densities of draws under many normals with the same pattern, as one product of matrices.

The exponent of a normal with a banded precision is linear in the products of neighbours, of which there are few.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pathfinder._arrays.blas_threads import one_blas_thread
from pathfinder._normals.bordered import BorderedNormal


class ComponentDensities:
    """Normals, whose log densities are asked for together.

    Args:
        normals: The normals, of one pattern.
        center: Where numbers are small beside the widths of all: the mean of one of them.
    """

    def __init__(self, normals: list[BorderedNormal], center: Float[np.ndarray, " dim"]):
        self._order, self._center = normals[0].order, np.asarray(center, np.float64)
        self._num_border, self._width = normals[0].num_border, normals[0].width
        self._coefficients = np.stack([self._of_normal(own) for own in normals], axis=1)

    def __call__(self, draws: Float[np.ndarray, "draw dim"]) -> Float[np.ndarray, "normal draw"]:
        """Log densities under each normal."""
        chain, border = self._parts(np.asarray(draws, np.float64))
        features = [chain[:, offset:] * chain[:, : chain.shape[1] - offset] for offset in self._offsets(chain.shape[1])]
        features += [chain, *[chain * border[:, place : place + 1] for place in range(self._num_border)]]
        features += [
            border,
            (border[:, :, None] * border[:, None, :]).reshape(len(draws), -1),
            np.ones((len(draws), 1)),
        ]
        with one_blas_thread():
            return (np.concatenate(features, axis=1) @ self._coefficients).T

    def _parts(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Chain and border, relative to the center."""
        ordered = (vectors - self._center)[..., self._order]
        split = ordered.shape[-1] - self._num_border
        return ordered[..., :split], ordered[..., split:]

    def _offsets(self, size: int) -> range:
        return range(min(self._width + 1, size))

    def _of_normal(self, normal: BorderedNormal) -> Float[np.ndarray, " feature"]:
        """Coefficients of the features in the log density: -(x' A x) / 2 - x' C t - ..., with means multiplied out."""
        factor, half, corner = (np.asarray(part, np.float64) for part in (normal.band, normal.border, normal.corner))
        size = len(factor)
        bands = []
        for offset in self._offsets(size):
            own = np.zeros(size - offset)
            for more in range(self._width + 1 - offset):  # entries of L L'
                rows = slice(offset + more, None) if more else slice(offset, None)
                own[more:] += factor[rows, offset + more] * factor[more : size - offset, more]
            bands.append(own)
        # C = L Y, G = M M' + Y' Y
        cross = factor[:, :1] * half
        for offset in range(1, min(self._width + 1, size)):
            cross[offset:] += factor[offset:, offset, None] * half[:-offset]
        gram = corner @ corner.T + half.T @ half
        mean, border = self._parts(np.asarray(normal.mean, np.float64))
        pulled = bands[0] * mean
        for offset, own in enumerate(bands[1:], 1):
            pulled[offset:] += own * mean[:-offset]
            pulled[:-offset] += own * mean[offset:]
        linear = pulled + cross @ border
        linear_border = cross.T @ mean + gram @ border
        constant = -0.5 * (mean @ pulled + 2 * mean @ cross @ border + border @ gram @ border)
        constant -= float(normal.log_det_cholesky) + 0.5 * normal.dim * np.log(2 * np.pi)
        squares = [-0.5 * bands[0], *[-own for own in bands[1:]]]
        parts = [*squares, linear, *(-cross.T), linear_border, -0.5 * gram.ravel(), [constant]]
        return np.concatenate(parts)
