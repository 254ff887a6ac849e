"""Which of the normals that refinement comes by are kept, judged by the ELBOs of their own draws.

A normal that is far from the density has an ELBO that is as uncertain as it is low. Its own error is therefore no
excuse: of two errors the smaller one counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt32

from pathfinder._arrays.streams import draw_keys
from pathfinder._density.either import Density
from pathfinder._normals.elbo import ElboEstimate, estimate_elbo
from pathfinder._normals.normal import Normal
from pathfinder._normals.scoring import draw_lanes, score_lanes


SURE_ERRORS = 3.0  # standard errors that nearly all estimates are within
CLOSE_ERRORS = 2.0  # standard errors by which the newest may be below the best
MOST_UNDONE = 5  # rounds of one lane


class Judgement(NamedTuple):
    """What draws say of normals, one on each leading axis.

    Args:
        mean: The mean log ratio over draws with a finite density; -inf if there are none.
        error: Its standard error; 0 where it is not known.
        num_finite: How many these are.
        num_draws: Of how many.
    """

    mean: Float[np.ndarray, " lane"]
    error: Float[np.ndarray, " lane"]
    num_finite: Int[np.ndarray, " lane"]
    num_draws: Int[np.ndarray, " lane"]

    @classmethod
    def of(cls, elbo: ElboEstimate, num_draws: int) -> Judgement:
        """By an estimate from so many draws."""
        share = np.maximum(elbo.num_finite, 1) / num_draws
        draws = np.full(elbo.num_finite.shape, num_draws)
        return cls(elbo.mean - np.log(share), np.nan_to_num(elbo.standard_error), elbo.num_finite, draws)

    @classmethod
    def nothing(cls, num_lanes: int) -> Judgement:
        """Of what was never drawn from."""
        none = np.zeros(num_lanes, np.int64)
        return cls(np.full(num_lanes, -np.inf), np.zeros(num_lanes), none, none)

    @property
    def elbo(self) -> Float[np.ndarray, " lane"]:
        """ELBOs of the normals truncated to where the density is finite."""
        return self.mean + np.log(np.maximum(self.num_finite, 1) / np.maximum(self.num_draws, 1))

    @property
    def elbo_error(self) -> Float[np.ndarray, " lane"]:
        """Standard errors of these, with that of the share of finite draws."""
        of_share = 1.0 / np.maximum(self.num_finite, 1) - 1.0 / np.maximum(self.num_draws, 1)
        return np.hypot(self.error, np.sqrt(np.maximum(of_share, 0.0)))

    @property
    def lower_end(self) -> Float[np.ndarray, " lane"]:
        """What ELBOs are at least: those of normals with a few bad draws are uncertain, and likely overestimated."""
        return self.elbo - SURE_ERRORS * self.elbo_error

    def pooled(self, other: Judgement) -> Judgement:
        """By the draws of both, from the same normals."""
        num_finite = self.num_finite + other.num_finite
        share = self.num_finite / np.maximum(num_finite, 1)
        parts = [np.where(own.num_finite > 0, own.mean, 0.0) for own in (self, other)]
        mean = np.where(num_finite > 0, share * parts[0] + (1 - share) * parts[1], -np.inf)
        error = np.hypot(share * self.error, (1 - share) * other.error)
        return Judgement(mean, error, num_finite, self.num_draws + other.num_draws)


def is_failure(newest: Judgement, best: Judgement, dim: int) -> Bool[np.ndarray, " lane"]:
    """Whether normals have left the mass, which shows at their draws.

    A bold step may lose up to a nat per dimension and be right: the next ones gain it back. What has to be undone
    loses far more.
    """
    return newest.elbo < best.elbo - SURE_ERRORS * np.minimum(newest.elbo_error, best.elbo_error) - dim


def is_close(newest: Judgement, best: Judgement) -> Bool[np.ndarray, " lane"]:
    """Whether normals are as good as the best, as far as draws can tell."""
    return newest.lower_end >= best.lower_end - CLOSE_ERRORS * np.minimum(newest.elbo_error, best.elbo_error)


def judge(
    density: Density,
    normals: Normal,
    keys: UInt32[np.ndarray, "lane 2"],
    fits: Int[np.ndarray, " lane"],
    num_draws: int,
) -> Judgement:
    """What draws of their own say of normals; equal keys give equal noise, much of which cancels in differences.

    Args:
        density: Of the model.
        normals: One per lane.
        keys: Key of each lane.
        fits: The fit that each is about.
        num_draws: How many draws.
    """
    own, own_keys, own_fits = density.arrays((normals, draw_keys(keys, num_draws), fits))
    scored = score_lanes(draw_lanes(own, own_keys), own_fits, density)
    return Judgement.of(estimate_elbo(scored.log_p, scored.log_q), num_draws)
