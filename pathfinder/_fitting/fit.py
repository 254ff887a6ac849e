"""Fit a posterior: the front door."""

from __future__ import annotations

import dataclasses
import inspect
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jaxtyping import PyTree

from pathfinder._arrays.blas_threads import one_blas_thread
from pathfinder._arrays.streams import fit_key, path_numbers
from pathfinder._fitting.after_paths import after_paths
from pathfinder._fitting.arguments import all_of, merged_settings, model_of, seed_and_key, time_is_over, time_limit
from pathfinder._fitting.chains import FitChains
from pathfinder._fitting.drivers import choose_devices, density_of
from pathfinder._fitting.initial_points import InitialPoints, initial_points
from pathfinder._fitting.lanes import run_lanes
from pathfinder._fitting.progress import ProgressBar
from pathfinder._importance.fit_pool import FitPool, fit_pool
from pathfinder._importance.fitted_paths import FittedPaths
from pathfinder._model.model import Model
from pathfinder._model.user_functions import explained
from pathfinder._paths.outcomes import PathReport
from pathfinder._refinement.refine import RefinedFit
from pathfinder._results.assemble import assemble, finite_draws_required, require_paths
from pathfinder._results.result import PathfinderResult
from pathfinder._settings import Settings


def fit(
    model: Model | Callable[..., Any],
    example: PyTree = None,
    *,
    data: PyTree = None,
    constraints: Mapping[str, Any] | None = None,
    init: PyTree | InitialPoints = None,
    seed: Any = None,
    settings: Settings | None = None,
    devices: Sequence[Any] | str | None = None,
    driver: str = "auto",
    max_time: float = math.inf,
    progress: bool = True,
    report: Callable[[list[PathReport]], None] | None = None,
    **options: Any,
) -> PathfinderResult:
    """Approximate a posterior with (multi-path) Pathfinder and draw from it.

    Algorithm: Zhang, Carpenter, Gelman and Vehtari (2022), JMLR 23(306), with importance weights against the mixture of
    all paths. Options have CmdStan's names and defaults; `Settings` describes them.

    Ctrl-C ends the paths, or their refinement, early and returns what is finished; if nothing is, it raises
    `KeyboardInterrupt`.

    Args:
        model: A `Model`, or a log density of a pytree of parameters, as in `Model.from_log_density`; or a model of
            PyMC, one of BridgeStan, or the path of a Stan program. A NumPyro model is a function like a log density:
            give `Model.from_numpyro(model, ...)`.
        example: If `model` is a function: a pytree like its parameters. Defaults to `init`.
        data: If `model` is a function: data to call it with. If it is the path of a Stan program: its data.
        constraints: If `model` is a function: constraints of its parameters by name.
        init: Initial points: parameters as a pytree, for all paths; a list of `num_paths` of them; or a pytree with a
            leading axis of length `num_paths` on every leaf. Random if None. "pymc" starts around the initial point of
            a PyMC model.
        seed: Seed (or key) of all random numbers; the same seed gives the same draws. Random if None.
        settings: Options as an object.
        devices: JAX devices over which the paths are spread, or the name of their platform; all local ones if None.
        driver: What runs the fit: "host" drives it from Python and NumPy and compiles nothing but the log density,
            "compiled" compiles all of it, for accelerators and very large fits; "auto" chooses by devices and shapes.
            Draws of the two agree up to rounding.
        max_time: Seconds after which the paths, their refinement, or chains are ended early, with what they have found.
            Draws of that are weighed for a second more, or 2 % of the limit.
        progress: Whether to show a progress bar if the fit takes long.
        report: Called with a list of `PathReport` each time iterations have been scored.
        **options: Any field of `Settings`, overriding `settings`.

    Returns:
        The draws with their diagnostics.

    Raises:
        PathfinderError: If no path succeeds; the message lists what happened to each.
        ValueError: If an argument is out of range or does not fit the model.
        TypeError: If an option is not known.
    """
    begin = time.perf_counter()
    settings = merged_settings(fit, settings, options)
    model = model_of(model, example if example is not None else init, data, constraints)
    points = initial_points(model, init, settings.num_paths, settings.init_radius)
    with explained("The log density"):
        return fit_model(model, points, seed, settings, devices, driver, begin, max_time, progress, report)


@one_blas_thread()
def fit_model(
    model: Model,
    points: InitialPoints,
    seed: Any,
    settings: Settings,
    devices: Sequence[Any] | str | None,
    driver: str,
    begin: float,
    max_time: float,
    progress: bool,
    report: Callable[[list[PathReport]], None] | None,
    first_path: int = 0,
) -> PathfinderResult:
    """The fit itself.

    Args:
        model: The model.
        points: Where paths may start.
        seed: As in `fit`.
        settings: Options.
        devices: As in `fit`.
        driver: As in `fit`.
        begin: When the fit began, by `time.perf_counter()`.
        max_time: As in `fit`.
        progress: As in `fit`.
        report: As in `fit`.
        first_path: The number of the first path among the random streams of the seed: path k of this fit has the
            random numbers of path `first_path + k` of one with `first_path=0`.
    """
    seed, key = seed_and_key(seed)
    chosen_devices = choose_devices(driver, devices, model, settings.num_paths, settings)
    density = density_of(model, model.data, None, settings, chosen_devices)
    key = density.arrays(key)
    numbers = path_numbers(first_path, settings.num_paths)
    whole = fit_key(key, first_path)
    check = time_limit(begin, max_time)
    with ProgressBar(settings.num_paths, progress) as bar:
        lanes = run_lanes(
            density,
            points,
            key,
            numbers,
            settings,
            chosen_devices,
            bar.watching(check),
            all_of(bar.update, report),
            time_is_over(begin, max_time),
        )
        outcomes = lanes.outcomes
        if outcomes.interrupted and not lanes.paths.succeeded.any() and time.perf_counter() - begin < max_time:
            raise KeyboardInterrupt("Pathfinder was interrupted before any path had an approximation.")
        require_paths(outcomes, model.rejection_fn)

        def weigh(paths: FittedPaths, modes: Sequence[RefinedFit | None]) -> list[FitPool]:
            with finite_draws_required(outcomes):
                return [fit_pool(paths, modes[0], whole)]

        weighted = after_paths(density, lanes, whole[None], settings, check, bar, weigh)
    (pool,), (chains,) = weighted.pools, weighted.chains or (FitChains(None, False, None),)
    assert pool is not None  # or it would have been an error
    seconds = {**weighted.seconds, "total": time.perf_counter() - begin}
    return assemble(
        model, settings, seed, key, weighted.outcomes, pool, chains.draws, chains.budget, seconds, first_path
    )


def _signature() -> inspect.Signature:
    """The signature of `fit` with the options spelled out, for help and completion."""
    own = [parameter for parameter in inspect.signature(fit).parameters.values() if parameter.name != "options"]
    spelled = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
        for field in dataclasses.fields(Settings)
    ]
    return inspect.Signature([*own, *spelled], return_annotation=PathfinderResult)


fit.__signature__ = _signature()  # type: ignore[attr-defined]
