"""What the steps of a scan have assigned before they read it.

A variable of which iterations side by side have copies must be assigned before it is read in each of them, since what
an earlier iteration has left in it is not there. Inside of a scan the order of the text does not tell: the body is
traced once, but runs many times, so that a read may find what a write further down did at an earlier step. Therefore
accesses are taken down with the elements of all steps, and compared when the scan has ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Coverage:
    """When each element of a variable is assigned for the first time.

    Attributes:
        before: Which elements had been assigned when the scan began.
        accesses: What all steps do, in the order of the text: whether they assign, and elements of shape
            [lanes, steps, ...].
    """

    before: np.ndarray
    accesses: tuple[tuple[bool, np.ndarray], ...] = ()

    def read(self, elements: np.ndarray) -> Coverage:
        """With elements that all steps read next, shape [lanes, steps, ...]."""
        return replace(self, accesses=(*self.accesses, (False, elements)))

    def write(self, elements: np.ndarray) -> Coverage:
        """With elements that all steps assign next, shape [lanes, steps, ...]."""
        return replace(self, accesses=(*self.accesses, (True, elements)))

    def afterwards(self) -> np.ndarray | None:
        """Which elements have been assigned in the end; None if one is read before."""
        first = np.where(self.before.ravel(), -1, _NEVER)
        for number, (is_write, elements) in enumerate(self.accesses):
            if is_write:
                np.minimum.at(first, elements, self._times(number, elements))
        for number, (is_write, elements) in enumerate(self.accesses):
            if not is_write and np.any(first[elements] > self._times(number, elements)):
                return None
        return (first < _NEVER).reshape(self.before.shape)

    def _times(self, number: int, elements: np.ndarray) -> np.ndarray:
        """When an access happens: step after step, and in each in the order of the text."""
        steps = np.arange(elements.shape[1]) * len(self.accesses) + number
        return np.broadcast_to(steps.reshape(1, -1, *(1,) * (elements.ndim - 2)), elements.shape)
