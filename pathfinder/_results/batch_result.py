"""What fits of many data sets return."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree, UInt32

import psis
from pathfinder._arrays.key_order import map_in_order
from pathfinder._arrays.placed import placed
from pathfinder._arrays.streams import Stream, path_keys
from pathfinder._chains.budget import ChainBudget
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._draws.named_draws import named_draws
from pathfinder._draws.verdict import chains_verdict, unconstrained_names
from pathfinder._importance.fit_pool import FitPool
from pathfinder._importance.path_draws import PathDraws
from pathfinder._importance.pool import NoFiniteDrawError, log_ratios, make_pool, with_sizes
from pathfinder._model.model import Model
from pathfinder._paths.outcomes import PathOutcomes
from pathfinder._refinement.history import Cost
from pathfinder._results.assemble import (
    assemble,
    choose_rows,
    densities_for_draws,
    finite_draws_required,
    is_constant,
    require_paths,
)
from pathfinder._results.result import PathfinderResult
from pathfinder._settings import Settings
from pathfinder._status import Status


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
        chains: The chains of each fit, None for those whose weights will do; empty if none might run.
        chain_budgets: What these might take, None where none were needed or wanted.
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
    chains: tuple[ChainDraws | None, ...] = dataclasses.field(default=(), repr=False)
    chain_budgets: tuple[ChainBudget | None, ...] = dataclasses.field(default=(), repr=False)

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
        lanes = self._lanes(fit)
        model = dataclasses.replace(
            self.model, data=map_in_order(lambda leaf: placed(np.asarray(leaf)[fit]), self.data)
        )
        outcomes = self.outcomes.of_lanes(lanes)
        require_paths(outcomes)
        with finite_draws_required(outcomes):
            weighted = self._pool(fit, lanes)
        budget = self.chain_budgets[fit] if self.chain_budgets else None
        return assemble(
            model, self.settings, None, self.keys[fit], outcomes, weighted, self._chains[fit], budget, self.seconds
        )

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
        return self._statuses.copy()

    @cached_property
    def _statuses(self) -> np.ndarray:
        statuses = self._by_fit(self.outcomes.status).copy()
        for fit in np.flatnonzero(np.all(statuses == Status.STATIONARY_START, axis=1)).tolist():
            if is_constant(self.outcomes.of_lanes(self._lanes(fit)), self._log_p(fit)):
                statuses[fit] = Status.CONSTANT_DENSITY
        return statuses

    def _log_p(self, fit: int) -> np.ndarray:
        """Log densities of the draws of one fit."""
        if self.refined is None:
            return self.scores["log_p"][self._lanes(fit)]
        weighted = self.refined[fit]
        return np.zeros(0) if weighted is None else weighted.pool.log_p

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
        of_chains = np.array([0 if own is None else own.num_gradients for own in self._chains])
        of_paths = self._by_fit(self.outcomes.num_gradients).sum(axis=1)
        return of_paths + self._of_refinement("num_gradients") + of_chains

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
    def _chains(self) -> tuple[ChainDraws | None, ...]:
        return self.chains or (None,) * len(self)

    @property
    def pareto_k(self) -> Float[np.ndarray, " fit"]:
        """k-hat of the weights of every fit; NaN for fits that failed."""
        return self._smoothed[0]

    @property
    def effective_sample_size(self) -> Float[np.ndarray, " fit"]:
        """Effective number of draws of every fit by its weights; NaN for fits that failed."""
        return self._smoothed[1]

    @property
    def uses_chains(self) -> Bool[np.ndarray, " fit"]:
        """Whether the draws of a fit are states of chains."""
        return np.array([own is not None for own in self._chains])

    @cached_property
    def is_reliable(self) -> Bool[np.ndarray, " fit"]:
        """Whether estimates from the draws of a fit can be trusted, as `PathfinderResult.is_reliable`."""
        if self.refined is not None:
            by_weights = np.array([own is not None and own.pool.is_reliable for own in self.refined])
        else:
            sizes = self.settings.num_draws * self._path_succeeded.sum(axis=1)
            thresholds = np.array([psis.pareto_k_threshold(int(size)) if size > 1 else -np.inf for size in sizes])
            enough = self.effective_sample_size >= psis.MIN_EFFECTIVE_SAMPLE_SIZE
            by_weights = (self.pareto_k <= thresholds) & enough
            for fit in np.flatnonzero(by_weights).tolist():  # the others need no look at their draws
                weighted = self._pool(fit, self._lanes(fit))
                by_weights[fit] = with_sizes(weighted.pool, weighted.source).is_reliable
        names = unconstrained_names(self.model.parameters, self.model.dim)
        by_chains = [own is not None and chains_verdict(own, names).is_reliable for own in self._chains]
        return np.where(self.uses_chains, by_chains, by_weights)

    @cached_property
    def draws(self) -> dict[str, np.ndarray]:
        """Draws of all fits by variable name, arrays of shape `(fit, draw, *shape)`; NaN for fits that failed.

        With `psis_resample=False` fits of which paths failed have fewer draws, `num_draws`, and NaN behind them.
        """
        if self.refined is not None:
            results = [self[fit] if self.succeeded[fit] else None for fit in range(len(self))]
            return self._stacked({fit: own.draws for fit, own in enumerate(results) if own is not None})
        rows = {fit: chosen for fit, chosen in enumerate(self._rows) if chosen is not None}
        if not rows:
            return {}
        sizes = [len(lanes) for lanes, _ in rows.values()]
        lanes, indices = (np.concatenate(parts) for parts in zip(*rows.values(), strict=True))
        fits = np.repeat(np.asarray(list(rows), np.int64), sizes)
        paths = np.tile(np.arange(self.settings.num_paths), len(self))
        keys = path_keys(
            self.keys[np.repeat(np.arange(len(self)), self.settings.num_paths)], paths, Stream.GENERATED_QUANTITIES
        )
        model = dataclasses.replace(self.model, data=self.data)
        named = named_draws(model, self.source, lanes, indices, keys, fits, cache=self.settings.cache)
        ends = np.cumsum(sizes)
        return self._stacked(
            {
                fit: {name: values[end - size : end] for name, values in named.items()}
                for fit, size, end in zip(rows, sizes, ends, strict=True)
            }
        )

    def _stacked(self, draws: Mapping[int, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """The draws of the fits that have some, on a leading axis of all fits."""
        template = next(iter(draws.values()), {})
        stacked = {}
        for name, values in template.items():
            most = max(len(own[name]) for own in draws.values())
            whole = np.full((len(self), most, *values.shape[1:]), np.nan, np.result_type(values, np.float32))
            for fit, own in draws.items():
                whole[fit, : len(own[name])] = own[name]
            stacked[name] = whole
        return stacked

    @property
    def num_draws(self) -> Int[np.ndarray, " fit"]:
        """Number of draws of every fit; 0 for fits that failed."""
        if self.refined is None:
            return np.array([0 if rows is None else len(rows[0]) for rows in self._rows])
        settings, pools = self.settings, [None if own is None else own.pool for own in self.refined]
        fixed = settings.num_psis_draws if settings.calculate_lp and settings.resamples_paths else None
        by_weights = np.array([0 if pool is None else fixed or len(pool) for pool in pools])
        return np.where(self.uses_chains, settings.num_psis_draws, by_weights)

    def _by_fit(self, values: np.ndarray) -> np.ndarray:
        return values.reshape(len(self), self.settings.num_paths, *values.shape[1:])

    def _lanes(self, fit: int) -> slice:
        return slice(fit * self.settings.num_paths, (fit + 1) * self.settings.num_paths)

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
        reliable, by_chains = self.is_reliable, self.uses_chains
        of_chains = f", {int(by_chains.sum())} by chains, of which {int((reliable & by_chains).sum())} are reliable"
        return (
            f"Pathfinder fits of '{self.model.name}' to {len(self)} data sets: {int(self.succeeded.sum())} succeeded, "
            f"{int(reliable.sum())} of them with reliable estimates{of_chains if by_chains.any() else ''}\n"
            f"Cost: {int(self.num_gradients.sum())} gradients, {int(self.num_densities.sum())} densities, "
            f"{self.seconds['total']:.3g} s"
        )
