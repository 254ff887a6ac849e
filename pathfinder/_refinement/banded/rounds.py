"""Rounds of averaged Hessians: the natural gradient of the ELBO in the family of normals with a banded precision.

The precision becomes the average negative Hessian over draws of the present normal, and the mean moves by the average
score (Khan and Rue 2023, "The Bayesian learning rule", section 3). Draws come in pairs of opposite sign, so that
neither has noise where the density is normal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pathfinder._normals.bordered import BorderedNormal, bordered_normal
from pathfinder._normals.elbo import estimate_elbo
from pathfinder._refinement.banded.chain_factor import ChainFactor, Precision
from pathfinder._refinement.banded.curvatures import PatternDensity
from pathfinder._refinement.history import RefinedLane
from pathfinder._refinement.judging import MOST_UNDONE, Judgement, is_close, is_failure


PAIRS = 4  # of draws of a round
AVERAGED_ROUNDS = 6  # once the ELBO has stopped rising
RISE = 0.5  # nats, above its error, below which the ELBO of a round has not risen
MATCHED_DIVERGENCE = 1e-3  # of all dimensions together
LONGEST_BORDER_STEP = 3.0  # standard deviations of the border, of one round


class Standing(NamedTuple):
    """A normal in the order of the pattern.

    Args:
        mean: Its mean.
        precision: Its precision, positive definite.
    """

    mean: Float[np.ndarray, " dim"]
    precision: Precision

    @property
    def normal(self) -> BorderedNormal:
        """The normal, of parameters in this order."""
        return bordered_normal(self.mean, *self.precision, np.arange(len(self.mean)))


class _Averages(NamedTuple):
    """What the draws of a round say: their mean, the mean score, and the average negative Hessian."""

    point: Float[np.ndarray, " dim"]
    score: Float[np.ndarray, " dim"]
    precision: Precision


def banded_rounds(
    density: PatternDensity,
    start: Standing,
    noise: Callable[[int], Float[np.ndarray, "pair dim"]],
    max_rounds: int,
    lane: RefinedLane,
    check: Callable[[], None],
) -> Standing:
    """Rounds from a normal on, until scores match, the ELBO has stopped rising and some rounds were averaged.

    A round whose ELBO is far below the best is undone: the next step from the best is shorter.

    Args:
        density: The density in the order of its pattern.
        start: Where to begin.
        noise: Standard normal numbers of each round, which are used with both signs.
        max_rounds: Most rounds.
        lane: Takes the report of each round, but for the evaluations, which the density counts.
        check: Called between rounds.

    Returns:
        The newest normal that was judged by its draws, unless an earlier one was better.

    Raises:
        BudgetSpentError: If no round could be afforded.
    """
    present, share, num_averaged = start, 1.0, 0
    accepted = best = (start, Judgement.nothing(1))
    said: tuple[Standing, _Averages] | None = None  # of the best, to step from again
    for number in range(max_rounds):
        check()
        half = noise(number)
        both = np.concatenate([half, -half])
        normal = present.normal
        points, log_q = np.asarray(normal.transform(both)), np.asarray(normal.log_density_of_noise(both))
        if number and not density.can_afford(len(points)):
            break
        log_p, scores = density.gradients(points)
        usable = np.isfinite(log_p)
        elbo = estimate_elbo(log_p[None], log_q[None])
        mismatch = normal.noise_gradient(scores[usable]) + both[usable]
        divergence = float(np.mean(np.sum(mismatch**2, axis=1))) / len(start.mean) if usable.any() else np.inf
        judgement = Judgement.of(elbo, len(points))
        failed = bool(is_failure(judgement, best[1], len(start.mean))[0]) and said is not None
        matched = not failed and divergence * len(start.mean) < MATCHED_DIVERGENCE
        averages = None
        if not failed and not matched:
            averages = _averages(density, points, usable)
        lane.note(float(elbo.mean[0]), float(elbo.standard_error[0]), divergence, 0, log_p, log_q)
        if failed:
            lane.num_undone += 1
            if lane.num_undone > MOST_UNDONE or said is None:
                break
            share /= 3.0
            present = _following(*said, share)
            continue
        risen = judgement.elbo > best[1].elbo + RISE + judgement.elbo_error
        accepted = present, judgement
        if judgement.lower_end > best[1].lower_end:
            best = accepted
            said = None if averages is None else (present, averages)
        if matched or averages is None or num_averaged > AVERAGED_ROUNDS:
            break
        if num_averaged or not risen.any():
            num_averaged += 1
            share = 1.0 / (1.0 + num_averaged)
        present = _following(present, averages, share)
    return accepted[0] if is_close(accepted[1], best[1]).all() else best[0]


def _averages(density: PatternDensity, points: np.ndarray, usable: np.ndarray) -> _Averages | None:
    """None if fewer than two draws have a density and a Hessian."""
    expansions, precisions = density.precisions(points[usable])
    finite = np.flatnonzero(np.isfinite(expansions.values))
    if len(finite) < 2:
        return None
    own = [precisions[place] for place in finite]
    average = Precision(*[np.mean(np.stack(parts), axis=0) for parts in zip(*own, strict=True)])
    return _Averages(points[usable][finite].mean(axis=0), expansions.gradients[finite].mean(axis=0), average)


def _following(present: Standing, averages: _Averages, share: float) -> Standing:
    """A step of a certain share towards what the draws say.

    Where the average Hessian of the chain is not that of a maximum, pivots of its factor are replaced; where that of
    the border alone is not, the present precision of the border stays.
    """
    num_chain = present.precision.num_chain
    mixed = present.precision.mixed(averages.precision, share)
    factor = ChainFactor(mixed.band, mends=True)
    mixed = mixed._replace(band=factor.band)
    half = factor.solve_lower(mixed.border)
    schur = mixed.corner - half.T @ half
    if len(schur) and np.linalg.eigvalsh(schur).min() <= 1e-6 * np.abs(np.diag(mixed.corner)).max():
        before = ChainFactor(present.precision.band).solve_lower(present.precision.border)
        schur = present.precision.corner - before.T @ before
        mixed = mixed.with_corner_over(schur, factor)
    score = factor.solve_lower(averages.score[:num_chain])
    border = np.linalg.solve(schur, averages.score[num_chain:] - half.T @ score) if len(schur) else np.zeros(0)
    spread = np.sqrt(np.diag(np.linalg.inv(schur))) if len(schur) else np.ones(0)
    border *= min(1.0, LONGEST_BORDER_STEP / max(1e-300, np.abs(border / spread).max(initial=0.0)))
    step = np.concatenate([factor.solve_upper(score - half @ border), border])
    return Standing(present.mean + share * (averages.point + step - present.mean), mixed)
