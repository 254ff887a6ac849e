"""A result with what files say besides."""

import dataclasses

from pathfinder import PathfinderResult


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A result with what files say besides.

    Args:
        result: The result.
        psis_seconds: How long weighting and resampling took, after `result.seconds["total"]`.
    """

    result: PathfinderResult
    psis_seconds: float
