"""Whether superchains will still be apart when the budget is used up.

What superchains remember of where they started is B / W = R^2 - 1, with nested R-hat R, the variance B of their means
and W within them. Memory fades in the course of the iterations like a sum of exponentials, whose logarithm falls ever
more slowly. So the line through the logarithms of B / W at two numbers of iterations is, later on, the least of it that
can be hoped for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from pathfinder._chains.mixing import LARGEST_NESTED_RHAT


APART = 1.5  # nested R-hat from which on superchains may be given up
ERRORS = 2.0  # standard errors by which B / W may have fallen more than it seems


@dataclass
class Memory:
    """What superchains remembered of their starts when they were looked at.

    Args:
        num_superchains: How many there are.
        chains_per_start: Chains of each.
    """

    num_superchains: int
    chains_per_start: int
    _looks: list[tuple[int, Float[np.ndarray, " quantity"]]] = field(default_factory=list)

    def note(self, num_iterations: int, nested_rhat: Float[np.ndarray, " quantity"]) -> None:
        """Add what it is after more iterations than before."""
        self._looks.append((num_iterations, nested_rhat**2 - 1.0))

    def outlasts(self, num_iterations: float) -> bool:
        """Whether superchains will, in some quantity, be too far apart to be trusted after so many iterations.

        The last look is compared with one before half as many iterations: the halves of them that count are then
        different ones.
        """
        newest, now = self._looks[-1]
        earlier = [look for look in self._looks if 2 * look[0] <= newest]
        if not earlier:
            return False
        number, before = earlier[-1]
        with np.errstate(all="ignore"):
            # B / W has a relative standard error of 2 sqrt(V / (M B (K - 1))) over K superchains of M chains, the means
            # of which have a variance of V about that of their superchain, which is at most W.
            error = 2.0 / np.sqrt(now * self.chains_per_start * (self.num_superchains - 1))
            slope = (np.maximum(np.log(before / now), 0.0) + ERRORS * error) / (newest - number)
            at_end = np.log(now) - slope * (num_iterations - newest)
            is_apart = (now > APART**2 - 1.0) & (at_end > np.log(LARGEST_NESTED_RHAT**2 - 1.0))
        return bool(is_apart.any())
