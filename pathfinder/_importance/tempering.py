"""Weights of which enough draws are effective, where importance weights themselves leave too few."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def raised(log_weights: Float[np.ndarray, " draw"], power: float) -> Float[np.ndarray, " draw"]:
    """Normalized log weights to a power; those of -inf stay so."""
    usable = log_weights > -np.inf
    own = np.where(usable, power * np.where(usable, log_weights, 0.0), -np.inf)
    own = own - own.max()
    return own - np.log(np.exp(own).sum())


def tempered(log_weights: Float[np.ndarray, " draw"], wanted: float) -> tuple[float, Float[np.ndarray, " draw"]]:
    """The largest power of weights, at most 1, at which as many draws are effective as are wanted.

    Args:
        log_weights: Log weights; -inf for draws that are never chosen. At least one is finite.
        wanted: Effective sample size; that of equal weights of all other draws if there are not so many.

    Returns:
        The power, and normalized log weights.
    """

    def size(power):
        return 1.0 / np.exp(2.0 * raised(log_weights, power)).sum()

    low, high = 0.0, 1.0
    if size(1.0) >= min(wanted, np.sum(log_weights > -np.inf)):
        return 1.0, raised(log_weights, 1.0)
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if size(middle) >= wanted else (low, middle)
    return low, raised(log_weights, low)
