"""Run short chains: adapt their steps and their coordinates, and stop when they have mixed or never will."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.devices import on_host
from pathfinder._arrays.namespace import Array
from pathfinder._arrays.streams import Stream, path_keys
from pathfinder._chains.apart import Memory
from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._chains.mixing import Mixing, mixing
from pathfinder._chains.trajectory import ChainStates, move, states_at
from pathfinder._chains.virial import Virial, VirialSums
from pathfinder._chains.whitening import whitening_of
from pathfinder._density.either import Density
from pathfinder._errors import Interrupt
from pathfinder._normals.normal import Normal


MEAN_LENGTH = 0.5 * np.pi  # of trajectories: where the mean of a standard normal forgets where it began
GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)  # its multiples spread evenly over lengths
MOST_STEPS = 32
TARGET_ACCEPTANCE = 0.8
FIRST_STEP = 0.9  # times dim^(-1/4), which keeps the acceptance for normals of any dimension
FIRST_WHITENING = 6  # iterations before the coordinates are adapted for the first time, then each time they doubled
FEWEST_KEPT = 8  # iterations that are judged
CHECKED_EVERY = 8  # part of the iterations after which they are judged again
# What is asked of chains to end before their budget does.
MIXED_RHAT = 1.05
MIXED_SIZE = 400.0  # effective draws of every parameter, as Vehtari et al. (2021) ask of four chains
MIXED_DRIFT = 0.05


class ChainOptions(NamedTuple):
    """How many chains run, and for how long.

    Args:
        num_superchains: Starts.
        chains_per_start: Chains from each.
        max_gradients: Evaluations of the gradient by all chains together, after which they end.
        num_draws: Draws that are wanted, of which as many states are kept at least.
    """

    num_superchains: int
    chains_per_start: int
    max_gradients: int
    num_draws: int

    @property
    def num_chains(self) -> int:
        """All chains."""
        return self.num_superchains * self.chains_per_start


@dataclass
class _History:
    """The iterations so far, of which the older half is let go."""

    positions: list[Float[np.ndarray, "chain dim"]]
    log_p: list[Float[np.ndarray, " chain"]]
    acceptance: list[float]
    sums: VirialSums
    num_iterations: int = 0

    def add(self, states: ChainStates, acceptance: float, outside: float) -> None:
        self.positions.append(np.asarray(states.positions))
        self.log_p.append(np.asarray(states.log_p))
        self.acceptance.append(acceptance)
        self.num_iterations += 1
        num_kept = self.num_kept(self.num_iterations)
        for kept in (self.positions, self.log_p, self.acceptance):
            del kept[:-num_kept]
        self.sums.add(self.positions[-1], np.asarray(states.gradients), outside, num_kept)

    @property
    def virial(self) -> Virial:
        """Of the iterations that count."""
        return self.sums.virial(np.mean([np.mean(own, axis=0, dtype=np.float64) for own in self.positions], axis=0))

    @staticmethod
    def num_kept(num_iterations: int) -> int:
        """How many of the iterations count."""
        return min(num_iterations, max(FEWEST_KEPT, (num_iterations + 1) // 2))


def run_chains(
    density: Density,
    starts: Float[np.ndarray, "start dim"],
    start_rows: Int[np.ndarray, " start"],
    modes: Int[np.ndarray, " start"],
    whitening: Normal,
    key: UInt32[Array, " 2"],
    options: ChainOptions,
    *,
    check: Callable[[], None] = lambda: None,
    report: Callable[[int], None] = lambda num_gradients: None,
) -> ChainDraws | None:
    """Run chains from given positions until they have mixed, or their budget is used up or would be in vain.

    Steps are adapted towards an acceptance of 0.8, by the mean over all chains, and the coordinates to the moments of
    all chains together each time the number of iterations has doubled. The length of trajectories, common to all
    chains, is spread evenly between 0 and pi.

    Args:
        density: What was fitted; one data set.
        starts: Where superchains start; with a finite density.
        start_rows: Numbers of these among the draws that they were chosen from.
        modes: The mode that each is in.
        whitening: A normal near the target; arrays of NumPy.
        key: Key of the fit.
        options: How many chains, and how long.
        check: Called between iterations; ends the chains by raising `Interrupt`.
        report: Called with the number of gradients so far.

    Returns:
        The states of the last half of the iterations; None if the budget is for too few.

    Raises:
        Interrupt: If one came before there were enough.
    """
    size = options.num_chains
    keys = path_keys(key, np.arange(size), Stream.CHAINS)
    modes = np.repeat(modes, options.chains_per_start)
    sums = VirialSums(starts.mean(axis=0, dtype=np.float64), options.num_superchains)
    history, memory = _History([], [], [], sums), Memory(options.num_superchains, options.chains_per_start)
    step_size, since, num_gradients, judged = FIRST_STEP * density.dim**-0.25, 0, size, 0
    next_whitening, ended = FIRST_WHITENING, "budget"
    found: tuple[Mixing, Mixing] | None = None
    try:
        check()
        states = states_at(density.arrays(np.repeat(starts, options.chains_per_start, axis=0)), density)
        while True:
            iteration = history.num_iterations
            length = 2.0 * MEAN_LENGTH * ((iteration + 0.5) * GOLDEN % 1.0)
            num_steps = int(np.clip(np.ceil(length / step_size), 1, MOST_STEPS))
            if num_gradients + size * num_steps > options.max_gradients:
                break
            check()
            moved = move(states, keys, iteration, step_size, num_steps, density.arrays(whitening), density)
            states, num_gradients = moved.states, num_gradients + size * num_steps
            acceptance, outside = (float(np.mean(part)) for part in on_host((moved.acceptance, moved.ended_outside)))
            history.add(states, acceptance, outside)
            report(num_gradients)
            step_size *= float(np.exp((acceptance - TARGET_ACCEPTANCE) / (1.0 + 0.1 * since)))
            since += 1
            if history.num_iterations == next_whitening:
                newest = np.stack(history.positions[-(next_whitening // 2) :])
                whitening = whitening_of(newest, modes, whitening)
                next_whitening, since = 2 * next_whitening, 0
            if history.num_iterations == FEWEST_KEPT or _is_time(history, judged, options):
                judged, found = history.num_iterations, _mixing(history, options)
                memory.note(judged, found[0].followed_by(found[1]).nested_rhat)
                if judged > FEWEST_KEPT and _have_mixed(*found) and not history.virial.is_short.any():
                    ended = "mixed"
                    break
                if memory.outlasts(judged * options.max_gradients / num_gradients):
                    ended = "apart"
                    break
    except (Interrupt, KeyboardInterrupt):
        ended = "interrupted"
    if len(history.log_p) < FEWEST_KEPT:
        if ended == "interrupted":
            raise Interrupt
        return None
    if found is None or judged != history.num_iterations:
        found = _mixing(history, options)
    return ChainDraws(
        states=np.stack(history.positions),
        log_p=np.stack(history.log_p),
        start_rows=np.repeat(start_rows, options.chains_per_start),
        num_superchains=options.num_superchains,
        mixing=found[0],
        mixing_of_log_p=found[1],
        virial=history.virial,
        acceptance=float(np.mean(history.acceptance)),
        step_size=step_size,
        num_iterations=history.num_iterations,
        num_gradients=num_gradients,
        ended=ended,
    )


def _is_time(history: _History, judged: int, options: ChainOptions) -> bool:
    """Whether to look at the chains now: once there are draws enough, and then each time there are some more."""
    enough = len(history.log_p) * options.num_chains >= options.num_draws and len(history.log_p) >= FEWEST_KEPT
    return (
        enough
        and history.num_iterations >= 2 * FEWEST_KEPT
        and (history.num_iterations >= judged + max(2, judged // CHECKED_EVERY))
    )


def _mixing(history: _History, options: ChainOptions) -> tuple[Mixing, Mixing]:
    """Diagnostics of the parameters, and of the log density."""
    of_log_p = mixing(np.stack(history.log_p)[..., None], options.num_superchains)
    return mixing(np.stack(history.positions), options.num_superchains), of_log_p


def _have_mixed(of_parameters: Mixing, of_log_p: Mixing) -> bool:
    enough = of_parameters.effective_sample_size.min() >= MIXED_SIZE
    both = of_parameters.followed_by(of_log_p)
    still = max(both.drift.max(), both.spread_drift.max()) <= MIXED_DRIFT
    return bool(enough and both.nested_rhat.max() <= MIXED_RHAT and still)
