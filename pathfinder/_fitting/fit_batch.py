"""Fit many data sets at once."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from pathfinder._arrays.blas_threads import one_blas_thread
from pathfinder._arrays.key_order import map_in_order
from pathfinder._arrays.placed import placed
from pathfinder._arrays.streams import counted_keys
from pathfinder._density.batch_sizes import scoring_batch_size
from pathfinder._fitting.after_paths import after_paths
from pathfinder._fitting.arguments import adapted, merged_settings, model_of, seed_and_key, time_is_over, time_limit
from pathfinder._fitting.drivers import choose_devices, density_of
from pathfinder._fitting.initial_points import InitialPoints, initial_points
from pathfinder._fitting.lanes import run_lanes
from pathfinder._fitting.progress import ProgressBar
from pathfinder._importance.fit_pool import fit_pools
from pathfinder._importance.scored_draws import score_paths
from pathfinder._model.data import data_arrays
from pathfinder._model.model import Model
from pathfinder._model.user_functions import explained
from pathfinder._results.batch_result import BatchResult
from pathfinder._settings import Settings
from pathfinder._status import Status


def fit_batch(
    model: Model | Callable[..., Any],
    data: PyTree,
    example: PyTree = None,
    *,
    constraints: Mapping[str, Any] | None = None,
    init: PyTree = None,
    seed: Any = None,
    settings: Settings | None = None,
    devices: Sequence[Any] | str | None = None,
    driver: str = "auto",
    max_time: float = float("inf"),
    progress: bool = True,
    **options: Any,
) -> BatchResult:
    """Fit one model to many data sets of the same shapes, in compiled batches.

    Every fit is one of `fit`, with its own paths, weights, k-hat and statuses; one that fails does not disturb the
    others. Memory is bounded: as many fits run together as fit the budget of the devices. Chains, of the fits whose
    weights will not do, run one fit after the other, and of their states only the returned draws are kept.

    Args:
        model: A `Model`, or a log density `log_density(params, data)` as in `fit`; or a PyMC model.
        data: Pytree of arrays whose leading axis runs over data sets. If a `Model` has its data by name, those that are
            left out are the same in all data sets; names of a PyMC model are those of `pm.Data`.
        example: If `model` is a function: a pytree like its parameters. Defaults to `init`.
        constraints: If `model` is a function: constraints of its parameters by name.
        init: Initial points as in `fit`, the same for all data sets.
        seed: Seed (or key) of all random numbers. Fit i is that of `fit` with the key `result.keys[i]`.
        settings: Options as an object.
        devices: JAX devices over which the fits are spread, or the name of their platform; all local ones if None.
        driver: As in `fit`.
        max_time: Seconds after which all paths, their refinement, or chains are ended early.
        progress: Whether to show a progress bar.
        **options: Any field of `Settings`.

    Raises:
        ValueError: If the leading axes of `data` differ, or an argument does not fit the model.
    """
    begin = time.perf_counter()
    settings = merged_settings(fit_batch, settings, options)
    model = adapted(model)
    if isinstance(model, Model) and model.is_callable:
        raise ValueError(
            f"`fit_batch` needs a log density in JAX with data, but that of '{model.name}' is a function of the host "
            "without any; call `fit` for each."
        )
    data = data_arrays(data)
    sizes = {np.shape(leaf)[:1] for leaf in jax.tree_util.tree_leaves(data)}
    if len(sizes) != 1 or sizes == {()} or sizes == {(0,)}:
        shapes = [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(data)]
        raise ValueError(
            "Every array of `data` needs the same leading axis, which runs over the data sets; "
            f"their shapes are {shapes}."
        )
    num_fits = int(next(iter(sizes))[0])
    if isinstance(model, Model):
        data = _completed(model, data, num_fits)
    first = map_in_order(lambda leaf: placed(np.asarray(leaf)[0]), data)  # which compiles nothing
    if isinstance(model, Model):
        # The names are those of the data that the model was made with.
        model = dataclasses.replace(model, data=first)
    else:
        model = model_of(model, example if example is not None else init, first, constraints)
    points = initial_points(model, init, settings.num_paths, settings.init_radius)
    with explained("The log density"):
        result = _fit_all(model, data, num_fits, points, seed, settings, devices, driver, begin, max_time, progress)
    constant = int(np.any(result.status == Status.CONSTANT_DENSITY, axis=1).sum())
    if constant:
        warnings.warn(f"{constant} of {num_fits} fits: {Status.CONSTANT_DENSITY.message}", stacklevel=2)
    return result


def _completed(model: Model, data: PyTree, num_fits: int) -> PyTree:
    """Data with those arrays of the model that are not given by name, the same for all fits."""
    if not isinstance(model.data, Mapping) or not isinstance(data, Mapping):
        return data
    left = {name: value for name, value in model.data.items() if name not in data}
    repeated = map_in_order(lambda leaf: placed(np.broadcast_to(leaf, (num_fits, *np.shape(leaf)))), left)
    return {**data, **repeated} if left else data


@one_blas_thread()
def _fit_all(
    model: Model,
    data: PyTree,
    num_fits: int,
    points: InitialPoints,
    seed: Any,
    settings: Settings,
    devices: Sequence[Any] | str | None,
    driver: str,
    begin: float,
    max_time: float,
    progress: bool,
) -> BatchResult:
    """The fits themselves, of a model with the first of the data sets."""
    seed, key = seed_and_key(seed)
    chosen_devices = choose_devices(driver, devices, model, num_fits * settings.num_paths, settings)
    density = density_of(model, data, num_fits, settings, chosen_devices)
    fit_keys = counted_keys(density.arrays(key), density.arrays(np.arange(num_fits)))
    numbers = np.tile(np.arange(settings.num_paths), num_fits)
    lane_keys = fit_keys[np.repeat(np.arange(num_fits), settings.num_paths)]
    check = time_limit(begin, max_time)
    with ProgressBar(len(numbers), progress) as bar:
        lanes = run_lanes(
            density,
            points,
            lane_keys,
            numbers,
            settings,
            chosen_devices,
            bar.watching(check),
            bar.update,
            time_is_over(begin, max_time),
        )
        outcomes, paths = lanes
        if (settings.refines or settings.may_run_chains) and not outcomes.interrupted and paths.succeeded.any():
            size = scoring_batch_size(density.of_fit(0), settings, chosen_devices)
            paths = dataclasses.replace(paths, source=dataclasses.replace(paths.source, batch_size=size))
            weighted = after_paths(
                density, lanes._replace(paths=paths), fit_keys, settings, check, bar,
                lambda paths, modes: fit_pools(paths, modes, fit_keys), thins=True,
            )  # fmt: skip
            outcomes, pools, chains, seconds = weighted
            scores = {}
        else:
            # Draws that are weighed when a fit is looked at.
            now = time.perf_counter()
            scores, pools, chains = score_paths(paths), None, ()
            seconds = {**outcomes.seconds, "draws": time.perf_counter() - now}
    seconds["total"] = time.perf_counter() - begin
    states, budgets = tuple(own.draws for own in chains), tuple(own.budget for own in chains)
    return BatchResult(
        model, data, settings, seed, fit_keys, outcomes, scores, paths.source, seconds, pools, states, budgets
    )
