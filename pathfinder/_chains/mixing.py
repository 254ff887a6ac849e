"""Whether many short chains have mixed, and what their states are worth.

Chains of one superchain share where they started. Nested R-hat (Margossian, Hoffman, Sountsov, Riou-Durand, Vehtari and
Gelman 2024, arXiv 2110.13017, equations 4 to 6) compares the variance of the means of superchains with that within
them: it is near one only if the chains have forgotten their starts, however short they are. Values are normal scores of
ranks (Vehtari, Gelman, Simpson, Carpenter and Bürkner 2021), so that heavy tails do no harm.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


# Nested R-hat R is sqrt(1 + B / W) with the variance B of the means of superchains (Margossian et al. 2024). So over K
# of them the standard error of a mean is sqrt((R^2 - 1) / K) standard deviations: at 1.1 and the 25 superchains of a
# fit 0.09, about that of 100 independent draws. Less cannot be asked of chains as short as one effective draw: where
# five start together, B / W is then 1 / 5 and R is 1.095, however well they have mixed.
LARGEST_NESTED_RHAT = 1.1
NOISE = 3.0  # standard errors by which a mean may move without that being called a drift
COLUMNS_AT_ONCE = 64
SPREAD_OF_DISTANCES = np.sqrt(1.0 - 2.0 / np.pi)  # standard deviation of |z| for a standard normal z


class Mixing(NamedTuple):
    """Diagnostics of some iterations of all chains; the arrays have an entry for each quantity.

    Args:
        nested_rhat: Nested R-hat.
        effective_sample_size: Of the mean over all states, by the variance of the means of chains.
        drift: By how much the mean of the second half of the iterations differs from that of the first, in standard
            deviations, beyond what it may by chance; 0 where that explains it.
        spread_drift: The same of the distance from the median. Where the posterior has no end in some direction, chains
            spread on and on, and superchains agree.
    """

    nested_rhat: Float[np.ndarray, " quantity"]
    effective_sample_size: Float[np.ndarray, " quantity"]
    drift: Float[np.ndarray, " quantity"]
    spread_drift: Float[np.ndarray, " quantity"]

    def followed_by(self, other: "Mixing") -> "Mixing":
        """Of the quantities of both."""
        return Mixing(*map(np.append, self, other))


def mixing(values: Float[np.ndarray, "iteration chain quantity"], num_superchains: int) -> Mixing:
    """Diagnostics of the states of chains.

    A quantity that is the same in all states has R-hat 1 and as many effective draws as there are states; one that is
    not finite everywhere has NaN.

    Args:
        values: The states, at least two of each chain; superchains one after another.
        num_superchains: How many there are, as many chains in each.
    """
    parts = [
        _mixing(values[..., first : first + COLUMNS_AT_ONCE], num_superchains)
        for first in range(0, values.shape[-1], COLUMNS_AT_ONCE)
    ]
    return Mixing(*[np.concatenate(columns) for columns in zip(*parts, strict=True)])


def _mixing(values: Float[np.ndarray, "iteration chain quantity"], num_superchains: int) -> Mixing:
    num_iterations, num_chains, _ = values.shape
    scores = normal_scores(values)
    of_chains = scores.mean(axis=0)
    by_superchain = of_chains.reshape(num_superchains, -1, of_chains.shape[-1])
    between = by_superchain.mean(axis=1).var(axis=0, ddof=1)
    among = by_superchain.var(axis=1, ddof=1).mean(axis=0)
    within = scores.var(axis=0, ddof=1).mean(axis=0)
    with np.errstate(all="ignore"):
        nested_rhat = np.sqrt(1.0 + between / (among + within))
        size = num_chains * scores.reshape(-1, scores.shape[-1]).var(axis=0) / of_chains.var(axis=0, ddof=1)
    constant = np.ptp(values, axis=(0, 1)) == 0
    return Mixing(
        np.where(constant, 1.0, nested_rhat),
        np.where(constant, num_iterations * num_chains, size),
        _drift(scores),
        _drift(np.abs(scores) / SPREAD_OF_DISTANCES),
    )


def _drift(values: Float[np.ndarray, "iteration chain quantity"]) -> Float[np.ndarray, " quantity"]:
    """By how much means move from the first to the second half of the iterations, beyond noise."""
    num_iterations, num_chains, _ = values.shape
    half = num_iterations // 2
    moved = values[num_iterations - half :].mean(axis=0) - values[:half].mean(axis=0)
    error = moved.std(axis=0, ddof=1) / np.sqrt(num_chains)
    return np.maximum(np.abs(moved.mean(axis=0)) - NOISE * error, 0.0)


def normal_scores(values: Float[np.ndarray, "iteration chain quantity"]) -> Float[np.ndarray, "..."]:
    """Normal quantiles of the ranks of the values of each quantity; NaN for one that is not finite everywhere."""
    from scipy.special import ndtri  # loaded for those who have chains
    from scipy.stats import rankdata

    flat = values.reshape(-1, values.shape[-1])
    count = len(flat)
    finite = np.isfinite(flat).all(axis=0)
    scores = ndtri((rankdata(np.where(finite, flat, 0.0), axis=0) - 0.375) / (count + 0.25))
    return np.where(finite, scores, np.nan).reshape(values.shape)
