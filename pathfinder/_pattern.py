"""Where the Hessian of a log density has entries: a band and a border."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True, eq=False)
class Pattern:
    """An order of the parameters in which the Hessian of a log density is banded, but for a border.

    In that order, two parameters that are more than `width` places apart do not interact, unless one of them is among
    the last `border` ones.

    Args:
        order: The places of the parameters in the unconstrained vector, in the new order: a permutation.
        width: Places that interacting parameters of the band are apart, at most; 0 if none interact.
        border: How many parameters at the end may interact with all.

    Raises:
        ValueError: If `order` is no permutation of 0, ..., dim - 1, or `width` or `border` are out of range.
    """

    order: Int[np.ndarray, " dim"]
    width: int
    border: int

    def __post_init__(self):
        order = np.asarray(self.order)
        if order.ndim != 1 or not np.array_equal(np.sort(order), np.arange(len(order))):
            raise ValueError(
                "`order` must hold the places 0, 1, ... of all unconstrained parameters, each of them once, in one row."
            )
        if not 0 <= self.border <= len(order):
            raise ValueError(f"`border` must be a whole number from 0 to {len(order)}, the number of parameters.")
        if not 0 <= self.width < max(1, len(order) - self.border):
            raise ValueError(
                f"`width` must be a whole number from 0 to {max(0, len(order) - self.border - 1)}: there are "
                f"{len(order) - self.border} parameters outside of the border."
            )
        object.__setattr__(self, "order", order.astype(np.int64))

    @property
    def dim(self) -> int:
        """Number of parameters."""
        return len(self.order)

    @property
    def num_products(self) -> int:
        """Products with the Hessian that give all of its entries."""
        return min(2 * self.width + 1, self.dim - self.border) + self.border
