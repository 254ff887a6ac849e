"""What the returned draws of a fit are: draws of its pool, or states of its chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt32

import psis
from pathfinder._arrays.namespace import Array
from pathfinder._arrays.streams import Key, Stream, counted_keys, fit_key, host_generator, path_keys, path_numbers
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._draws.named_draws import named_draws
from pathfinder._draws.summary import by_chain, chain_columns, effective_sizes
from pathfinder._draws.verdict import Verdict, chains_verdict, unconstrained_names, weights_verdict
from pathfinder._importance.path_draws import DrawSource
from pathfinder._importance.pool import Pool, with_sizes
from pathfinder._model.model import Model


class ResultKeys(NamedTuple):
    """The random numbers of a result.

    Args:
        key: Key of the fit.
        first_path: Number of its first path among the random streams.
        is_refined: Whether draws come from components of refined approximations, not from paths.
    """

    key: Key
    first_path: int
    is_refined: bool

    def generator(self, purpose: str, seed: int) -> np.random.Generator:
        """A generator for one purpose."""
        return host_generator(counted_keys(fit_key(self.key, self.first_path), np.array([seed]))[0], purpose)

    def of_lanes(self, count: int, stream: Stream) -> UInt32[Array, "lane 2"]:
        """The key of each lane of the source of draws."""
        return self.of_whole(count, stream) if self.is_refined else self._of_paths(count, stream)

    def of_whole(self, count: int, stream: Stream) -> UInt32[Array, "number 2"]:
        """Keys of the fit that are no path's, by their number."""
        return path_keys(fit_key(self.key, self.first_path), np.arange(count), stream)

    def _of_paths(self, count: int, stream: Stream) -> UInt32[Array, "path 2"]:
        return path_keys(self.key, path_numbers(self.first_path, count), stream)


@dataclass(frozen=True)
class PoolRows:
    """Draws of a pool.

    Args:
        pool: The pool.
        source: Where its draws come from.
        rows: The number of each returned draw in the pool.
        has_weights: Whether the pool has weights that mean something.
        weight_power: The power of the weights that they were chosen by; 1 if they were not chosen.
    """

    pool: Pool
    source: DrawSource
    rows: Int[np.ndarray, " draw"]
    has_weights: bool
    weight_power: float = 1.0

    @property
    def origin(self) -> str:
        """What the draws are, in a word."""
        if not self.has_weights:
            return "approximations"
        return "weights" if self.weight_power == 1.0 else "tempered weights"

    @property
    def path_ids(self) -> Int[np.ndarray, " draw"]:
        """The path of each."""
        return self.pool.paths[self.rows]

    @property
    def log_p(self) -> Float[np.ndarray, " draw"]:
        """Log density of the model at each."""
        return self.pool.log_p[self.rows]

    def log_q(self, model: Model) -> Float[np.ndarray, " draw"]:
        """Log density of the approximation that each comes from."""
        return self.pool.log_q[self.rows]

    def positions(self, model: Model) -> Float[np.ndarray, "draw dim"]:
        """The draws on the unconstrained scale."""
        return drawn_positions(self.source, self.pool.lanes[self.rows], self.pool.indices[self.rows], model)

    def named(self, model: Model, keys: ResultKeys, *, cache: bool) -> dict[str, np.ndarray]:
        """The draws by name."""
        own = keys.of_lanes(self.source.num_lanes, Stream.GENERATED_QUANTITIES)
        lanes, indices = self.pool.lanes[self.rows], self.pool.indices[self.rows]
        return named_draws(model, self.source, lanes, indices, own, cache=cache)

    def others(self, num_draws: int, method: Any, rng: np.random.Generator) -> Int[np.ndarray, " draw"]:
        """Numbers of other draws by their weights.

        Raises:
            ValueError: If there are no weights, or too few draws.
        """
        if not self.has_weights:
            raise ValueError("The draws have no importance weights, because the fit was made with calculate_lp=False.")
        return psis.resample(self.pool.choice_log_weights, num_draws, method=method, rng=rng)

    def columns(
        self, values: Float[np.ndarray, "draw scalar"], weights: Float[np.ndarray, " draw"]
    ) -> dict[str, Float[np.ndarray, " scalar"]]:
        """Diagnostics of every scalar by the names of their columns; none are known of draws without weights."""
        sizes = effective_sizes(values, weights, self.rows)
        return {"ess": sizes if self.has_weights else np.full(values.shape[1], np.nan)}

    def by_chain(self) -> Int[np.ndarray, "chain draw"]:
        """All returned draws as one chain."""
        return np.arange(len(self.rows))[None]

    def statistics(self) -> dict[str, np.ndarray]:
        """Further numbers of each draw, for ArviZ: of the whole pool, what its weights are made of."""
        if not self.has_weights or not np.array_equal(self.rows, np.arange(len(self.pool))):
            return {}
        return {"log_weight": self.pool.log_weights, "log_proposal": self.pool.log_proposal}

    def attributes(self) -> dict[str, Any]:
        """Further numbers of all draws, for ArviZ."""
        return {"weight_power": self.weight_power}

    def verdict(self, model: Model) -> Verdict:
        """How far the draws can be trusted."""
        names = unconstrained_names(model.parameters, model.dim)
        return weights_verdict(with_sizes(self.pool, self.source), names, self.weight_power)


