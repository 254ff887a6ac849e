"""What the steps of a scan have assigned before they read it."""

from __future__ import annotations

import numpy as np


_NEVER = np.iinfo(np.int64).max


class Coverage:
    """When each element of a variable is assigned for the first time.

    Args:
        before: Which elements had been assigned when the scan began.
    """

    def __init__(self, before: np.ndarray) -> None:
        self._shape = before.shape
        self._before = before.ravel().copy()
        self._accesses: list[tuple[bool, np.ndarray]] = []

    @property
    def length(self) -> int:
        """Number of accesses so far."""
        return len(self._accesses)

    def cut(self, length: int) -> Coverage:
        """Forget all but the first accesses."""
        del self._accesses[length:]
        return self

    def read(self, elements: np.ndarray) -> None:
        """All steps read elements, shape [lanes, steps, ...]."""
        self._accesses.append((False, elements))

    def write(self, elements: np.ndarray) -> None:
        """All steps assign elements, shape [lanes, steps, ...]."""
        self._accesses.append((True, elements))

    def afterwards(self) -> np.ndarray | None:
        """Which elements have been assigned in the end; None if one is read before."""
        first = np.where(self._before, -1, _NEVER)
        for number, (is_write, elements) in enumerate(self._accesses):
            if is_write:
                np.minimum.at(first, elements, self._times(number, elements))
        for number, (is_write, elements) in enumerate(self._accesses):
            if not is_write and np.any(first[elements] > self._times(number, elements)):
                return None
        return (first < _NEVER).reshape(self._shape)

    def _times(self, number: int, elements: np.ndarray) -> np.ndarray:
        """When an access happens: step after step, and in each in the order of the text."""
        steps = np.arange(elements.shape[1]) * len(self._accesses) + number
        return np.broadcast_to(steps.reshape(1, -1, *(1,) * (elements.ndim - 2)), elements.shape)
