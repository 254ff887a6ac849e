"""ELBOs of normals with independent coordinates, averaged over a fixed sample: functions without noise.

Sample-average approximation as in Giordano, Ingram and Broderick (2024), JMLR 25(18), arXiv 2304.05527. The points are
(a, b): the normal has the mean `center + deviation a` and the standard deviations `deviation exp(b)`.

The noise comes in pairs of opposite sign, and its squares have the mean 1 in every coordinate. The average is then
exact for densities that are normal with independent coordinates, and an optimum owes nearly nothing to its sample:
without the latter it is 4 to 10 nats above its ELBO in 65 dimensions (docs/decisions/elbo-ascent.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.namespace import Array, jit_unless_numpy, namespace, rows
from pathfinder._arrays.streams import normal
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.either import Density
from pathfinder._density.host import HostDensity


class Sample(NamedTuple):
    """What the average of each lane is over, and what its points are relative to.

    Args:
        center: Of the means.
        deviation: Of the means and standard deviations.
        noise: Standard normal.
    """

    center: Float[Array, "lane dim"]
    deviation: Float[Array, "lane dim"]
    noise: Float[Array, "lane draw dim"]

    def normals(
        self, points: Float[Array, "*lanes twice"]
    ) -> tuple[Float[Array, "*lanes dim"], Float[Array, "*lanes dim"]]:
        """Means and standard deviations of the normals at points."""
        xp = namespace(points)
        shift, log_scale = xp.split(points, 2, axis=-1)
        return self.center + self.deviation * shift, self.deviation * xp.exp(log_scale)


@jit_unless_numpy("dim", "dtype")
def balanced_noise(keys: UInt32[Array, "lane pair 2"], *, dim: int, dtype: Any) -> Float[Array, "lane draw dim"]:
    """Noise of keys and its opposite, with squares of mean 1 in every coordinate."""
    xp = namespace(keys)
    noise = normal(keys, dim, dtype)
    noise = noise / xp.sqrt(xp.mean(noise**2, axis=-2, keepdims=True))
    return xp.concatenate([noise, -noise], axis=-2)


def sampled_elbo(density: Density, fits: Int[np.ndarray, " lane"], sample: Sample) -> Density:
    """The ELBO of each lane but for constants, as a density with one data set for each.

    Args:
        density: What is fitted.
        fits: The fit that each lane is about.
        sample: In arrays of the kind that the density takes.
    """
    num_lanes = len(fits)
    if isinstance(density, HostDensity):
        evaluator: Any = _OnHost(density, fits, sample)
        return HostDensity(evaluator, 2 * density.dim, density.dtype, num_fits=num_lanes)
    data = density.of_fits(fits).data
    if density.num_fits is None:
        xp = namespace(sample)
        data = jax.tree_util.tree_map(lambda leaf: xp.broadcast_to(leaf, (num_lanes, *np.shape(leaf))), data)
    return CompiledDensity(_Compiled(density.function), 2 * density.dim, density.dtype, (data, sample), num_lanes)


@dataclass(frozen=True)
class _OnHost:
    """An evaluator whose rows are lanes."""

    density: HostDensity
    fits: Int[np.ndarray, " lane"]
    sample: Sample

    def values(self, positions, fits, data) -> Float[np.ndarray, " n"]:
        draws, log_scale, _ = self._draws(positions, fits)
        return self.density.values(draws, self.fits[fits]).mean(axis=-1) + log_scale.sum(axis=-1)

    def values_and_gradients(self, positions, fits, data) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n dim"]]:
        draws, log_scale, spread = self._draws(positions, fits)
        log_p, gradients = self.density.values_and_gradients(draws, self.fits[fits])
        shift = gradients.mean(axis=-2) * self.sample.deviation[fits]
        scale = np.sum(gradients * spread, axis=-2) / spread.shape[-2] + 1.0
        values = log_p.mean(axis=-1) + log_scale.sum(axis=-1)
        return values, np.concatenate([shift, scale], axis=-1)

    def _draws(self, positions, lanes) -> Any:
        own = rows(self.sample, lanes)
        means, deviations = (np.asarray(part) for part in own.normals(positions))
        spread = deviations[:, None, :] * own.noise
        return means[:, None, :] + spread, positions[:, means.shape[-1] :], spread


@dataclass(frozen=True)
class _Compiled:
    """The function of one lane, the same for all densities of one function."""

    function: Any

    def __call__(self, point, lane):
        data, sample = lane
        mean, deviation = sample.normals(point)
        log_p = over_lanes(lambda noise: self.function(mean + deviation * noise, data))(sample.noise)
        xp = namespace(log_p)
        return xp.mean(log_p) + xp.sum(point[mean.shape[-1] :])
