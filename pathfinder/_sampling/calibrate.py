"""Simulation-based calibration: are parameters that data were simulated with like draws of fits to these data?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from pathfinder._arrays.streams import Key, counted_keys, fold_in, host_generator
from pathfinder._fitting.arguments import merged_settings, seed_and_key
from pathfinder._fitting.fit import fit
from pathfinder._fitting.fit_batch import fit_batch
from pathfinder._model.model import Model
from pathfinder._model.user_functions import described
from pathfinder._results.path_result import PathfinderError
from pathfinder._results.result import PathfinderResult
from pathfinder._sampling.calibration import Calibration
from pathfinder._settings import Settings
from pathfinder._variables import Variable


OF_DATA = np.array(0x5BC)  # tells keys of data sets from those of fits


def calibrate(
    simulate: Callable[[Any], tuple[PyTree, PyTree]],
    model: Model | Callable[[Any], Model],
    *,
    num_data_sets: int = 200,
    num_rank_draws: int = 99,
    only_reliable: bool = False,
    init: PyTree = None,
    seed: Any = None,
    settings: Settings | None = None,
    devices: Sequence[Any] | str | None = None,
    progress: bool = True,
    **options: Any,
) -> Calibration:
    """Check fits of a model on data sets that are simulated with parameters from its prior (Talts et al. 2018).

    If model, fits and simulation agree, the rank of such a parameter among draws of the posterior is uniform.
    All data sets of equal shapes are fitted together, by `fit_batch`.

    Args:
        simulate: `simulate(key)` gives parameters and data: a draw of the prior as a pytree like the parameters of the
            model, or values of some of its variables by name; and data as the model has them. The key is one of JAX.
            `pathfinder.stan.simulator` makes such a function of a Stan program.
        model: A model, whose data are replaced; or a function that makes one of data, as for programs of Stan:
            `lambda data: Model.from_stan("program.stan", data)`.
        num_data_sets: How many.
        num_rank_draws: Draws of each fit to rank a parameter among; 99 gives 100 ranks.
        only_reliable: Whether fits that say they are unreliable are left out. They count by default: which these are
            depends on the data, so that the ranks of the others need not be uniform.
        init: Initial points as in `fit`, the same for all.
        seed: Seed (or key) of data sets and fits.
        settings: Options as an object.
        devices: As in `fit_batch`.
        progress: Whether to show a progress bar.
        **options: Any field of `Settings`.

    Raises:
        ValueError: If what `simulate` returns does not fit the model, or an argument is wrong.
    """
    settings = merged_settings(calibrate, settings, options)
    for name, value in {"num_data_sets": num_data_sets, "num_rank_draws": num_rank_draws}.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"`{name}` must be a positive whole number, but {value!r} was given.")
    if not settings.calculate_lp:
        raise ValueError("Calibration ranks among weighted draws, which need calculate_lp=True.")
    seed, key = seed_and_key(seed)
    simulated = [
        _simulated(simulate, jax.random.wrap_key_data(jnp.asarray(words)))
        for words in counted_keys(fold_in(np.asarray(key), OF_DATA), np.arange(num_data_sets))
    ]
    data_sets = [data for _, data in simulated]
    shared = {"init": init, "settings": settings, "devices": devices, "progress": progress}
    models = [] if isinstance(model, Model) else [_made(model, data) for data in data_sets]
    first = model if isinstance(model, Model) else models[0]
    truths = [_by_variable(first, parameters) for parameters, _ in simulated]
    if not models:
        results = _together(first, [_like(first.data, data) for data in data_sets], key, shared)
    elif _are_alike(models):
        results = _together(first, [own.data for own in models], key, shared)
    else:
        results = _one_by_one(models, key, shared)
    variables = tuple(variable for variable in first.variables if variable.name in truths[0])
    return _ranked(first.name, variables, truths, results, int(num_rank_draws), only_reliable, seed, key)


def _simulated(simulate: Callable[[Any], Any], key: Any) -> tuple[Any, Any]:
    found = simulate(key)
    if not isinstance(found, tuple) or len(found) != 2:
        raise ValueError(f"`simulate` must return two things, parameters and data, but it returned {described(found)}.")
    return found


def _made(make: Callable[[Any], Model], data: Any) -> Model:
    if not callable(make):
        raise ValueError(f"`model` must be a pathfinder.Model or make one of data, but {described(make)} was given.")
    found = make(data)
    if not isinstance(found, Model):
        raise ValueError(f"`model` must make a pathfinder.Model of data, but it returned {described(found)}.")
    return found


def _like(own: PyTree, data: PyTree) -> PyTree:
    """Data with the dtypes of those of the model, so that all are fitted by its programs.

    Raises:
        ValueError: If they have another structure.
    """
    expected, found = jax.tree_util.tree_structure(own), jax.tree_util.tree_structure(data)
    if expected != found:
        raise ValueError(f"`simulate` gives data of the structure {found}, but the model has {expected}.")
    return jax.tree_util.tree_map(lambda leaf, new: np.asarray(new, np.asarray(leaf).dtype), own, data)


def _are_alike(models: Sequence[Model]) -> bool:
    """Whether models differ in the values of their data only."""
    if models[0].is_callable:
        return False

    def form(model: Model) -> Any:
        leaves, structure = jax.tree_util.tree_flatten(model.data)
        return model.density, structure, [(np.shape(leaf), np.asarray(leaf).dtype) for leaf in leaves]

    return bool(jax.tree_util.tree_leaves(models[0].data)) and all(form(own) == form(models[0]) for own in models)


def _together(model: Model, data: Sequence[PyTree], key: Key, options: Any) -> list[PathfinderResult | None]:
    shapes = {tuple(np.shape(leaf) for leaf in jax.tree_util.tree_leaves(own)) for own in data}
    if len(shapes) > 1:
        raise ValueError(
            "`simulate` gives data of several shapes. Pad them, or give a function as `model` that makes one of data."
        )
    stacked = jax.tree_util.tree_map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *data)
    batch = fit_batch(model, stacked, seed=np.asarray(key), **options)
    return [batch[number] if batch.succeeded[number] else None for number in range(len(batch))]


def _one_by_one(models: Sequence[Model], key: Key, options: Mapping[str, Any]) -> list[PathfinderResult | None]:
    found: list[PathfinderResult | None] = []
    own = {name: value for name, value in options.items() if name != "progress"}
    for model, words in zip(models, counted_keys(np.asarray(key), np.arange(len(models))), strict=True):
        try:
            found.append(fit(model, seed=np.asarray(words), progress=False, **own))
        except PathfinderError:
            found.append(None)
    return found


def _by_variable(model: Model, parameters: PyTree) -> dict[str, np.ndarray]:
    """What data were simulated with, by names of variables of the model.

    Raises:
        ValueError: If there is something else, or an array has another shape.
    """
    shapes = {variable.name: variable.shape for variable in model.variables}
    if not isinstance(parameters, Mapping) or not set(parameters) <= set(shapes):
        try:
            parameters = model.named_parameters(parameters)
        except (ValueError, TypeError) as error:
            given = ", ".join(map(str, parameters)) if isinstance(parameters, Mapping) else described(parameters)
            raise ValueError(
                f"`simulate` gives the parameters {given}, but the variables of the model are {', '.join(shapes)}."
            ) from error
    found = {name: np.asarray(value) for name, value in parameters.items()}
    for name, value in found.items():
        if value.shape != shapes[name]:
            expected = list(shapes[name])
            raise ValueError(f"`simulate` gives `{name}` of shape {list(value.shape)}, but the model has {expected}.")
    if not found:
        raise ValueError("`simulate` gives no parameters, of which there could be ranks.")
    return found


def _ranked(
    name: str,
    variables: tuple[Variable, ...],
    truths: Sequence[Mapping[str, np.ndarray]],
    results: Sequence[PathfinderResult | None],
    num_draws: int,
    only_reliable: bool,
    seed: int | None,
    key: Key,
) -> Calibration:
    rng = host_generator(key, "ties of ranks")
    ranks = {own.name: np.full((len(results), *own.shape), -1) for own in variables}
    reliable = np.zeros(len(results), bool)
    for number, result in enumerate(results):
        if result is None:
            continue
        reliable[number] = result.is_reliable
        # other choices by the weights, or states of chains that are far from each other: hardly any of them twice
        draws = result.resample(num_draws).draws
        for own in variables:
            ranks[own.name][number] = _rank(draws[own.name], truths[number][own.name], rng)
    return Calibration(
        name=name,
        variables=variables,
        ranks=ranks,
        parameters={own.name: np.stack([truth[own.name] for truth in truths]) for own in variables},
        num_draws=num_draws,
        has_failed=np.array([result is None for result in results]),
        is_reliable=reliable,
        only_reliable=only_reliable,
        seed=seed,
    )


def _rank(draws: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How many draws are smaller; of those that are equal, as rounding and discrete values make them, a random part."""
    smaller, equal = np.sum(draws < truth, axis=0), np.sum(draws == truth, axis=0)
    return smaller + rng.integers(0, equal + 1)
