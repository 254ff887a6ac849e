"""What a fit returns."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float, Int, UInt32

import psis
from pathfinder._arrays.devices import on_host
from pathfinder._arrays.namespace import Array
from pathfinder._arrays.namespace import rows as rows_of
from pathfinder._arrays.streams import Key, Stream, counted_keys, fit_key, host_generator, path_keys, path_numbers
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._importance.path_draws import PathDraws
from pathfinder._importance.pool import Pool
from pathfinder._importance.refinement import Refinement
from pathfinder._model.model import Model
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._refinement.history import Cost
from pathfinder._results.archive import write
from pathfinder._results.inference_data import inference_data
from pathfinder._results.named_draws import named_draws
from pathfinder._results.path_result import PathResult
from pathfinder._results.report import Shown, describe, describe_html
from pathfinder._settings import Settings
from pathfinder._variables import flatten_draws
from psis._weights import weighted_quantile


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
        first_path: Number of the first path among the random streams of the seed; 0 but for runs of the command line
            with another `id`.
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
    source: PathDraws = dataclasses.field(repr=False)
    refinement: Refinement | None = None
    refinement_cost: Cost = dataclasses.field(default=Cost(), repr=False)
    chains: ChainDraws | None = dataclasses.field(default=None, repr=False)
    uses_chains: bool = False
    first_path: int = dataclasses.field(default=0, repr=False)

    @property
    def num_draws(self) -> int:
        """Number of returned draws."""
        return len(self.rows)

    @property
    def path_ids(self) -> Int[np.ndarray, " draw"]:
        """The path of each returned draw, from 0; of a chain's state that of the draw that the chain started from."""
        return self.pool.paths[self._pool_rows]

    @property
    def chain_ids(self) -> Int[np.ndarray, " draw"] | None:
        """The chain of each returned draw, from 0; None if the draws are not states of chains."""
        return None if self._states is None else self.rows % self._states.num_chains

    @property
    def log_p(self) -> Float[np.ndarray, " draw"]:
        """Log density of the model at each returned draw, on the unconstrained scale."""
        return self.pool.log_p[self.rows] if self._states is None else self._states.log_p.ravel()[self.rows]

    @property
    def log_q(self) -> Float[np.ndarray, " draw"]:
        """Log density of the approximation of its own path at each returned draw."""
        if self._states is None:
            return self.pool.log_q[self.rows]
        log_q = np.empty(self.num_draws)
        lanes = self.pool.lanes[self._pool_rows]
        for lane in np.unique(lanes):
            normal = on_host(rows_of(self.source.approximations, int(lane)))
            log_q[lanes == lane] = normal.log_density(self.unconstrained_draws[lanes == lane])
        return log_q

    @property
    def weights(self) -> Float[np.ndarray, " draw"]:
        """Weights of the returned draws, which sum to one; all equal but for what `weighted()` returned."""
        if self.is_resampled:
            return np.full(self.num_draws, 1.0 / self.num_draws)
        weights = np.exp(self.pool.log_weights[self.rows])
        return weights / weights.sum()

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
    def approximations(self) -> tuple[LowRankNormal, ...]:
        """The normal approximations on the unconstrained scale: refined ones, or those of the paths that succeeded."""
        if self.refinement:
            return tuple(mode.approximation for mode in self.refinement.modes)
        return tuple(path.approximation for path in self.paths if path.approximation is not None)

    @cached_property
    def draws(self) -> dict[str, np.ndarray]:
        """Parameters, transformed parameters and generated quantities by name; arrays of shape `(draw, *shape)`.

        All draws weigh the same, unless this is what `weighted()` returned.
        """
        return self._constrained(self.rows)

    @cached_property
    def unconstrained_draws(self) -> Float[np.ndarray, "draw dim"]:
        """The draws on the unconstrained scale."""
        if self._states is not None:
            return self._states.states.reshape(-1, self.model.dim)[self.rows]
        return _positions(self.source, self.pool.lanes[self.rows], self.pool.indices[self.rows], self.model)

    def weighted(self) -> "PathfinderResult":
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
    ) -> "PathfinderResult":
        """Choose other draws from the pool by their importance weights, without running anything again.

        Args:
            num_draws: How many.
            replace: False is the method "without_replacement".
            method: As in `psis.resample`; the setting `resample` of the fit if None.
            seed: Seed of the choice.

        Raises:
            ValueError: If there are fewer draws of positive weight than are wanted without replacement, or the fit did
                not evaluate the log density.
        """
        if not self.settings.calculate_lp:
            raise ValueError("The draws have no importance weights, because the fit was made with calculate_lp=False.")
        chosen = method or (self.settings.resample if replace else "without_replacement")
        rng = self._generator("resample again", seed)
        rows = psis.resample(self.pool.log_weights, num_draws, method=chosen, rng=rng)  # type: ignore[arg-type]
        return dataclasses.replace(self, rows=rows, is_resampled=True)

    def draw(
        self, num_draws: int, *, seed: int = 0, constrained: bool = True
    ) -> "dict[str, np.ndarray] | Float[np.ndarray, 'draw dim']":
        """Fresh draws from the mixture of the fitted approximations, by variable name or on the unconstrained scale.

        Each approximation has the share of the mixture that its draws have of the importance weight. These draws are
        not importance-resampled themselves.

        Args:
            num_draws: How many.
            seed: Seed of the draws; each gives others.
            constrained: False gives the same draws as an array of unconstrained vectors, without need of the model.
        """
        rng = self._generator("fresh draws", seed)
        shares = np.bincount(self.pool.lanes, np.exp(self.pool.log_weights), minlength=self.source.num_lanes)
        lanes = np.sort(rng.choice(len(shares), size=num_draws, p=shares / shares.sum()))
        indices = np.arange(num_draws)
        keys = counted_keys(self._lane_keys(Stream.FRESH_DRAWS), np.full(len(shares), seed))
        fresh = dataclasses.replace(self.source, draw_keys=keys, num_reused=0)
        if not constrained:
            return _positions(fresh, lanes, indices, self.model)
        return named_draws(self.model, fresh, lanes, indices, keys, cache=self.settings.cache)

    def summary(self) -> "pd.DataFrame":
        """Mean, standard deviation and quantiles of every scalar, one row each, with the weights of the draws.

        Variables with infinite values have no finite mean, and no standard deviation.
        """
        import pandas as pd

        values = flatten_draws(self.model.variables, self.draws).astype(np.float64)
        weights = self.weights
        with np.errstate(invalid="ignore", over="ignore"):
            mean = weights @ values
            sd = np.sqrt(weights @ (values - mean) ** 2 * (self.num_draws / max(self.num_draws - 1, 1)))
        columns = {"mean": mean, "sd": sd}
        for probability in (0.05, 0.5, 0.95):
            columns[f"{probability:.0%}"] = weighted_quantile(values, weights, probability)
        return pd.DataFrame(columns, index=pd.Index(self.model.columns("bracket"), name="variable"))

    def to_inferencedata(
        self,
        *,
        log_likelihood: str | Sequence[str] | None = None,
        posterior_predictive: str | Sequence[str] | None = None,
        observed: str | Sequence[str] | None = None,
    ) -> Any:
        """The draws as ArviZ InferenceData, or as a DataTree with ArviZ 1.0 and newer.

        Groups: `posterior` with one chain, `sample_stats` with `lp`, `lp_approx`, `path` and `weight` of each draw,
        `constant_data` with the data that are not observed, and those below, if they have variables.

        Args:
            log_likelihood: Generated quantities of the group of that name; by default `log_lik`.
            posterior_predictive: Likewise; by default those whose names end in `_rep`.
            observed: Data of the group `observed_data`; by default the variables of the data block of a Stan program
                that its model block has a density of, and of other models none.

        Raises:
            ValueError: If a name is that of no generated quantity, or of no data.
        """
        stats = {"lp": self.log_p, "lp_approx": self.log_q, "path": self.path_ids, "weight": self.weights}
        attributes = {
            "seed": "" if self.seed is None else str(self.seed),
            "pareto_k": self.pareto_k,
            "effective_sample_size": self.effective_sample_size,
            "num_gradients": self.num_gradients,
            "num_densities": self.num_densities,
            "is_resampled": int(self.is_resampled),
            **{
                f"settings_{name}": int(value) if isinstance(value, bool) else value
                for name, value in dataclasses.asdict(self.settings).items()
                if value is not None
            },
        }
        return inference_data(self.model, self.draws, stats, attributes, log_likelihood, posterior_predictive, observed)

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

    def __repr__(self) -> str:
        return describe(self._shown())

    def _repr_html_(self) -> str:
        return describe_html(self._shown())

    def _shown(self) -> Shown:
        return Shown(
            self.model.name, self.model.dim, self.settings, self.paths, self.pool, self.num_draws, self.is_resampled,
            self.refinement, self.interrupted, self.num_gradients, self.num_densities, self.seconds["total"],
        )  # fmt: skip

    def _generator(self, purpose: str, seed: int) -> np.random.Generator:
        return host_generator(counted_keys(fit_key(self.key, self.first_path), np.array([seed]))[0], purpose)

    def _lane_keys(self, stream: Stream) -> UInt32[Array, "lane 2"]:
        """The key of each lane of the source, which is a path or a component of refined ones."""
        count = self.source.num_lanes
        if self.refinement:
            return path_keys(fit_key(self.key, self.first_path), np.arange(count), stream)
        return path_keys(self.key, path_numbers(self.first_path, count), stream)

    def _constrained(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        if self._states is None:
            keys = self._lane_keys(Stream.GENERATED_QUANTITIES)
            lanes, indices = self.pool.lanes[rows], self.pool.indices[rows]
            return named_draws(self.model, self.source, lanes, indices, keys, cache=self.settings.cache)
        iterations, chains = np.divmod(rows, self._states.num_chains)
        whole = fit_key(self.key, self.first_path)
        keys = path_keys(whole, np.arange(self._states.num_chains), Stream.GENERATED_QUANTITIES)
        return named_draws(self.model, self._states, chains, iterations, keys, cache=self.settings.cache)

    @property
    def _states(self) -> ChainDraws | None:
        """The states that the returned draws are of, if they are."""
        return self.chains if self.uses_chains else None

    @property
    def _pool_rows(self) -> Int[np.ndarray, " draw"]:
        """The draw of the pool that each returned draw is, or came from."""
        return self.rows if self._states is None else self._states.start_rows[self.rows % self._states.num_chains]


def _positions(source: PathDraws, lanes: np.ndarray, indices: np.ndarray, model: Model) -> np.ndarray:
    values = np.empty((len(lanes), model.dim), model.dtype)
    for rows, positions in source.positions(lanes, indices):
        values[rows] = positions
    return values
