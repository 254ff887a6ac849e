"""What a fit returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float, Int

import psis
from pathfinder._arrays.streams import Key
from pathfinder._chains.budget import ChainBudget
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._draws.metric import LowRankMatrix, MatrixKind
from pathfinder._draws.returned import ChainRows, PoolRows, ResultKeys, fresh_draws
from pathfinder._draws.summary import moments_and_quantiles
from pathfinder._draws.verdict import Verdict
from pathfinder._importance.path_draws import DrawSource
from pathfinder._importance.pool import Pool
from pathfinder._importance.refinement import Refinement
from pathfinder._model.model import Model
from pathfinder._normals.normal import Normal
from pathfinder._refinement.history import Cost
from pathfinder._results.archive import write
from pathfinder._results.inference_data import inference_data
from pathfinder._results.leave_one_out import leave_one_out
from pathfinder._results.path_result import PathResult
from pathfinder._results.report import Shown, describe, describe_html
from pathfinder._results.warm_start import WarmStart, matrix_of, parameters_at, starts_of, warm_start_from
from pathfinder._settings import Settings
from pathfinder._variables import flatten_draws


if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PathfinderResult:
    """Draws from a posterior approximated by Pathfinder, with the diagnostics to judge them.

    Args:
        model: The model that was fitted.
        settings: The options of the fit.
        seed: The seed that reproduces it.
        paths: One `PathResult` per path, failed ones included.
        pool: All draws with their densities and importance weights, from which the rows were resampled.
        rows: For each returned draw its number in the pool, or among the states of the chains if it is one of these.
        is_resampled: Whether the rows were chosen by their weights, or are states of chains. If so, all
            returned draws weigh the same.
        seconds: Wall time by stage: "paths", "elbo", "draws" and "total", compilation included.
        interrupted: Whether a time limit or an interrupt ended the fit early.
        refinement: How the approximations were refined; None if they were not.
        refinement_cost: Evaluations that refinement took, also one that came to nothing.
        chains: The states of the chains that ran after it, with their diagnostics; None if none did.
        uses_chains: Whether the returned draws are states of these.
        chain_budget: What chains might take; None if none were needed or wanted.
        first_path: Number of the first path among the random streams of the seed; 0 but for other `id`s of a run.
    """

    model: Model
    settings: Settings
    seed: int | None
    paths: tuple[PathResult, ...]
    pool: Pool = dataclasses.field(repr=False)
    rows: Int[np.ndarray, " draw"] = dataclasses.field(repr=False)
    is_resampled: bool
    seconds: Mapping[str, float]
    interrupted: bool
    key: Key = dataclasses.field(repr=False)
    source: DrawSource = dataclasses.field(repr=False)
    refinement: Refinement | None = None
    refinement_cost: Cost = dataclasses.field(default=Cost(), repr=False)
    chains: ChainDraws | None = dataclasses.field(default=None, repr=False)
    uses_chains: bool = False
    chain_budget: ChainBudget | None = dataclasses.field(default=None, repr=False)
    first_path: int = dataclasses.field(default=0, repr=False)

    @property
    def num_draws(self) -> int:
        """Number of returned draws."""
        return len(self.rows)

    @property
    def path_ids(self) -> Int[np.ndarray, " draw"]:
        """The path of each returned draw, from 0; of a chain's state that of the draw that the chain started from."""
        return self._returned.path_ids

    @property
    def chain_ids(self) -> Int[np.ndarray, " draw"] | None:
        """The chain of each returned draw, from 0; None if the draws are not states of chains."""
        return self._returned.chain_ids if isinstance(self._returned, ChainRows) else None

    @property
    def log_p(self) -> Float[np.ndarray, " draw"]:
        """Log density of the model at each returned draw, on the unconstrained scale."""
        return self._returned.log_p

    @property
    def log_q(self) -> Float[np.ndarray, " draw"]:
        """Log density of the approximation of its own path at each returned draw; of a state as `path_ids`."""
        return self._returned.log_q(self.model)

    @property
    def weights(self) -> Float[np.ndarray, " draw"]:
        """Weights of the returned draws, which sum to one; all equal but for what `weighted()` returned."""
        own = np.ones(self.num_draws) if self.is_resampled else np.exp(self.pool.log_weights[self.rows])
        return own / own.sum()

    @property
    def draws_from(self) -> str:
        """What the returned draws are.

        "chains", "weights" by which they were chosen or that they have, "tempered weights" where these are unreliable
        (see `weight_power`), or "approximations".
        """
        return self._returned.origin

    @property
    def weight_power(self) -> float:
        """The power of the importance weights that draws were chosen by; 1 unless these are unreliable."""
        return self.pool.weight_power if self.is_resampled and not self.uses_chains else 1.0

    @property
    def is_reliable(self) -> bool:
        """Whether estimates from the returned draws can be trusted; `reliability` says why."""
        return self._verdict.is_reliable

    @property
    def reliability(self) -> str:
        """How far estimates from the returned draws can be trusted, and what to do if not, in words.

        Draws by weights are judged by k-hat and effective sample sizes, also of coordinates and their tails; states of
        chains by whether superchains agree, by the effective sample size of every parameter, by drift and acceptance.
        """
        return self._verdict.words

    @property
    def pareto_k(self) -> float:
        """k-hat: tail shape of the importance weights of the pooled draws; `psis.describe_pareto_k` explains it."""
        return self.pool.pareto_k

    @property
    def pareto_k_threshold(self) -> float:
        """What k-hat should be below for this number of draws."""
        return psis.pareto_k_threshold(len(self.pool))

    @property
    def effective_sample_size(self) -> float:
        """Effective number of draws in the pool by the importance weights."""
        return self.pool.effective_sample_size

    @property
    def num_gradients(self) -> int:
        """Evaluations of the log density with its gradient, over all paths, their refinement, and chains."""
        of_chains = 0 if self.chains is None else self.chains.num_gradients
        return sum(path.num_gradients for path in self.paths) + self.refinement_cost.num_gradients + of_chains

    @property
    def num_densities(self) -> int:
        """Evaluations of the log density alone, for ELBOs and draws, over all paths and their refinement."""
        return sum(path.num_densities for path in self.paths) + self.refinement_cost.num_densities

    @property
    def approximations(self) -> tuple[Normal, ...]:
        """The normal approximations on the unconstrained scale: refined ones, or those of the paths that succeeded."""
        if self.refinement:
            return tuple(mode.approximation for mode in self.refinement.modes)
        return tuple(path.approximation for path in self.paths if path.approximation is not None)

    @cached_property
    def draws(self) -> dict[str, np.ndarray]:
        """Parameters, transformed parameters and generated quantities by name; arrays of shape `(draw, *shape)`.

        All draws weigh the same, unless this is what `weighted()` returned.
        """
        return self._returned.named(self.model, self._keys, cache=self.settings.cache)

    @cached_property
    def unconstrained_draws(self) -> Float[np.ndarray, "draw dim"]:
        """The draws on the unconstrained scale."""
        return self._returned.positions(self.model)

    def weighted(self) -> PathfinderResult:
        """The same fit with all draws of its pool, each once, and their unequal `weights`.

        `draws` of what is returned need these weights: `result.weights @ result.draws["mu"]`, not a plain mean.
        """
        return dataclasses.replace(self, rows=np.arange(len(self.pool)), is_resampled=False, uses_chains=False)

    def resample(
        self,
        num_draws: int,
        *,
        replace: bool = True,
        method: Literal["systematic", "stratified", "multinomial", "without_replacement"] | None = None,
        seed: int = 0,
    ) -> PathfinderResult:
        """Choose other draws from the pool by the weights that those of the fit were chosen by; nothing is run again.

        Of a fit whose draws are states of chains, other states are chosen: at random, and as many of each chain.

        Args:
            num_draws: How many.
            replace: False is the method "without_replacement". States of chains come twice only if more are wanted than
                there are.
            method: As in `psis.resample`; the setting `resample` of the fit if None. It does not matter to states.
            seed: Seed of the choice.

        Raises:
            ValueError: If there are fewer draws of positive weight, or states, than are wanted without replacement, or
                the fit did not evaluate the log density.
        """
        chosen = method or (self.settings.resample if replace else "without_replacement")
        rows = self._returned.others(num_draws, chosen, self._keys.generator("resample again", seed))
        return dataclasses.replace(self, rows=rows, is_resampled=True)

    def draw(
        self, num_draws: int, *, seed: int = 0, constrained: bool = True
    ) -> dict[str, np.ndarray] | Float[np.ndarray, "draw dim"]:
        """Fresh draws from the mixture of the fitted approximations, by variable name or on the unconstrained scale.

        Each approximation has the share of the mixture that its draws have of the importance weight. These draws are
        not importance-resampled themselves.

        Args:
            num_draws: How many.
            seed: Seed of the draws; each gives others.
            constrained: False gives the same draws as an array of unconstrained vectors, without need of the model.
        """
        options = {"constrained": constrained, "cache": self.settings.cache}
        return fresh_draws(self.model, self.pool, self.source, self._keys, num_draws, seed, **options)

    def initial_positions(
        self, num_chains: int, *, seed: int = 0, unconstrained: bool = True
    ) -> Float[np.ndarray, "chain dim"] | list[dict[str, np.ndarray]]:
        """Where chains of a sampler may start: different draws, chosen by their weights, or states of the chains.

        Args:
            num_chains: How many.
            seed: Seed of the choice.
            unconstrained: False gives a dictionary of parameters by name for each chain.

        Raises:
            ValueError: If there are not so many draws with a positive weight.
        """
        positions = starts_of(self, num_chains, seed).unconstrained_draws
        return positions if unconstrained else parameters_at(self.model, positions)

    def inverse_mass_matrix(self, kind: MatrixKind = "auto") -> np.ndarray | LowRankMatrix:
        """The covariance on the unconstrained scale, as a metric for samplers of Hamiltonian Monte Carlo.

        It is that of the weighted draws, or of the states of chains, shrunk towards the fitted normal; where weights
        are unreliable that of the normal itself. Of several modes it is that of the one with most of the weight, with a
        warning.

        Args:
            kind: "dense" is a matrix; "diagonal" its diagonal; "low_rank" a diagonal but for some directions, where
                there are more than 200 dimensions with the correlations of the normal; "auto" is "dense" up to there
                and "low_rank" beyond.
        """
        return matrix_of(self, kind)

    def warm_start(self, num_chains: int = 4, kind: MatrixKind = "auto", *, seed: int = 0) -> WarmStart:
        """Where a sampler of another library goes on from this fit; `pathfinder.sample` runs one.

        Args:
            num_chains: How many chains start.
            kind: As of `inverse_mass_matrix`.
            seed: Seed of the choice of starts.
        """
        positions = starts_of(self, num_chains, seed).unconstrained_draws
        return warm_start_from(positions, matrix_of(self, kind), self.model)

    def summary(self) -> pd.DataFrame:
        """Mean, standard deviation, quantiles and effective sample size of every scalar, one row each.

        All are of the returned draws with their weights; of states of chains there is also nested R-hat. Variables with
        infinite values have no finite mean, no standard deviation and no effective sample size.
        """
        import pandas as pd

        values = flatten_draws(self.model.variables, self.draws).astype(np.float64)
        columns = moments_and_quantiles(values, self.weights) | self._returned.columns(values, self.weights)
        return pd.DataFrame(columns, index=pd.Index(self.model.columns("bracket"), name="variable"))

    def to_inferencedata(
        self,
        *,
        draws: Literal["returned", "pool"] = "returned",
        log_likelihood: bool | str | Sequence[str] | None = None,
        posterior_predictive: bool | str | Sequence[str] | None = None,
        observed: str | Sequence[str] | None = None,
    ) -> Any:
        """The draws as ArviZ InferenceData, or as a DataTree with ArviZ 1.0 and newer.

        Groups: `posterior`, `sample_stats` with `lp`, `lp_approx`, `path` and `weight` of each draw, `constant_data`
        with the data that are not observed, and those below, if they have variables. States of chains are on the chain
        axis, as many of each as all have, with `superchain` in `sample_stats`; other draws are one chain.

        Args:
            draws: "pool" gives all draws of the pool, as `weighted()`, with `weight`, `log_weight` and `log_proposal`
                in `sample_stats`; beware that ArviZ takes all draws to weigh the same.
            log_likelihood: Generated quantities of the group of that name; by default `log_lik`. True computes it for
                each observation of a model of NumPyro or PyMC, under the names of its observed sites.
            posterior_predictive: Likewise; by default those whose names end in `_rep`.
            observed: Data of the group `observed_data`; by default the variables of the data block of a Stan program
                that its model block has a density of, observed sites of models of NumPyro and PyMC, and of others none.

        Raises:
            ValueError: If a name is that of no generated quantity, or of no data, or the model cannot compute what is
                wanted.
        """
        if draws not in ("returned", "pool"):
            raise ValueError(f"`draws` must be 'returned' or 'pool', but {draws!r} was given.")
        own = self.weighted() if draws == "pool" else self
        return inference_data(own, own._returned, own._keys, log_likelihood, posterior_predictive, observed)

    def loo(self, var_name: str | None = None) -> Any:
        """Leave-one-out cross-validation by Pareto-smoothed weights, as ArviZ's `ELPDData`, for `arviz.compare`.

        Of draws by weights it takes the whole pool, with the density of the mixture that it comes from in the weights:
        resampled draws come several times, which spoils the tails of weights. Of chains it takes all states.

        Args:
            var_name: The log likelihood of each observation: a generated quantity, or an observed variable of the
                model. By default the only observed variable, or `log_lik`.

        Raises:
            ValueError: If there is none, or the fit did not evaluate the log density.
        """
        whole = self.weighted()
        if self.chains is not None and self.uses_chains:
            whole = dataclasses.replace(self, rows=np.arange(self.chains.num_states))
        return leave_one_out(whole, whole._returned, self._keys, var_name)

    def save(self, path: Any) -> None:
        """Write the result to one file, which `pathfinder.load` reads without the density and in any process.

        It holds the draws, diagnostics, approximations and settings as a NumPy archive without pickled objects.

        Args:
            path: Name of the file, which is replaced if it exists, and appears complete or not at all.

        Raises:
            OSError: If it cannot be written.
        """
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "model"}
        write(path, self.model, fields, {"draws": self.draws, "unconstrained_draws": self.unconstrained_draws})

    def plot(self, kind: str, *arguments: Any, **options: Any) -> Any:
        """Draw a picture with matplotlib: the function of `pathfinder.plots` of that name.

        Args:
            kind: "trajectory", "elbo", "weights", "pairs", "compare" or "chains".
            *arguments: For that function, after the result.
            **options: Likewise, by name.

        Returns:
            The axes.

        Raises:
            ModuleNotFoundError: If matplotlib is not installed.
            ValueError: If there is no such kind, or not what it needs.
        """
        from pathfinder.plots._by_name import draw_kind

        return draw_kind(self, kind, *arguments, **options)

    def report(self, path: Any) -> None:
        """Write one HTML page, complete in itself: verdict, summary, diagnostics, pictures, paths, settings and cost.

        Args:
            path: Name of the file, which is replaced if it exists, and appears complete or not at all. Without
                matplotlib there are no pictures in it, and it says so.

        Raises:
            OSError: If it cannot be written.
        """
        from pathfinder._cache.whole_file import write_whole
        from pathfinder._results.report_page import report_page

        write_whole(path, lambda file: file.write(report_page(self).encode()))

    def __repr__(self) -> str:
        return describe(Shown.of(self, self._verdict))

    def _repr_html_(self) -> str:
        return describe_html(Shown.of(self, self._verdict))

    @property
    def _keys(self) -> ResultKeys:
        return ResultKeys(self.key, self.first_path, self.refinement is not None)

    @cached_property
    def _verdict(self) -> Verdict:
        return self._returned.verdict(self.model)

    @property
    def _returned(self) -> PoolRows | ChainRows:
        """What the returned draws are."""
        if self.chains is not None and self.uses_chains:
            return ChainRows(self.chains, self.pool, self.source, self.rows)
        return PoolRows(self.pool, self.source, self.rows, self.settings.calculate_lp, self.weight_power)
