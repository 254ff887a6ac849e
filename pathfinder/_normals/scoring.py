"""Draw from approximations and score the draws: ELBO estimates and final draws are this one operation.

Work comes in lanes: one approximation with the keys of `num_elbo_draws` draws from it. Lanes of all paths and
iterations are packed into batches of a fixed size, so the density is compiled once for all scoring.
"""

from typing import Any, NamedTuple

from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.namespace import Array, jit_unless_numpy
from pathfinder._arrays.streams import normal
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._density.either import Density
from pathfinder._normals.low_rank import LowRankNormal


class ScoredDraws(NamedTuple):
    """Draws of one approximation on the unconstrained scale."""

    draws: Float[Array, "draw dim"]
    log_p: Float[Array, " draw"]  # log density of the model
    log_q: Float[Array, " draw"]  # log density of the approximation


def score_lanes(
    approximations: LowRankNormal,
    keys: UInt32[Array, "lane draw 2"],
    fits: Int[Array, " lane"],
    density: Density,
) -> ScoredDraws:
    """One draw per key from the approximation of each lane, with both log densities.

    The density of the model is a program of its own, which is thus compiled once for all forms of approximations.

    Args:
        approximations: One per lane, on the leading axis of every field.
        keys: Keys of the draws of each lane.
        fits: The fit that each lane is about.
        density: Of the model.
    """
    draws, log_q = draw_lanes(approximations, keys)
    return ScoredDraws(draws, log_densities(draws, fits, density), log_q)


def score_noise(
    approximations: LowRankNormal,
    noise: Float[Array, "lane draw dim"],
    fits: Int[Array, " lane"],
    density: Density,
) -> ScoredDraws:
    """As `score_lanes`, from standard normal noise in place of keys."""
    draws, log_q = draws_of_noise(approximations, noise)
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
    approximations: LowRankNormal, keys: UInt32[Array, "lane draw 2"]
) -> tuple[Float[Array, "lane draw dim"], Float[Array, "lane draw"]]:
    """The draws of `score_lanes` and their `log_q`, without evaluating the model."""
    noise = normal(keys, approximations.dim, approximations.mean.dtype)
    return draws_of_noise(approximations, noise)


@jit_unless_numpy()
def draws_of_noise(
    approximations: LowRankNormal, noise: Float[Array, "lane draw dim"]
) -> tuple[Float[Array, "lane draw dim"], Float[Array, "lane draw"]]:
    """The draws that standard normal noise becomes, and their log densities under the own approximation."""

    def lane(approximation, own):
        return approximation.transform(own), approximation.log_density_of_noise(own)

    return over_lanes(lane)(approximations, noise)
