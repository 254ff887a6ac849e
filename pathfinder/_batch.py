"""Fit many data sets at once."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree, UInt32

import psis
from pathfinder._assemble import assemble, choose_rows, densities_for_draws, finite_draws_required, require_paths
from pathfinder._batch_sizes import scoring_batch_size
from pathfinder._devices import Devices
from pathfinder._fit import draws_of, merged_settings, model_of, seed_and_key, time_limit
from pathfinder._initial_points import initial_points
from pathfinder._key_order import map_in_order
from pathfinder._lbfgs import Start
from pathfinder._model import Model
from pathfinder._model_data import data_arrays
from pathfinder._named_draws import named_draws
from pathfinder._outcomes import PathOutcomes, Problem
from pathfinder._paths import run_paths
from pathfinder._pool import NoFiniteDrawError, PathDraws, log_ratios, make_pool, score_paths
from pathfinder._progress import ProgressBar
from pathfinder._refine import RefinedFit, refine_modes
from pathfinder._refined_lane import Cost
from pathfinder._refined_pool import FitPool, fit_pool
from pathfinder._result import PathfinderResult
from pathfinder._settings import Settings
from pathfinder._streams import Stream, counted_keys, path_keys


def fit_batch(
    model: Model | Callable[..., Any],
    data: PyTree,
    example: PyTree = None,
    *,
    constraints: Mapping[str, Any] | None = None,
    init: PyTree = None,
    seed: Any = None,
    settings: Settings | None = None,
    devices: Sequence[Any] | None = None,
    max_time: float = float("inf"),
    progress: bool = True,
    **options: Any,
) -> "BatchResult":
    """Fit one model to many data sets of the same shapes, in compiled batches.

    Every fit is one of `fit`, with its own paths, weights, k-hat and statuses; one that fails does not disturb the
    others. Memory is bounded: as many fits run together as fit the budget of the devices.

    Args:
        model: A `Model`, or a log density `log_density(params, data)` as in `fit`.
        data: Pytree of arrays whose leading axis runs over data sets.
        example: If `model` is a function: a pytree like its parameters. Defaults to `init`.
        constraints: If `model` is a function: constraints of its parameters by name.
        init: Initial points as in `fit`, the same for all data sets.
        seed: Seed (or key) of all random numbers. Fit i is that of `fit` with the key `result.keys[i]`.
        settings: Options as an object.
        devices: JAX devices over which the fits are spread.
        max_time: Seconds after which all paths, or their refinement, are ended early.
        progress: Whether to show a progress bar.
        **options: Any field of `Settings`.

    Raises:
        ValueError: If the leading axes of `data` differ, or an argument does not fit the model.
    """
    begin = time.perf_counter()
    settings = merged_settings(settings, options)
    data = data_arrays(data)
    sizes = {np.shape(leaf)[:1] for leaf in jax.tree_util.tree_leaves(data)}
    if len(sizes) != 1 or sizes == {()} or sizes == {(0,)}:
        shapes = [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(data)]
        raise ValueError(
            "Every array of `data` needs the same leading axis, which runs over the data sets; "
            f"their shapes are {shapes}."
        )
    num_fits = int(next(iter(sizes))[0])
    first = map_in_order(lambda leaf: leaf[0], data)
    if isinstance(model, Model):
        # The names are those of the data that the model was made with.
        model = dataclasses.replace(model, data=first, named_data=None if model.named_data is None else {})
    else:
        model = model_of(model, example if example is not None else init, first, constraints)
    seed, key = seed_and_key(seed)
    chosen_devices = Devices.choose(devices)
    points = initial_points(model, init, settings.num_paths, settings.init_radius)
    fit_keys = counted_keys(key, np.arange(num_fits))
    paths = np.tile(np.arange(settings.num_paths), num_fits)
    lane_keys = fit_keys[np.repeat(np.arange(num_fits), settings.num_paths)]
    problem = Problem(model.density, model.dim, model.dtype, data, num_fits)
    with ProgressBar(len(paths), progress) as bar:
        outcomes = run_paths(
            problem,
            Start(
                path_keys(lane_keys, paths, Stream.INITIAL_POINT),
                np.tile(points.center, (num_fits, 1)),
                np.tile(points.radius, (num_fits, 1)),
                np.tile(points.max_tries, num_fits),
            ),
            path_keys(lane_keys, paths, Stream.ELBO),
            settings,
            chosen_devices,
            check=time_limit(begin, max_time),
            report=bar.update,
        )
    drawing = time.perf_counter()
    source = draws_of(problem, outcomes, lane_keys, settings, chosen_devices, paths)
    seconds = dict(outcomes.seconds)
    scores, refined = {}, None
    if settings.refines and not outcomes.interrupted:
        modes, ended = refine_modes(problem, outcomes, fit_keys, settings, check=time_limit(begin, max_time))
        outcomes = dataclasses.replace(outcomes, interrupted=ended)
        seconds["refine"], drawing = time.perf_counter() - drawing, time.perf_counter()
        alone = dataclasses.replace(problem, data=first, num_fits=None)
        source = dataclasses.replace(source, batch_size=scoring_batch_size(alone, settings, chosen_devices))
        succeeded = (outcomes.best_iteration >= 0).reshape(num_fits, -1)
        refined = tuple(
            _pool_of_fit(problem, modes[fit], fit, source, fit_keys[fit], succeeded[fit], settings, chosen_devices)
            for fit in range(num_fits)
        )
    else:
        scores = score_paths(problem, source, outcomes.best_iteration >= 0, settings, chosen_devices)
    now = time.perf_counter()
    seconds.update(draws=now - drawing, total=now - begin)
    return BatchResult(model, data, settings, seed, fit_keys, outcomes, scores, source, seconds, refined)


def _pool_of_fit(
    problem: Problem,
    refined: RefinedFit | None,
    fit: int,
    source: PathDraws,
    key,
    succeeded: np.ndarray,
    settings: Settings,
    devices: Devices,
) -> FitPool | None:
    """The weighted draws of one fit; None if it failed."""
    if not succeeded.any():
        return None
    own = dataclasses.replace(problem, data=jax.tree_util.tree_map(lambda leaf: leaf[fit], problem.data), num_fits=None)
    lanes = slice(fit * settings.num_paths, (fit + 1) * settings.num_paths)
    with suppress(NoFiniteDrawError):
        return fit_pool(own, refined, source.of_lanes(lanes), key, succeeded, settings, devices)
    return None


@dataclass(frozen=True)
class BatchResult(Sequence[PathfinderResult]):
    """The fits of many data sets; `result[i]` is the `PathfinderResult` of one.

    Args:
        model: The model, with the first data set.
        data: All data sets, on the leading axis.
        settings: Options.
        seed: Seed of the batch.
        keys: Key of each fit.
        seconds: Wall time by stage, of all fits together.
    """

    model: Model
    data: PyTree = dataclasses.field(repr=False)
    settings: Settings
    seed: int | None
    keys: UInt32[Array, "fit 2"] = dataclasses.field(repr=False)
    outcomes: PathOutcomes = dataclasses.field(repr=False)
    scores: Mapping[str, Float[np.ndarray, "lane draw"]] = dataclasses.field(repr=False)
    source: PathDraws = dataclasses.field(repr=False)
    seconds: Mapping[str, float]
    refined: tuple[FitPool | None, ...] | None = dataclasses.field(default=None, repr=False)

    def __len__(self) -> int:
        return self.keys.shape[0]

    def __getitem__(self, fit: int) -> PathfinderResult:  # type: ignore[override]
        """The result of one fit.

        Raises:
            PathfinderError: If none of its paths succeeded.
        """
        if not -len(self) <= fit < len(self):
            raise IndexError(f"There are {len(self)} fits, but fit {fit} was asked for.")
        fit %= len(self)
        lanes = slice(fit * self.settings.num_paths, (fit + 1) * self.settings.num_paths)
        model = dataclasses.replace(self.model, data=map_in_order(lambda leaf: leaf[fit], self.data))
        outcomes = self.outcomes.of_lanes(lanes)
        require_paths(outcomes)
        with finite_draws_required(outcomes):
            weighted = self._pool(fit, lanes)
        return assemble(model, self.settings, None, self.keys[fit], outcomes, weighted, self.seconds)

    def _pool(self, fit: int, lanes: slice) -> FitPool:
        if self.refined is None:
            own = {name: values[lanes] for name, values in self.scores.items()}
            pool = make_pool(own, self._path_succeeded[fit], self.settings)
            return FitPool(pool, self.source.of_lanes(lanes), None, Cost())
        refined = self.refined[fit]
        if refined is None:
            raise NoFiniteDrawError("The log density is not finite at any draw of any refined approximation.")
        return refined

    def __iter__(self) -> Iterator[PathfinderResult]:
        return (self[fit] for fit in range(len(self)))

    @property
    def status(self) -> Int[np.ndarray, "fit path"]:
        """`Status` of every path."""
        return self._by_fit(self.outcomes.status)

    @property
    def elbo(self) -> Float[np.ndarray, "fit path"]:
        """ELBO estimate of the best approximation of every path; -inf where there is none."""
        return self._by_fit(self.outcomes.elbo)

    @property
    def succeeded(self) -> Bool[np.ndarray, " fit"]:
        """Whether a fit has draws: a path that succeeded, and a finite density at one of its draws."""
        has_paths: np.ndarray = self._path_succeeded.sum(axis=1) > 0
        if not self.settings.calculate_lp:
            return has_paths
        return np.asarray(has_paths & np.isfinite(self.effective_sample_size), dtype=bool)

    @property
    def num_gradients(self) -> Int[np.ndarray, " fit"]:
        """Evaluations of the log density with its gradient."""
        return self._by_fit(self.outcomes.num_gradients).sum(axis=1) + self._of_refinement("num_gradients")

    @property
    def num_densities(self) -> Int[np.ndarray, " fit"]:
        """Evaluations of the log density alone."""
        refined = self.refined or (None,) * len(self)
        from_paths = np.array([own is None or own.refinement is None for own in refined])
        per_path = densities_for_draws(self.settings) * from_paths
        for_draws = per_path * self._path_succeeded.sum(axis=1) + self._of_refinement("num_densities")
        return self._by_fit(self.outcomes.num_elbo_draws).sum(axis=1) + for_draws

    def _of_refinement(self, name: str) -> Int[np.ndarray, " fit"]:
        refined = self.refined or (None,) * len(self)
        return np.array([0 if own is None else getattr(own.cost, name) for own in refined])

    @property
    def pareto_k(self) -> Float[np.ndarray, " fit"]:
        """k-hat of every fit; NaN for fits that failed."""
        return self._smoothed[0]

    @property
    def effective_sample_size(self) -> Float[np.ndarray, " fit"]:
        """Effective number of draws of every fit; NaN for fits that failed."""
        return self._smoothed[1]

    @cached_property
    def draws(self) -> dict[str, np.ndarray]:
        """Draws of all fits by variable name, arrays of shape `(fit, draw, *shape)`; NaN for fits that failed.

        Raises:
            ValueError: If fits have different numbers of draws, because draws were not resampled and paths failed.
        """
        if self.refined is not None:
            return self._refined_draws()
        rows = {fit: chosen for fit, chosen in enumerate(self._rows) if chosen is not None}
        good = list(rows)
        sizes = {len(lanes) for lanes, _ in rows.values()}
        if len(sizes) > 1:
            raise ValueError(
                "The fits have different numbers of draws, because some paths failed and psis_resample=False. "
                "Use the draws of each fit, result[i].draws."
            )
        size = sizes.pop() if sizes else 0
        lanes = np.concatenate([rows[fit][0] for fit in good]) if good else np.zeros(0, np.int64)
        indices = np.concatenate([rows[fit][1] for fit in good]) if good else np.zeros(0, np.int64)
        fits = np.repeat(np.asarray(good, np.int64), size)
        paths = np.tile(np.arange(self.settings.num_paths), len(self))
        keys = path_keys(
            self.keys[np.repeat(np.arange(len(self)), self.settings.num_paths)], paths, Stream.GENERATED_QUANTITIES
        )
        model = dataclasses.replace(self.model, data=self.data)
        named = named_draws(model, self.source, lanes, indices, keys, fits) if good else {}
        result = {}
        for name, values in named.items():
            whole = np.full((len(self), size, *values.shape[1:]), np.nan, np.result_type(values, np.float32))
            whole[good] = values.reshape(len(good), size, *values.shape[1:])
            result[name] = whole
        return result

    def _refined_draws(self) -> dict[str, np.ndarray]:
        """The same for refined fits, whose draws come from sources of their own."""
        results = [self[fit] if self.succeeded[fit] else None for fit in range(len(self))]
        named = [None if result is None else result.draws for result in results]
        template = next((own for own in named if own is not None), {})
        return {
            name: np.stack(
                [np.full(values.shape, np.nan, np.result_type(values, np.float32)) if own is None else own[name]
                 for own in named]
            )
            for name, values in template.items()
        }  # fmt: skip

    def _by_fit(self, values: np.ndarray) -> np.ndarray:
        return values.reshape(len(self), self.settings.num_paths)

    @property
    def _path_succeeded(self) -> np.ndarray:
        return self._by_fit(self.outcomes.best_iteration >= 0)

    @cached_property
    def _rows(self) -> list[tuple[np.ndarray, np.ndarray] | None]:
        """Lanes and draw numbers of the returned draws of each fit; None where it failed."""
        rows: list[tuple[np.ndarray, np.ndarray] | None] = []
        num_paths = self.settings.num_paths
        for fit, succeeded in enumerate(self._path_succeeded):
            own = {name: values[fit * num_paths : (fit + 1) * num_paths] for name, values in self.scores.items()}
            try:
                pool = make_pool(own, succeeded, self.settings) if succeeded.any() else None
            except NoFiniteDrawError:
                pool = None
            if pool is None:
                rows.append(None)
                continue
            _, chosen = choose_rows(pool, self.settings, self.keys[fit])
            rows.append((pool.paths[chosen] + fit * num_paths, pool.indices[chosen]))
        return rows

    @cached_property
    def _smoothed(self) -> tuple[np.ndarray, np.ndarray]:
        """k-hat and effective sample size of each fit, those whose paths all succeeded in one go."""
        pareto_k, size = np.full(len(self), np.nan), np.full(len(self), np.nan)
        if self.refined is not None:
            for fit, own in enumerate(self.refined):
                if own is not None:
                    pareto_k[fit], size[fit] = own.pool.pareto_k, own.pool.effective_sample_size
            return pareto_k, size
        if not self.settings.calculate_lp:
            return pareto_k, size
        name = "log_mixture" if self.settings.weights == "mixture" else "log_q"
        ratios = log_ratios(self.scores["log_p"], self.scores[name]).reshape(len(self), self.settings.num_paths, -1)
        patterns, which = np.unique(self._path_succeeded, axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            members = np.flatnonzero(which.ravel() == number)
            own = ratios[members][:, pattern].reshape(len(members), -1)
            usable = np.any(own > -np.inf, axis=1) if own.size else np.zeros(len(members), bool)
            if usable.any():
                smoothed = psis.smooth_log_weights(own[usable])
                pareto_k[members[usable]] = smoothed.pareto_k
                size[members[usable]] = smoothed.effective_sample_size
        return pareto_k, size

    def __repr__(self) -> str:
        threshold = psis.pareto_k_threshold(self.settings.num_paths * self.settings.num_draws)
        enough = psis.MIN_EFFECTIVE_SAMPLE_SIZE
        good = int(np.sum((self.pareto_k <= threshold) & (self.effective_sample_size >= enough)))
        return (
            f"Pathfinder fits of '{self.model.name}' to {len(self)} data sets: {int(self.succeeded.sum())} succeeded, "
            f"{good} with k-hat at most {threshold:.2f} and an effective sample size of at least {enough}\n"
            f"Cost: {int(self.num_gradients.sum())} gradients, {int(self.num_densities.sum())} densities, "
            f"{self.seconds['total']:.3g} s"
        )
