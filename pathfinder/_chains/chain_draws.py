"""What short chains come to."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pathfinder._chains.mixing import Mixing
from pathfinder._chains.virial import Virial


ENDS = {
    "mixed": "they had mixed",
    "apart": "superchains stay apart, which the rest of the budget would not change",
    "budget": "the budget of gradients was used up",
    "interrupted": "the fit was ended early",
}


@dataclass(frozen=True)
class ChainDraws:
    """The states of all chains over the last half of their iterations, with their diagnostics.

    Args:
        states: Their positions on the unconstrained scale.
        log_p: Their log densities.
        start_rows: For each chain the number of the draw in the pool that it started from; chains of one superchain,
            which have the same, are one after another.
        num_superchains: How many of these there are.
        mixing: Of every unconstrained parameter, over these iterations.
        mixing_of_log_p: The same of the log density alone.
        virial: Of every parameter and of all together, over these iterations: 1 where states reach everywhere.
        acceptance: Mean probability of acceptance in these iterations.
        step_size: Of the last iteration, in units of the whitened coordinates.
        num_iterations: All iterations.
        num_gradients: Evaluations of the log density with its gradient.
        ended: Why there were no more iterations: a key of `ENDS`.
    """

    states: Float[np.ndarray, "iteration chain dim"]
    log_p: Float[np.ndarray, "iteration chain"]
    start_rows: Int[np.ndarray, " chain"]
    num_superchains: int
    mixing: Mixing
    mixing_of_log_p: Mixing
    virial: Virial
    acceptance: float
    step_size: float
    num_iterations: int
    num_gradients: int
    ended: str

    @property
    def num_chains(self) -> int:
        """How many chains there are."""
        return self.states.shape[1]

    @property
    def num_states(self) -> int:
        """States of all chains together."""
        return self.log_p.size

    @property
    def mixing_of_all(self) -> Mixing:
        """Of the unconstrained parameters, followed by the log density."""
        return self.mixing.followed_by(self.mixing_of_log_p)

    @property
    def nested_rhat(self) -> float:
        """The largest nested R-hat of a parameter or of the log density."""
        return float(self.mixing_of_all.nested_rhat.max())

    @property
    def drift(self) -> float:
        """The largest drift of a parameter or of the log density, in standard deviations."""
        return float(self.mixing_of_all.drift.max())

    @property
    def spread_drift(self) -> float:
        """The largest drift of the spread of a parameter or of the log density, in standard deviations."""
        return float(self.mixing_of_all.spread_drift.max())

    @property
    def effective_sample_size(self) -> float:
        """The smallest effective sample size of a parameter."""
        return float(np.min(self.mixing.effective_sample_size))

    def positions(self, chains: Int[np.ndarray, " n"], iterations: Int[np.ndarray, " n"]):
        """Some of the states, as `PathDraws.positions` gives draws: all of them in one batch."""
        yield np.arange(len(chains)), self.states[iterations, chains]

    def rows(self, num_draws: int) -> Int[np.ndarray, " draw"]:
        """Numbers of states, as many of each chain as possible, spread over the iterations; chain after chain.

        State number `iteration * num_chains + chain` is that of a chain after an iteration. If more draws are wanted
        than there are states, some come more than once.
        """
        counts = draws_per_chain(num_draws, self.num_chains)
        spread = self._spread(int(counts.max()))
        chosen = [
            spread[len(spread) - count :] * self.num_chains + chain  # those with a draw less leave out the first
            for chain, count in enumerate(counts)
        ]
        return np.concatenate(chosen).astype(np.int64)

    def thinned(self, num_draws: int) -> ChainDraws:
        """The same chains with those iterations alone that so many rows are of, the same rows; diagnostics stay."""
        spread = self._spread(int(draws_per_chain(num_draws, self.num_chains).max()))
        if len(spread) >= len(self.log_p):
            return self
        return dataclasses.replace(self, states=self.states[spread], log_p=self.log_p[spread])

    def _spread(self, count: int) -> Int[np.ndarray, " iteration"]:
        """Numbers of iterations, evenly spread and with the last one."""
        num_iterations = len(self.log_p)
        return (num_iterations - 1 - (np.arange(count) * num_iterations) // count)[::-1]

    def random_rows(self, num_draws: int, rng: np.random.Generator) -> Int[np.ndarray, " draw"]:
        """The same of random iterations; none of them twice unless more draws are wanted than there are states."""
        num_iterations = len(self.log_p)
        chosen = []
        for chain, count in enumerate(draws_per_chain(num_draws, self.num_chains)):
            repeats = -(-int(count) // num_iterations)
            orders = [rng.permutation(num_iterations) for _ in range(repeats)]
            iterations = np.sort(np.concatenate([np.zeros(0, np.int64), *orders])[:count])
            chosen.append(iterations * self.num_chains + chain)
        return np.concatenate(chosen).astype(np.int64)


def draws_per_chain(num_draws: int, num_chains: int) -> Int[np.ndarray, " chain"]:
    """How many of the draws that are wanted each chain gives."""
    per_chain = np.full(num_chains, num_draws // num_chains)
    # Of the chains that give one draw more there is the same number in every part of the superchains.
    extra = num_draws - per_chain.sum()
    per_chain[(np.arange(extra) * num_chains) // max(extra, 1)] += 1
    return per_chain
