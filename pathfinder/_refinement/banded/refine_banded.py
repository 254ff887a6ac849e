"""Refine one approximation in the family of normals with a banded precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.streams import counted_keys, draw_keys, normal
from pathfinder._density.either import Density
from pathfinder._normals.bordered import BorderedNormal
from pathfinder._pattern import Pattern
from pathfinder._refinement.banded.border_mixture import (
    SHIFT_DRAWS,
    border_components,
    central_component,
    common_shift,
)
from pathfinder._refinement.banded.border_mode import BorderMode, border_mode
from pathfinder._refinement.banded.chain_factor import Precision
from pathfinder._refinement.banded.component_densities import ComponentDensities
from pathfinder._refinement.banded.conditional_modes import conditional_modes
from pathfinder._refinement.banded.curvatures import BudgetSpentError, PatternDensity
from pathfinder._refinement.banded.rounds import PAIRS, Standing, banded_rounds
from pathfinder._refinement.history import KeptRound, RefinedLane


MOST_BORDER = 8  # parameters, up to which their marginal density is climbed
START_TOLERANCE = 1e-2  # nats that the mode of the chain may lack, where rounds begin
DRAWS_OF_WANTED = 2.0  # draws of all components together, relative to those that are wanted
ENOUGH_OF_WANTED = 0.6  # effective draws, up to which more are made
MOST_TIMES = 4  # so many draws are made, unless the density is so dear that they take more than
OPERATIONS_OF_DRAWS = 2e9
# Counters of keys, beside those of the rounds of another form.
ROUNDS, SHIFTS, COMPONENTS = 2**16, 2**17, 2**18


def refine_banded(
    density: Density,
    pattern: Pattern,
    lane: RefinedLane,
    key: UInt32[np.ndarray, " 2"],
    num_draws: int,
    max_rounds: int,
    check: Callable[[], None],
) -> bool:
    """Refine one approximation, and say whether that gave a normal; `lane` is filled in.

    A border of a few parameters is integrated over (`border_mode`), and the lane keeps draws of the chain's normals at
    many borders; else rounds of averaged Hessians are made.

    Args:
        density: What to fit, of one fit.
        pattern: Its pattern.
        lane: Where to begin, and the report.
        key: Key of the draws.
        num_draws: How many are wanted.
        max_rounds: Most rounds.
        check: Called between rounds; ends them by raising `Interrupt`.
    """
    ordered = PatternDensity(density, pattern)
    start = ordered.in_order(lane.initial.mean)
    try:
        if 0 < pattern.border <= MOST_BORDER:
            check()
            mode = border_mode(ordered, start)
            check()
            if mode is not None and _keep_components(ordered, mode, lane, key, num_draws, check):
                return True
        standing = _rounds(ordered, start, lane, key, max_rounds, check)
    except BudgetSpentError:
        return False
    finally:
        lane.num_gradients += ordered.num_gradients
        lane.num_densities += ordered.num_densities
    if standing is None:
        return False
    lane.approximation = _as_parameters(ordered, standing)
    return True


def _rounds(
    density: PatternDensity,
    start: Float[np.ndarray, " dim"],
    lane: RefinedLane,
    key: UInt32[np.ndarray, " 2"],
    max_rounds: int,
    check: Callable[[], None],
) -> Standing | None:
    """Rounds from the mode of the chain on, at the border of the start; None if there is no such mode."""
    (mode,) = conditional_modes(density, start[None], START_TOLERANCE)
    if mode is None:
        return None
    (border,), _ = density.borders(mode.point[None])
    spread = density.in_order(lane.initial.variance)[density.num_chain :]
    precision = Precision(mode.factor.band, border, np.zeros((len(spread), len(spread))))
    precision = precision.with_corner_over(np.diag(1.0 / spread), mode.factor)

    def noise(number: int) -> np.ndarray:
        return _noise(density, counted_keys(key, np.array([ROUNDS + number])), PAIRS)[0]

    return banded_rounds(density, Standing(mode.point, precision), noise, max_rounds, lane, check)


def _keep_components(
    density: PatternDensity,
    mode: BorderMode,
    lane: RefinedLane,
    key: UInt32[np.ndarray, " 2"],
    num_draws: int,
    check: Callable[[], None],
) -> bool:
    """Keep draws of the chain's normals at many borders, and take the one in their middle; False if there are none."""
    components = border_components(density, mode)
    if len(components) < 2:
        return False
    check()
    places = np.arange(len(components))
    noise = _noise(density, counted_keys(key, SHIFTS + places), SHIFT_DRAWS // 2)[..., : density.num_chain]
    shift = common_shift(density, components, noise)
    normals = [own.normal(density, shift) for own in components]
    central = central_component(mode).normal(density, shift)
    if not all(own.is_finite for own in (central, *normals)):
        return False
    keys = counted_keys(key, COMPONENTS + places)
    log_densities = ComponentDensities(normals, np.asarray(central.mean))
    count = max(2, int(np.ceil(DRAWS_OF_WANTED * num_draws / len(normals))))
    log_p, log_q = np.empty((len(normals), 0)), np.empty((len(normals), len(normals), 0))
    log_ratios = log_p
    price = density.density.operations * count * len(normals)
    for _ in range(max(1, min(MOST_TIMES, int(OPERATIONS_OF_DRAWS / price)))):
        check()
        more = _scored(density, normals, log_densities, keys, np.arange(log_p.shape[1], log_p.shape[1] + count))
        log_p, log_q = (np.concatenate(parts, axis=-1) for parts in zip((log_p, log_q), more, strict=True))
        log_ratios = log_p - (np.logaddexp.reduce(log_q, axis=0) - np.log(len(normals)))
        if _effective(log_ratios) >= ENOUGH_OF_WANTED * num_draws:
            break
    finite = np.isfinite(log_ratios)
    if finite.mean() < 0.5:
        return False
    lane.approximation = central
    lane.kept = [
        KeptRound(own, own_key, log_p[place], log_q[:, place])
        for place, (own, own_key) in enumerate(zip(normals, keys, strict=True))
    ]
    elbo = float(np.mean(log_ratios[finite]) + np.log(finite.mean()))
    error = float(np.std(log_ratios[finite]) / np.sqrt(finite.sum()))
    lane.note(elbo, error, np.nan, 0, log_p.ravel(), log_p.ravel() - log_ratios.ravel())
    return True


def _scored(
    density: PatternDensity,
    normals: list[BorderedNormal],
    log_densities: ComponentDensities,
    keys: UInt32[np.ndarray, "component 2"],
    numbers: Int[np.ndarray, " draw"],
) -> tuple[Float[np.ndarray, "component draw"], Float[np.ndarray, "under component draw"]]:
    """Log densities of draws of each component under the model, and under all components."""
    log_p, log_q = [], []
    for own, key in zip(normals, keys, strict=True):
        of_draws = counted_keys(np.broadcast_to(key, (len(numbers), 2)), numbers)
        points = np.asarray(own.transform(normal(of_draws, own.dim, density.dtype)))
        log_p.append(density.values(density.in_order(points)))
        log_q.append(log_densities(points))
    return np.stack(log_p), np.stack(log_q, axis=1)


def _effective(log_ratios: Float[np.ndarray, "component draw"]) -> float:
    """The effective sample size of weights."""
    finite = log_ratios[np.isfinite(log_ratios)]
    weights = np.exp(finite - finite.max(initial=-np.inf)) if finite.size else np.zeros(1)
    return float(weights.sum() ** 2 / max(1e-300, np.sum(weights**2)))


def _noise(
    density: PatternDensity, keys: UInt32[np.ndarray, "lane 2"], count: int
) -> Float[np.ndarray, "lane draw dim"]:
    """Standard normal numbers of keys, as draws of `PathDraws` have them."""
    return np.asarray(normal(draw_keys(keys, count), density.pattern.dim, density.dtype))


def _as_parameters(density: PatternDensity, standing: Standing) -> BorderedNormal:
    own = standing.normal
    band, border, corner = (np.asarray(part, density.dtype) for part in (own.band, own.border, own.corner))
    return BorderedNormal(density.as_parameters(standing.mean), band, border, corner, density.pattern.order)
