"""Where chains start: at distinct draws of a fit, by their importance weights."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from pathfinder._importance.tempering import tempered


ENOUGH_FOR_STARTS = 2.0  # effective draws for each start


def choose_starts(
    log_weights: Float[np.ndarray, " draw"], num_starts: int, rng: np.random.Generator
) -> Int[np.ndarray, " start"]:
    """Numbers of draws to start from, distinct if there are enough of them.

    Draws from the tails of a proposal that is far off have no weight and must not be chosen; a few draws that have all
    of it are not where all chains should start either. So the weights are tempered until enough draws are effective.

    Args:
        log_weights: Log importance weights.
        num_starts: How many are wanted.
        rng: Random numbers.
    """
    _, own = tempered(log_weights, ENOUGH_FOR_STARTS * num_starts)
    # The largest of log weights with Gumbel noise are draws without replacement.
    order = np.argsort(-(own + rng.gumbel(size=len(own))), kind="stable")
    return np.resize(order[: min(num_starts, int(np.isfinite(own).sum()))], num_starts)
