"""What is to be approximated: a log density with its data, for one fit or for many."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jaxtyping import Array


@dataclass(frozen=True)
class Problem:
    """A density to fit, or many of the same form.

    Args:
        density: `density(position, data)`.
        dim: Number of unconstrained parameters.
        dtype: Their floating-point type.
        data: Data of the density, with a leading axis of length `num_fits` if that is not None.
        num_fits: How many data sets there are to fit, or None for one without a leading axis.
    """

    density: Callable[[Array, Any], Array]
    dim: int
    dtype: Any
    data: Any = None
    num_fits: int | None = None

    @property
    def batched(self) -> bool:
        """Whether there is a leading axis of fits."""
        return self.num_fits is not None
