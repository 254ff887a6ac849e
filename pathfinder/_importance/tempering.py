"""Weights of which enough draws are effective, where importance weights themselves leave too few."""

import numpy as np
from jaxtyping import Float


def tempered(log_weights: Float[np.ndarray, " draw"], wanted: float) -> tuple[float, Float[np.ndarray, " draw"]]:
    """The largest power of weights, at most 1, at which as many draws are effective as are wanted.

    Args:
        log_weights: Log weights; -inf for draws that are never chosen. At least one is finite.
        wanted: Effective sample size; that of equal weights of all other draws if there are not so many.

    Returns:
        The power, and normalized log weights.
    """
    usable = log_weights > -np.inf

    def raised(power):
        own = np.where(usable, power * np.where(usable, log_weights, 0.0), -np.inf)
        own = own - own.max()
        return own - np.log(np.exp(own).sum())

    def size(power):
        return 1.0 / np.exp(2.0 * raised(power)).sum()

    low, high = 0.0, 1.0
    if size(1.0) >= min(wanted, usable.sum()):
        return 1.0, raised(1.0)
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if size(middle) >= wanted else (low, middle)
    return low, raised(low)
