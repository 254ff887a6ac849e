"""Which of some values lies outside of its limits."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Outside(NamedTuple):
    """A value that is outside of its limits.

    Attributes:
        element: The variable, with the element in brackets, counted from 1.
        value: The value.
        bound: "lower" or "upper".
        limit: The limit.
    """

    element: str
    value: Any
    bound: str
    limit: float

    @property
    def shown(self) -> str:
        """The value in words."""
        return str(self.value) if isinstance(self.value, int) else f"{self.value:.6g}"

    def __str__(self) -> str:
        return f"{self.element} is {self.shown}, but is declared with {self.bound}={self.limit:g}"


def first_outside(
    name: str, values: np.ndarray, lower: ArrayLike | None = None, upper: ArrayLike | None = None
) -> Outside | None:
    """The first value below its lower or above its upper limit, if there is one; NaN is outside of any limits.

    Args:
        name: The variable.
        values: Its values.
        lower: Limits that broadcast to them, or None.
        upper: As `lower`.
    """
    for bound, limit, holds in (("lower", lower, np.greater_equal), ("upper", upper, np.less_equal)):
        if limit is None:
            continue
        limits = np.broadcast_to(np.asarray(limit, float), values.shape)
        wrong = np.argwhere(~holds(values, limits))
        if len(wrong):
            index = tuple(wrong[0])
            place = f"[{','.join(str(i + 1) for i in index)}]" if index else ""
            return Outside(f"{name}{place}", values[index].item(), bound, float(limits[index]))
    return None
