"""Student's t distributions beside normals: proposals whose tails are heavier than those of most targets.

Importance weights are bounded where the proposal has the heavier tail. A t with 4 degrees of freedom has a covariance,
and a tail that decays as a power: the log of a scale, of which a posterior decays as an exponential, is within it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
from jaxtyping import Bool, Float, UInt32

from pathfinder._arrays.namespace import Array, namespace
from pathfinder._arrays.streams import CHI_SQUARE_DEGREES, chi_square, normal
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.normal import Normal


DEGREES_OF_FREEDOM = CHI_SQUARE_DEGREES


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class NormalOrT:
    """A normal, or the Student's t with 4 degrees of freedom that has its mean and covariance as location and scale.

    With leading axes some may be the one and some the other. Methods are those of `LowRankNormal`, where the noise of
    a t is a draw of the standard one.

    Args:
        normal: The normal.
        is_t: Whether it is a t.
    """

    normal: LowRankNormal
    is_t: Bool[Array, "*lanes"]

    @property
    def mean(self) -> Float[Array, "*lanes dim"]:
        """Mean."""
        return self.normal.mean

    @property
    def dim(self) -> int:
        """Number of dimensions."""
        return self.normal.dim

    def transform(self, noise: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors dim"]:
        """The draw that noise becomes."""
        return self.normal.transform(noise)

    def log_density_of_noise(self, noise: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors"]:
        """Log density at the draw `transform(noise)`."""
        xp = namespace(self, noise)
        log_det, is_t = self.normal.log_det_cholesky, self.is_t
        if noise.ndim > self.mean.ndim:
            log_det, is_t = log_det[..., None], is_t[..., None]
        power = 0.5 * (DEGREES_OF_FREEDOM + self.dim)
        constant = math.lgamma(power) - math.lgamma(0.5 * DEGREES_OF_FREEDOM)
        constant -= 0.5 * self.dim * math.log(DEGREES_OF_FREEDOM * math.pi)
        of_t = constant - log_det - power * xp.log1p(xp.vecdot(noise, noise) / DEGREES_OF_FREEDOM)
        return xp.where(is_t, of_t, self.normal.log_density_of_noise(noise))

    def log_density(self, position: Float[Array, "*vectors dim"]) -> Float[Array, "*vectors"]:
        """Log density, with all constants."""
        return self.log_density_of_noise(self.normal.noise(position))


Distribution = Normal | NormalOrT


def noise_of_keys(distributions: Distribution, keys: UInt32[Array, "lane draw 2"]) -> Float[Array, "lane draw dim"]:
    """The noise that the draws of keys are made from: standard normal, or that over the root of a chi-square's mean."""
    noise = normal(keys, distributions.dim, distributions.mean.dtype)
    if not isinstance(distributions, NormalOrT):
        return noise
    xp = namespace(distributions, keys)
    widths = xp.sqrt(DEGREES_OF_FREEDOM / chi_square(keys, distributions.dim, noise.dtype))
    return noise * xp.where(distributions.is_t[..., None], widths, 1.0)[..., None]
