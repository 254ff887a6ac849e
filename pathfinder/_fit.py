"""Fit a posterior: the front door."""

import dataclasses
import inspect
import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Key, PyTree

import psis
from pathfinder._devices import Devices
from pathfinder._initial_points import InitialPoints, initial_points
from pathfinder._lbfgs import Start
from pathfinder._model import Model
from pathfinder._paths import Interrupt, PathOutcomes, PathReport, Problem, run_paths
from pathfinder._pool import NoFiniteDrawError, PathDraws, Pool, make_pool, path_draws, score_paths
from pathfinder._progress import ProgressBar
from pathfinder._result import PathfinderResult, PathResult
from pathfinder._settings import Settings
from pathfinder._status import Status
from pathfinder._streams import Stream, host_generator, path_keys


class PathfinderError(RuntimeError):
    """No path produced a usable approximation.

    Args:
        message: What happened to each path, and what to try.
        statuses: Status of each path.
    """

    def __init__(self, message: str, statuses: Sequence[Status]):
        super().__init__(message)
        self.statuses = tuple(statuses)


def fit(
    model: Model | Callable[..., Any],
    example: PyTree = None,
    *,
    data: PyTree = None,
    constraints: Mapping[str, Any] | None = None,
    init: PyTree | InitialPoints = None,
    seed: int | Key[jax.Array, ""] | None = None,
    settings: Settings | None = None,
    devices: Sequence[jax.Device] | None = None,
    max_time: float = math.inf,
    progress: bool = True,
    report: Callable[[list[PathReport]], None] | None = None,
    **options: Any,
) -> PathfinderResult:
    """Approximate a posterior with (multi-path) Pathfinder and draw from it.

    Algorithm: Zhang, Carpenter, Gelman and Vehtari (2022), JMLR 23(306), with importance weights against the mixture of
    all paths. Options have CmdStan's names and defaults; `Settings` describes them.

    Ctrl-C ends the paths early and returns what is finished; if nothing is, it raises `KeyboardInterrupt`.

    Args:
        model: A `Model`, or a log density of a pytree of parameters, as in `Model.from_log_density`.
        example: If `model` is a function: a pytree like its parameters. Defaults to `init`.
        data: If `model` is a function: data to call it with.
        constraints: If `model` is a function: constraints of its parameters by name.
        init: Initial points: parameters as a pytree, for all paths; a list of `num_paths` of them; or a pytree with a
            leading axis of length `num_paths` on every leaf. Random if None.
        seed: Seed (or key) of all random numbers; the same seed gives the same draws. Random if None.
        settings: Options as an object.
        devices: JAX devices over which the paths are spread; all local ones if None.
        max_time: Seconds after which the paths are ended early, with what they have found.
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
    settings = _settings(settings, options)
    model = _model(model, example if example is not None else init, data, constraints)
    seed, key = _seed_and_key(seed)
    chosen_devices = Devices.choose(devices)
    points = initial_points(model, init, settings.num_paths, settings.init_radius)
    problem = Problem(model.density, model.dim, model.dtype, model.data)
    numbers = np.arange(settings.num_paths)
    with ProgressBar(settings.num_paths, progress) as bar:
        outcomes = run_paths(
            problem,
            Start(path_keys(key, numbers, Stream.INITIAL_POINT), points.center, points.radius, points.max_tries),
            path_keys(key, numbers, Stream.ELBO),
            settings,
            chosen_devices,
            check=_time_limit(begin, max_time),
            report=_all_of(bar.update, report),
        )
    succeeded = outcomes.best_iteration >= 0
    if not succeeded.any():
        if outcomes.interrupted and time.perf_counter() - begin < max_time:
            raise KeyboardInterrupt("Pathfinder was interrupted before any path had an approximation.")
        raise _no_success([Status(status) for status in outcomes.status])
    drawing = time.perf_counter()
    source = _source(problem, outcomes, key, settings, chosen_devices, numbers)
    scores = score_paths(problem, source, succeeded, settings, chosen_devices)
    try:
        pool = make_pool(scores, succeeded, settings)
    except NoFiniteDrawError as error:
        raise PathfinderError(str(error), [Status(status) for status in outcomes.status]) from error
    now = time.perf_counter()
    seconds = {**outcomes.seconds, "draws": now - drawing, "total": now - begin}
    return _result(model, settings, seed, key, outcomes, pool, source, seconds, slice(0, settings.num_paths))


def _settings(settings: Settings | None, options: Mapping[str, Any]) -> Settings:
    names = [field.name for field in dataclasses.fields(Settings)]
    unknown = sorted(set(options) - set(names))
    if unknown:
        raise TypeError(f"Unknown option {', '.join(map(repr, unknown))}. The options are {', '.join(names)}.")
    return dataclasses.replace(settings or Settings(), **options)


def _model(model: Any, example: PyTree, data: PyTree, constraints: Mapping[str, Any] | None) -> Model:
    if isinstance(model, Model):
        if data is not None or constraints is not None:
            raise ValueError("`data` and `constraints` go with a log density; a Model has its own.")
        return model
    if not callable(model):
        raise ValueError(f"`model` must be a pathfinder.Model or a log density, but {type(model).__name__} was given.")
    if example is None:
        raise ValueError(
            "A log density needs `example`, a pytree with the structure and shapes of its parameters, for instance "
            'fit(log_density, {"mu": 0.0, "theta": jnp.zeros(8)}).'
        )
    return Model.from_log_density(model, example, data=data, constraints=constraints)


def _seed_and_key(seed: Any) -> tuple[int | None, Key[jax.Array, ""]]:
    if seed is None:
        seed = secrets.randbits(32)
    if isinstance(seed, jax.Array) and jax.dtypes.issubdtype(seed.dtype, jax.dtypes.prng_key):
        return None, seed
    if isinstance(seed, jax.Array) and seed.dtype == np.uint32 and seed.shape == (2,):
        return None, jax.random.wrap_key_data(seed)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ValueError(f"`seed` must be a whole number from 0 to 2^64 - 1 or a JAX key, but {seed!r} was given.")
    key = jax.random.key(int(seed) % 2**32)
    return int(seed), jax.random.fold_in(key, int(seed) >> 32) if seed >= 2**32 else key


def _time_limit(begin: float, max_time: float) -> Callable[[], None]:
    if not max_time > 0:
        raise ValueError(f"`max_time` must be a positive number of seconds, but {max_time!r} was given.")

    def check() -> None:
        if time.perf_counter() - begin > max_time:
            raise Interrupt

    return check


def _all_of(*callables: Callable[[list[PathReport]], None] | None) -> Callable[[list[PathReport]], None]:
    def call(reports: list[PathReport]) -> None:
        for each in callables:
            if each is not None:
                each(reports)

    return call


def _no_success(statuses: Sequence[Status]) -> PathfinderError:
    lines = [f"  path {number}: {status.message}" for number, status in enumerate(statuses)]
    return PathfinderError("No path produced an approximation.\n" + "\n".join(lines), statuses)


def _source(problem, outcomes: PathOutcomes, key, settings: Settings, devices: Devices, numbers) -> PathDraws:
    """Where the draws of all lanes come from; `numbers` is the path number of each."""
    elbo_keys = path_keys(key, numbers, Stream.ELBO)
    return path_draws(
        problem, outcomes.approximations, path_keys(key, numbers, Stream.DRAWS), elbo_keys,
        outcomes.best_iteration, settings, devices,
    )  # fmt: skip


def _result(
    model: Model,
    settings: Settings,
    seed: int | None,
    key: Key[jax.Array, ""],
    outcomes: PathOutcomes,
    pool: Pool,
    source: PathDraws,
    seconds: dict[str, float],
    lanes: slice,
) -> PathfinderResult:
    is_resampled = settings.psis_resample and settings.calculate_lp and settings.num_paths > 1
    rows = np.arange(len(pool))
    if is_resampled:
        rng = host_generator(key, "resample")
        rows = psis.resample(pool.log_weights, settings.num_psis_draws, method=settings.resample, rng=rng)  # type: ignore[arg-type]
    return PathfinderResult(
        model=model,
        settings=settings,
        seed=seed,
        paths=_path_results(outcomes, pool, settings, lanes),
        pool=pool,
        rows=rows,
        is_resampled=is_resampled,
        seconds=seconds,
        interrupted=outcomes.interrupted,
        key=key,
        source=source,
    )


def _path_results(outcomes: PathOutcomes, pool: Pool, settings: Settings, lanes: slice) -> tuple[PathResult, ...]:
    num_paths = lanes.stop - lanes.start
    weights = np.bincount(pool.paths, weights=np.exp(pool.log_weights), minlength=num_paths)
    num_reused = min(settings.num_elbo_draws, settings.num_draws) if settings.reuse_elbo_draws else 0
    num_new_draws = settings.num_draws - num_reused if settings.calculate_lp else 0
    results = []
    approximations = jax.tree_util.tree_map(np.asarray, outcomes.approximations)
    for number, lane in enumerate(range(lanes.start, lanes.stop)):
        status = Status(outcomes.status[lane])
        trajectory = None
        if outcomes.trajectories is not None:
            trajectory = outcomes.trajectories[lane]
        results.append(
            PathResult(
                status=status,
                elbo=float(outcomes.elbo[lane]),
                elbo_standard_error=float(outcomes.elbo_standard_error[lane]),
                best_iteration=int(outcomes.best_iteration[lane]),
                num_iterations=int(outcomes.num_iterations[lane]),
                num_gradients=int(outcomes.num_gradients[lane]),
                num_densities=int(outcomes.num_elbo_draws[lane]) + (num_new_draws if status.succeeded else 0),
                pareto_k=float(pool.pareto_k_by_path[number]),
                weight=float(weights[number]),
                initial_log_density=float(outcomes.initial_log_density[lane]),
                approximation=_lane(approximations, lane) if status.succeeded else None,
                iterations=outcomes.iterations[lane],
                trajectory=trajectory,
            )
        )
    return tuple(results)


def _lane(tree: Any, lane: int) -> Any:
    return jax.tree_util.tree_map(lambda leaf: leaf[lane], tree)


def _signature() -> inspect.Signature:
    """The signature of `fit` with the options spelled out, for help and completion."""
    own = [parameter for parameter in inspect.signature(fit).parameters.values() if parameter.name != "options"]
    spelled = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
        for field in dataclasses.fields(Settings)
    ]
    return inspect.Signature([*own, *spelled], return_annotation=PathfinderResult)


fit.__signature__ = _signature()  # type: ignore[attr-defined]
