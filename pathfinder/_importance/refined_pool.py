"""Draws from refined approximations, weighted against the mixture of all that they come from.

The mixture holds the refined normal of each mode, the normals of its last rounds, whose draws are paid for, and, where
refinement did not help, the normal that it started from. Where the weights are uneven, Student's t distributions are
added whose location and scale are the moments of the weighted draws (adaptive importance sampling; Cappe, Guillin,
Marin and Robert 2004).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.namespace import Array
from pathfinder._arrays.streams import Stream, path_keys
from pathfinder._importance.component_draws import ComponentDraws
from pathfinder._importance.components import Mixture, num_components
from pathfinder._importance.fitted_paths import FittedPaths
from pathfinder._importance.pool import log_ratios, smoothed_together
from pathfinder._importance.weighing import RefinedPool, Weighing
from pathfinder._normals.elbo import ElboEstimate, estimate_elbo
from pathfinder._refinement.refine import RefinedFit


CHUNK_BYTES = 2**26  # of the draws of fits that are weighed together


def refined_pools(
    paths: FittedPaths,
    refined: Sequence[RefinedFit],
    fits: Int[np.ndarray, " fit"],
    keys: UInt32[Array, "fit 2"],
) -> list[RefinedPool | int]:
    """Draw from the refined normals of fits, and weigh the draws; each fit comes out as it would alone.

    Args:
        paths: The paths that were refined, of one fit or of many.
        refined: The refined modes of each fit that has any.
        fits: Its number among the fits.
        keys: Its key.

    Returns:
        For each fit its pool; where no draw has a usable importance ratio, how many densities told so.
    """
    if len(refined) == 0:
        return []
    num_numbers = max(map(num_components, refined)) * paths.settings.num_draws * paths.density.dim
    num_bytes = num_numbers * np.dtype(paths.density.dtype).itemsize
    # Programs are compiled for one fit.
    at_once = max(1, CHUNK_BYTES // num_bytes) if paths.devices.is_host else 1
    pools: list[RefinedPool | int] = []
    for first in range(0, len(refined), at_once):
        chunk = slice(first, first + at_once)
        pools += _weigh_together(paths, refined[chunk], fits[chunk], keys[chunk])
    return pools


def _weigh_together(
    paths: FittedPaths,
    refined: Sequence[RefinedFit],
    fits: Int[np.ndarray, " fit"],
    keys: UInt32[Array, "fit 2"],
) -> list[RefinedPool | int]:
    mixtures = _mixtures(refined, fits, keys)
    room, num_draws = max(map(num_components, refined)), paths.settings.num_draws
    draws = ComponentDraws(paths, room)
    draws.evaluate([component for mixture in mixtures for component in mixture.refined], num_draws)
    going = weighed = [
        Weighing(mixture, own, elbo, paths.settings)
        for mixture, own, elbo in zip(mixtures, refined, _elbos(mixtures), strict=True)
    ]
    draws.evaluate([component for fit in weighed for component in fit.starts()], num_draws)
    is_over = paths.is_over or (lambda: False)
    while going:
        draws.compare([fit.mixture for fit in going])
        smoothed = smoothed_together([fit.ratios() for fit in going])
        going = [fit for fit, own in zip(going, smoothed, strict=True) if fit.take(own, draws.positions)]
        if is_over():
            break
        draws.evaluate([component for fit in going for component in fit.adapt(draws.positions)], num_draws)
    ends = np.cumsum([len(own.lanes) for own in refined])[:-1]
    pareto_k = _pareto_k([(each.log_p, each.log_q[each.number]) for mixture in mixtures for each in mixture.refined])
    initial_pareto_k = _pareto_k([lane.first_draws for own in refined for lane in own.lanes])
    return [
        fit.result(paths.source, *tails) or fit.num_densities
        for fit, *tails in zip(weighed, np.split(pareto_k, ends), np.split(initial_pareto_k, ends), strict=True)
    ]


def _mixtures(
    refined: Sequence[RefinedFit], fits: Int[np.ndarray, " fit"], keys: UInt32[Array, "fit 2"]
) -> list[Mixture]:
    rooms = [num_components(own) for own in refined]
    numbers = np.concatenate([np.arange(room) for room in rooms])
    of_components = path_keys(keys[np.repeat(np.arange(len(rooms)), rooms)], numbers, Stream.REFINED_DRAWS)
    parts = np.split(np.asarray(of_components), np.cumsum(rooms)[:-1])
    return [Mixture(int(fit), own, part) for fit, own, part in zip(fits, refined, parts, strict=True)]


def _elbos(mixtures: Sequence[Mixture]) -> list[ElboEstimate]:
    """ELBOs of the refined normals of each fit."""
    components = [component for mixture in mixtures for component in mixture.refined]
    log_p = np.stack([component.log_p for component in components])
    log_q = np.stack([component.log_q[component.number] for component in components])
    ends = np.cumsum([len(mixture.refined) for mixture in mixtures])[:-1]
    columns = [np.split(column, ends) for column in estimate_elbo(log_p, log_q)]
    return [ElboEstimate(*own) for own in zip(*columns, strict=True)]


def _pareto_k(draws: Sequence[tuple[np.ndarray, np.ndarray] | None]) -> Float[np.ndarray, " normal"]:
    """k-hats of draws, of which the log densities of the model and of the proposal are given; NaN where there are none.

    They are infinite where no draw is usable.
    """
    found = np.full(len(draws), np.nan)
    some = [place for place, own in enumerate(draws) if own is not None]
    ratios = [log_ratios(*own) for own in draws if own is not None]
    for place, smoothed in zip(some, smoothed_together(ratios), strict=True):
        found[place] = np.inf if smoothed is None else smoothed.pareto_k
    return found
