"""Draws from refined approximations, weighted against the mixture of all normals that they come from.

The mixture holds the refined normal of each mode, the normals of its last rounds, whose draws are paid for, and, where
refinement did not help, the normal that it started from. Where the weights are uneven, normals are added whose moments
are those of the weighted draws (adaptive importance sampling; Cappe, Guillin, Marin and Robert 2004).
"""

import numpy as np
from jaxtyping import UInt32

import psis
from pathfinder._arrays.devices import Devices
from pathfinder._arrays.namespace import Array
from pathfinder._arrays.streams import Stream, path_keys
from pathfinder._density.either import Density
from pathfinder._importance.components import Components
from pathfinder._importance.path_draws import PathDraws
from pathfinder._importance.pool import NoFiniteDrawError, Pool, log_ratios
from pathfinder._importance.refinement import RefinedMode, Refinement
from pathfinder._normals.elbo import estimate_elbo
from pathfinder._refinement.dense_rounds import NUM_KEPT
from pathfinder._refinement.refine import RefinedFit
from pathfinder._settings import Settings


MOST_ADAPTED = 3  # rounds of adaptive importance sampling
ENOUGH_OF_WANTED = 0.5  # effective sample size, relative to the number of draws wanted, at which it stops


class NoRefinedDrawError(NoFiniteDrawError):
    """No draw of a refined approximation has a usable importance ratio.

    Args:
        message: What happened.
        num_densities: Evaluations of the log density that told so.
    """

    def __init__(self, message: str, num_densities: int):
        super().__init__(message)
        self.num_densities = num_densities


def refined_pool(
    density: Density,
    refined: RefinedFit,
    source: PathDraws,
    key: UInt32[Array, " 2"],
    settings: Settings,
    devices: Devices,
) -> tuple[Pool, PathDraws, Refinement]:
    """Draw from the refined normals of one fit, and weigh the draws.

    Args:
        density: What was fitted; one data set.
        refined: Its refined modes.
        source: Draws of the paths, for the sizes of batches.
        key: Key of the fit.
        settings: Options.
        devices: Where to run.

    Raises:
        NoRefinedDrawError: If the density is not finite at any draw.
    """
    lanes = refined.lanes
    dense = lanes[0].initial.basis is None
    # Room for what a mode can bring, always the same.
    most_adapted = MOST_ADAPTED if dense else 0
    per_mode = 2 + (NUM_KEPT + MOST_ADAPTED if dense else 0)
    keys = path_keys(key, np.arange(per_mode * len(lanes)), Stream.REFINED_DRAWS)
    components = Components(density, keys, lanes[0].initial, source, devices)
    finals = [per_mode * mode for mode in range(len(lanes))]
    for mode, lane in enumerate(lanes):
        components.add(finals[mode], mode, lane.approximation)
        components.add(finals[mode] + 1, mode, lane.initial)
        for number, kept in enumerate(lane.kept):
            component = finals[mode] + 2 + number
            components.add(component, mode, kept.normal, kept.key)
            components.log_p[component], components.counts[component] = kept.log_p, len(kept.log_p)
    components.score(finals, settings.num_draws)
    drawn, log_q, log_mixture = components.scored()
    of_final = np.isin(drawn[0], finals)
    own = drawn[2][of_final].reshape(len(finals), -1), log_q[of_final].reshape(len(finals), -1)
    elbo = estimate_elbo(*own)
    initial_error = np.array([lane.initial_elbo_standard_error for lane in lanes])
    error = np.hypot(np.nan_to_num(elbo.standard_error), np.nan_to_num(initial_error))
    better_before = elbo.mean < np.array([lane.initial_elbo for lane in lanes]) - 2 * error
    uses_start = {
        "auto": better_before, "refined": np.zeros_like(better_before), "all": np.ones_like(better_before)
    }[settings.proposal]  # fmt: skip
    if uses_start.any():
        components.score([finals[mode] + 1 for mode in np.flatnonzero(uses_start)], settings.num_draws)
        drawn, log_q, log_mixture = components.scored()
    adapted, before = 0, (np.nan, np.nan)
    while True:
        ratios = log_ratios(drawn[2], log_mixture)
        if not np.any(ratios > -np.inf):
            raise NoRefinedDrawError(
                "The log density is not finite at any draw of any refined approximation, so the draws cannot be "
                "weighted.",
                components.num_densities,
            )
        smoothed = psis.smooth_log_weights(ratios)
        if adapted == 0:
            before = (float(smoothed.pareto_k), float(smoothed.effective_sample_size))
        good = smoothed.pareto_k <= psis.pareto_k_threshold(len(ratios))
        enough = smoothed.effective_sample_size >= ENOUGH_OF_WANTED * settings.num_psis_draws
        if adapted == most_adapted or (good and enough):
            break
        weights = np.exp(smoothed.log_weights)
        new = []
        for mode in range(len(lanes)):
            of_mode = components.modes[drawn[0]] == mode
            if weights[of_mode].sum() > 0:
                component = finals[mode] + per_mode - MOST_ADAPTED + adapted
                rows = np.flatnonzero(of_mode & (weights > 0))
                normal = components.weighted_moments(
                    drawn[0][rows], drawn[1][rows], weights[rows], components.normals[finals[mode]]
                )
                components.add(component, mode, normal)
                new.append(component)
        components.score(new, settings.num_draws)
        drawn, log_q, log_mixture = components.scored()
        adapted += 1
    weights = np.exp(smoothed.log_weights)
    shares = np.bincount(components.modes[drawn[0]], weights=weights, minlength=len(lanes))
    modes = tuple(
        RefinedMode(
            path=lane.path,
            approximation=components.normals[finals[mode]],
            elbo=float(elbo.mean[mode]),
            elbo_standard_error=float(elbo.standard_error[mode]),
            initial_elbo=lane.initial_elbo,
            initial_elbo_standard_error=lane.initial_elbo_standard_error,
            pareto_k=_pareto_k(own[0][mode], own[1][mode]),
            initial_pareto_k=_pareto_k(*lane.first_draws) if lane.first_draws else np.nan,
            elbos=tuple(lane.elbos),
            divergences=tuple(lane.divergences),
            num_undone=lane.num_undone,
            num_gradients=lane.num_gradients,
            uses_start=bool(uses_start[mode]),
            weight=float(shares[mode]),
        )
        for mode, lane in enumerate(lanes)
    )
    paths = np.array([lane.path for lane in lanes])[components.modes[drawn[0]]]
    pool = Pool(
        paths=paths,
        lanes=drawn[0],
        indices=drawn[1],
        log_p=drawn[2],
        log_q=log_q,
        log_proposal=log_mixture,
        log_weights=smoothed.log_weights,
        pareto_k=float(smoothed.pareto_k),
        pareto_k_by_path=np.full(settings.num_paths, np.nan),
        effective_sample_size=float(smoothed.effective_sample_size),
        num_invalid=int(smoothed.num_invalid),
    )
    num_densities = refined.num_densities + components.num_densities
    return pool, components.source, Refinement(modes, adapted, *before, num_densities)


def _pareto_k(log_p: np.ndarray, log_q: np.ndarray) -> float:
    ratios = log_ratios(log_p, log_q)
    return float(psis.smooth_log_weights(ratios).pareto_k) if np.any(ratios > -np.inf) else np.inf
