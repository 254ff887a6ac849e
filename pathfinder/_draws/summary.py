"""Estimates for every scalar, and what they are worth."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from pathfinder._chains.mixing import mixing, normal_scores
from psis._weights import weighted_quantile


QUANTILES = (0.05, 0.5, 0.95)


def moments_and_quantiles(
    values: Float[np.ndarray, "draw scalar"], weights: Float[np.ndarray, " draw"]
) -> dict[str, Float[np.ndarray, " scalar"]]:
    """Mean, standard deviation and quantiles of every scalar, by the names of their columns."""
    with np.errstate(invalid="ignore", over="ignore"):
        mean = weights @ values
        sd = np.sqrt(weights @ (values - mean) ** 2 * (len(values) / max(len(values) - 1, 1)))
    quantiles = {f"{probability:.0%}": weighted_quantile(values, weights, probability) for probability in QUANTILES}
    return {"mean": mean, "sd": sd, **quantiles}


def effective_sizes(
    values: Float[np.ndarray, "draw scalar"], weights: Float[np.ndarray, " draw"], groups: Int[np.ndarray, " draw"]
) -> Float[np.ndarray, " scalar"]:
    """Effective sample size of the mean of each scalar; all draws if they are the same, NaN if some are not finite.

    It is s^2 / sum(g^2), where g is the sum of W (x - mean) over a group of draws that depend on each other: the
    variance of the posterior over that of the self-normalized estimate (Owen 2013, Monte Carlo theory, methods and
    examples, 9.2).

    Args:
        values: The draws.
        weights: Their weights W, which sum to one.
        groups: Copies of one draw are a group, and so are the states of a chain; draws of different groups are
            independent.
    """
    order = np.argsort(groups, kind="stable")
    _, first = np.unique(groups[order], return_index=True)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        away = values - weights @ values
        variance = weights @ away**2
        sums = np.add.reduceat((weights[:, None] * away)[order], first)
        size = variance / np.sum(sums**2, axis=0)
        return np.where(np.ptp(values, axis=0) == 0, len(values), size)


def chain_columns(
    values: Float[np.ndarray, "draw scalar"],
    chain_ids: Int[np.ndarray, " draw"],
    num_chains: int,
    num_superchains: int,
) -> dict[str, Float[np.ndarray, " scalar"]]:
    """Effective sample sizes and nested R-hat of every scalar of states of chains, by the names of their columns.

    Both are of normal scores of the values, as the diagnostics of the chains themselves. There is no R-hat where a
    chain has fewer than two states.

    Args:
        values: States.
        chain_ids: The chain of each.
        num_chains: How many chains there are; those of one superchain one after another.
        num_superchains: How many superchains.
    """
    scores = normal_scores(values[None])[0]
    sizes = effective_sizes(scores, np.full(len(values), 1.0 / len(values)), chain_ids)
    chosen = by_chain(chain_ids, num_chains)
    is_enough = chosen.shape[1] > 1
    rhat = mixing(values[chosen.T], num_superchains).nested_rhat if is_enough else np.full(values.shape[1], np.nan)
    return {"ess": sizes, "nested_rhat": rhat}


def by_chain(chain_ids: Int[np.ndarray, " draw"], num_chains: int) -> Int[np.ndarray, "chain draw"]:
    """Numbers of draws by their chain: the last ones of each, as many as all have."""
    counts = np.bincount(chain_ids, minlength=num_chains)
    most, ends = int(counts.min()), np.cumsum(counts)
    order = np.argsort(chain_ids, kind="stable")
    return order[ends[:, None] - most + np.arange(most)]
