"""How many gradients chains may take where nobody says: by the price of one, and never by the clock."""

from typing import NamedTuple

import numpy as np

from pathfinder._chains.run_chains import FEWEST_KEPT, FIRST_STEP, MEAN_LENGTH
from pathfinder._density.work import OPERATIONS_OF_STAGE


MOST_GRADIENTS = 100_000
OPERATIONS = 2 * OPERATIONS_OF_STAGE


class ChainBudget(NamedTuple):
    """What chains may take together.

    Args:
        max_gradients: Evaluations of the log density with its gradient.
        operations: About how many operations the log density takes, if it is so expensive that there are fewer
            evaluations; else 0.
        is_enough: Whether chains can begin with it.
    """

    max_gradients: int
    operations: float
    is_enough: bool


def chain_budget(operations: float, dim: int, num_chains: int, wanted: int | None, *, asked_for: bool) -> ChainBudget:
    """The budget of chains: `MOST_GRADIENTS`, or as many as take `OPERATIONS` where these are fewer.

    Args:
        operations: About how many the log density takes.
        dim: Number of unconstrained parameters.
        num_chains: How many chains are to run.
        wanted: The budget, if the user has said one.
        asked_for: Whether chains are wanted in any case; then it is enough for them to begin.
    """
    if wanted is not None:
        return ChainBudget(wanted, 0.0, True)
    by_price = int(min(MOST_GRADIENTS, OPERATIONS / max(1.0, operations)))
    fewest = _fewest_gradients(dim, num_chains)
    most = max(by_price, fewest) if asked_for else by_price
    return ChainBudget(most, operations if by_price < MOST_GRADIENTS else 0.0, most >= fewest)


def _fewest_gradients(dim: int, num_chains: int) -> int:
    """Those of twice as many iterations as are judged, with steps of the first size."""
    steps = int(np.ceil(MEAN_LENGTH / (FIRST_STEP * dim**-0.25)))
    return num_chains * (1 + 2 * FEWEST_KEPT * steps)
