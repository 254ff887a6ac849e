"""Which draws of a fit chains of a sampler start from."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from pathfinder._chains.chain_draws import ChainDraws
from pathfinder._draws.metric import FittedMode, heaviest_mode
from pathfinder._importance.pool import Pool


LARGEST_PARETO_K = 1.0  # above which weights are those of a few draws


def sampler_starts(
    modes: Sequence[FittedMode],
    pool: Pool,
    chains: ChainDraws | None,
    others: Callable[[int, Any, np.random.Generator], Int[np.ndarray, " draw"]],
    num_chains: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, " chain"]:
    """Rows of a pool, or of states of chains, for chains to start from; all different.

    Rows of a pool are chosen systematically by their weights, so that each mode has its share of them.

    Args:
        modes: What was found.
        pool: All draws with their weights.
        chains: Chains that the returned draws are states of, if they are.
        others: Chooses among the states of these.
        num_chains: How many rows.
        rng: Random numbers.

    Raises:
        ValueError: If there are not so many draws with a positive weight.

    Warns:
        UserWarning: If a few draws have all of the weight, so that others are chosen.
    """
    if isinstance(num_chains, bool) or not isinstance(num_chains, int | np.integer) or num_chains < 1:
        raise ValueError(f"`num_chains` must be a whole number of at least 1, but {num_chains!r} was given.")
    if chains is not None:
        return rng.permutation(others(num_chains, "without_replacement", rng))
    weights = np.exp(pool.choice_log_weights)
    if pool.pareto_k > LARGEST_PARETO_K and pool.weight_power == 1.0:
        best = heaviest_mode(modes, pool, None)[0]
        weights = np.where((pool.paths == best.path) & np.isfinite(pool.log_p), 1.0, 0.0)
        warnings.warn(
            f"k-hat is {pool.pareto_k:.2f}: a few draws have nearly all of the weight. Chains start from draws of the "
            "best approximation, whatever these weigh.",
            stacklevel=4,
        )
    num_usable = int(np.count_nonzero(weights))
    if num_usable < num_chains:
        raise ValueError(f"There are {num_usable} draws with a positive weight, too few for {num_chains} chains.")
    order = np.lexsort((np.arange(len(pool)), pool.lanes, pool.paths))
    return rng.permutation(order[systematic_rows(weights[order], num_chains, rng)])


def systematic_rows(
    weights: Float[np.ndarray, " draw"], count: int, rng: np.random.Generator
) -> Int[np.ndarray, " count"]:
    """Different draws, each included with a probability in proportion to its weight, but at most 1 (Madow 1949)."""
    probabilities = np.zeros(len(weights))
    is_sure = np.zeros(len(weights), bool)
    while True:
        rest = np.where(is_sure, 0.0, weights)
        probabilities = np.where(is_sure, 1.0, (count - is_sure.sum()) * rest / max(rest.sum(), np.finfo(float).tiny))
        if not np.any(more := probabilities > 1.0):
            break
        is_sure |= more
    cumulative = np.cumsum(probabilities)
    # The last may come out below `count` by rounding; it is where the last draw that can be chosen ends.
    chosen = np.searchsorted(cumulative * (count / cumulative[-1]), np.arange(count) + rng.random(), side="right")
    return np.minimum(chosen, np.flatnonzero(probabilities)[-1])
