"""Log densities of draws under the target and under the proposals."""

from __future__ import annotations

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from pathfinder._arrays.devices import Devices
from pathfinder._arrays.namespace import Array, jit_unless_numpy, namespace
from pathfinder._density.either import Density
from pathfinder._importance.fitted_paths import FittedPaths
from pathfinder._importance.path_draws import PathDraws
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.mixture import log_mixture_density
from pathfinder._normals.scoring import draw_lanes, log_densities


def score_draws(
    density: Density,
    source: PathDraws,
    lanes: Int[np.ndarray, " n"],
    indices: Int[np.ndarray, " n"],
    devices: Devices,
    *,
    evaluate: bool,
    log_weights: Float[np.ndarray, " lane"] | None = None,
    fits: Int[np.ndarray, " lane"] | None = None,
    keep: bool = False,
) -> dict[str, Float[np.ndarray, "n *vector"]]:
    """Log densities of given draws.

    Args:
        density: What was fitted.
        source: Where draws come from.
        lanes: The lane of each draw.
        indices: The number of each draw within its lane.
        devices: Where to run.
        evaluate: Whether to evaluate the density of the model.
        log_weights: Of the lanes in the mixture of their fit, if it is wanted.
        fits: The fit of each lane; None if lanes are ordered by fit, as many of each.
        keep: Whether to return the draws.

    Returns:
        `log_p` if evaluated, `log_q` of the own approximation, `log_mixture` if wanted, and `positions` if kept.
    """
    num_fits = density.num_fits or 1
    if fits is None:
        fits = np.repeat(np.arange(num_fits), source.num_lanes // num_fits)
    components = None
    if log_weights is not None:
        by_fit = namespace(source.approximations).asarray(log_weights.reshape(num_fits, -1), density.dtype)
        components = _by_fit(source.approximations, num_fits=num_fits), by_fit
    shared = [devices.put((density, components), number) for number in range(len(devices))]
    pending = []  # read at the end, so that the devices need not wait for the host
    for number, (rows, used, own, keys) in enumerate(source.batches(lanes, indices)):
        of_fits = fits[lanes[rows[:, 0]]]
        own, keys = devices.put((own, keys), number)
        its_density, mixture = shared[number % len(devices)]
        batch = {}
        draws, batch["log_q"] = draw_lanes(own, keys)
        if evaluate:
            batch["log_p"] = _log_densities(draws, of_fits, used, its_density)
        if mixture is not None:
            batch["log_mixture"] = log_mixture_density(*mixture, of_fits, draws)
        if keep:
            batch["positions"] = draws
        pending.append((rows[used], used, batch))
    scores: dict[str, np.ndarray] = {}
    for target, used, batch in pending:
        for name, values in batch.items():
            if name not in scores:
                scores[name] = np.empty((len(lanes), *values.shape[2:]), values.dtype if name == "positions" else float)
            scores[name][target] = np.asarray(values)[used]
    return scores


def score_paths(paths: FittedPaths) -> dict[str, Float[np.ndarray, "lane draw"]]:
    """Log densities of `num_draws` draws of every lane that succeeded, or of as many as there is time for.

    They are NaN in the rows of the others.

    Returns:
        `log_p`, `log_q` (own approximation) and `log_mixture` (of all that succeeded in the same fit).
    """
    by_fit, succeeded, settings = paths.succeeded_by_fit, paths.succeeded, paths.settings
    with np.errstate(divide="ignore"):
        log_weights = np.log(by_fit / np.maximum(by_fit.sum(axis=1, keepdims=True), 1)).ravel()
    scores = {name: np.full((len(succeeded), settings.num_draws), np.nan) for name in ("log_p", "log_q", "log_mixture")}
    if not succeeded.any():
        return scores
    num_scored = 0
    for part in paths.parts_of_draws(int(succeeded.sum())):
        numbers, num_scored = np.arange(settings.num_draws)[part], part.stop
        lanes = np.repeat(np.flatnonzero(succeeded), len(numbers))
        indices = np.tile(numbers, int(succeeded.sum()))
        for name, values in score_draws(
            paths.density, paths.source, lanes, indices, paths.devices, evaluate=settings.calculate_lp,
            log_weights=log_weights,
        ).items():  # fmt: skip
            scores[name][lanes, indices] = values
    return {name: values[:, :num_scored] for name, values in scores.items()}


def _log_densities(
    draws: Float[Array, "lane draw dim"],
    fits: Int[np.ndarray, " lane"],
    used: Bool[np.ndarray, "lane draw"],
    density: Density,
) -> Float[Array, "lane draw"]:
    """Log densities of the model; on the host only where it is asked for."""
    if isinstance(draws, jax.Array):
        return log_densities(draws, fits, density)
    log_p = np.full(used.shape, np.nan, draws.dtype)
    log_p[used] = log_densities(draws[used], np.repeat(fits, used.sum(axis=1)), density)
    return log_p


@jit_unless_numpy("num_fits")
def _by_fit(approximations: LowRankNormal, *, num_fits: int) -> LowRankNormal:
    return jax.tree_util.tree_map(lambda leaf: leaf.reshape(num_fits, -1, *leaf.shape[1:]), approximations)