@dataclass(frozen=True)
class ChainRows:
    """States of chains.

    Args:
        chains: The chains.
        pool: Their starts are draws of it.
        source: Where its draws come from.
        rows: The number of each returned draw among the states.
    """

    chains: ChainDraws
    pool: Pool
    source: DrawSource
    rows: Int[np.ndarray, " draw"]

    @property
    def origin(self) -> str:
        """What the draws are, in a word."""
        return "chains"

    @property
    def chain_ids(self) -> Int[np.ndarray, " draw"]:
        """The chain of each."""
        return self.rows % self.chains.num_chains

    @property
    def path_ids(self) -> Int[np.ndarray, " draw"]:
        """The path of the draw that the chain of each started from."""
        return self.pool.paths[self._starts]

    @property
    def log_p(self) -> Float[np.ndarray, " draw"]:
        """Log density of the model at each."""
        return self.chains.log_p.ravel()[self.rows]

    def log_q(self, model: Model) -> Float[np.ndarray, " draw"]:
        """Log density of the approximation that the start of its chain comes from."""
        positions, lanes = self.positions(model), self.pool.lanes[self._starts]
        log_q = np.empty(len(self.rows))
        for lane in np.unique(lanes):
            log_q[lanes == lane] = self.source.distribution_of(lane).log_density(positions[lanes == lane])
        return log_q

    def positions(self, model: Model) -> Float[np.ndarray, "draw dim"]:
        """The states on the unconstrained scale."""
        return self.chains.states.reshape(-1, model.dim)[self.rows]

    def named(self, model: Model, keys: ResultKeys, *, cache: bool) -> dict[str, np.ndarray]:
        """The states by name."""
        iterations, chains = np.divmod(self.rows, self.chains.num_chains)
        own = keys.of_whole(self.chains.num_chains, Stream.GENERATED_QUANTITIES)
        return named_draws(model, self.chains, chains, iterations, own, cache=cache)

    def others(self, num_draws: int, method: Any, rng: np.random.Generator) -> Int[np.ndarray, " draw"]:
        """Numbers of other states, as many of each chain.

        Raises:
            ValueError: If there are too few.
        """
        if method == "without_replacement" and num_draws > self.chains.num_states:
            raise ValueError(
                f"Cannot choose {num_draws} draws without replacement: the chains have {self.chains.num_states} states."
            )
        return self.chains.random_rows(num_draws, rng)

    def columns(
        self, values: Float[np.ndarray, "draw scalar"], weights: Float[np.ndarray, " draw"]
    ) -> dict[str, Float[np.ndarray, " scalar"]]:
        """Diagnostics of every scalar by the names of their columns."""
        return chain_columns(values, self.chain_ids, self.chains.num_chains, self.chains.num_superchains)

    def by_chain(self) -> Int[np.ndarray, "chain draw"]:
        """Numbers of returned draws by chain, as many of each as all have; as one chain if some have none."""
        chosen = by_chain(self.chain_ids, self.chains.num_chains)
        return chosen if chosen.size else np.arange(len(self.rows))[None]

    def statistics(self) -> dict[str, np.ndarray]:
        """Further numbers of each draw, for ArviZ."""
        return {"superchain": self.chain_ids // (self.chains.num_chains // self.chains.num_superchains)}

    def attributes(self) -> dict[str, Any]:
        """Further numbers of all draws, for ArviZ."""
        return {
            "num_chains": self.chains.num_chains,
            "num_superchains": self.chains.num_superchains,
            "num_chain_iterations": self.chains.num_iterations,
            "num_chain_gradients": self.chains.num_gradients,
            "nested_rhat_max": self.chains.nested_rhat,
            "ess_min": self.chains.effective_sample_size,
            "drift_max": self.chains.drift,
            "spread_drift_max": self.chains.spread_drift,
            "virial_min": float(np.min(self.chains.virial.mean)),
            "chain_acceptance": self.chains.acceptance,
            "chains_ended": self.chains.ended,
        }

    def verdict(self, model: Model) -> Verdict:
        """How far the draws can be trusted."""
        return chains_verdict(self.chains, unconstrained_names(model.parameters, model.dim))

    @property
    def _starts(self) -> Int[np.ndarray, " draw"]:
        return self.chains.start_rows[self.chain_ids]


def fresh_draws(
    model: Model,
    pool: Pool,
    source: DrawSource,
    keys: ResultKeys,
    num_draws: int,
    seed: int,
    *,
    constrained: bool,
    cache: bool,
) -> dict[str, np.ndarray] | Float[np.ndarray, "draw dim"]:
    """Fresh draws of the approximations of a fit, from keys of their own: by name, or on the unconstrained scale.

    Args:
        model: The model.
        pool: The pool of the fit, whose weights are the shares of its approximations.
        source: Where its draws come from.
        keys: Random numbers.
        num_draws: How many.
        seed: Each gives others.
        constrained: Whether by name.
        cache: Whether programs are kept.
    """
    shares = np.bincount(pool.lanes, np.exp(pool.log_weights), minlength=source.num_lanes)
    rng = keys.generator("fresh draws", seed)
    lanes = np.sort(rng.choice(len(shares), size=num_draws, p=shares / shares.sum()))
    own = counted_keys(keys.of_lanes(len(shares), Stream.FRESH_DRAWS), np.full(len(shares), seed))
    fresh, indices = source.with_keys(own), np.arange(num_draws)
    if not constrained:
        return drawn_positions(fresh, lanes, indices, model)
    return named_draws(model, fresh, lanes, indices, own, cache=cache)


def drawn_positions(source: DrawSource, lanes: np.ndarray, indices: np.ndarray, model: Model) -> np.ndarray:
    """Draws of a source on the unconstrained scale."""
    values = np.empty((len(lanes), model.dim), model.dtype)
    for rows, positions in source.positions(lanes, indices):
        values[rows] = positions
    return values
