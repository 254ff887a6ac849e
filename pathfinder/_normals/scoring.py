"""Draw from approximations and score the draws: ELBO estimates and final draws are this one operation.

Work comes in lanes: one approximation with the keys of `num_elbo_draws` draws from it. Lanes of all paths and
iterations are packed into batches of a fixed size, so the density is compiled once for all scoring.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.namespace import Array, jit_unless_numpy
from pathfinder._arrays.streams import normal
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._density.either import Density
from pathfinder._normals.student_t import Distribution, noise_of_keys


class ScoredDraws(NamedTuple):
    """Draws of approximations on the unconstrained scale."""

    draws: Float[Array, "*lanes draw dim"]
    log_p: Float[Array, "*lanes draw"]  # log density of the model
    log_q: Float[Array, "*lanes draw"]  # log density of the approximation


def score_lanes(
    drawn: tuple[Float[Array, "lane draw dim"], Float[Array, "lane draw"]], fits: Int[Array, " lane"], density: Density
) -> ScoredDraws:
    """Draws of the approximation of each lane, with both log densities.

    The density of the model is a program of its own, which is thus compiled once for all forms of approximations.

    Args:
        drawn: The draws and their log densities under the own approximation, from `draw_lanes` or `draws_of_noise`.
        fits: The fit that each lane is about.
        density: Of the model.
    """
    draws, log_q = drawn
    return ScoredDraws(draws, log_densities(draws, fits, density), log_q)


@jit_unless_numpy("dim", "dtype")
def lane_noise(keys: UInt32[Array, "lane draw 2"], *, dim: int, dtype: Any) -> Float[Array, "lane draw dim"]:
    """The standard normal noise of keys."""
    return normal(keys, dim, dtype)


@jit_unless_numpy()
def log_densities(
    draws: Float[Any, "lane *draws dim"], fits: Int[Any, " lane"], density: Density
) -> Float[Array, "lane *draws"]:
    """Log densities of the model at draws; arguments as of `score_lanes`."""
    return density.values(draws, fits)


@jit_unless_numpy()
def draw_lanes(
    approximations: Distribution, keys: UInt32[Array, "lane draw 2"]
) -> tuple[Float[Array, "lane draw dim"], Float[Array, "lane draw"]]:
    """One draw per key from the approximation of each lane, and the log densities of the draws under it."""
    return draws_of_noise(approximations, noise_of_keys(approximations, keys))


@jit_unless_numpy()
def draws_of_noise(
    approximations: Distribution, noise: Float[Array, "lane draw dim"]
) -> tuple[Float[Array, "lane draw dim"], Float[Array, "lane draw"]]:
    """As `draw_lanes`, from standard normal noise in place of keys."""

    def lane(approximation, own):
        return approximation.transform(own), approximation.log_density_of_noise(own)

    return over_lanes(lane)(approximations, noise)
