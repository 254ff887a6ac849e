"""Which parameters each element of an array depends on, as a sparse matrix of elements by parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int
from scipy.sparse import csr_array, eye_array, vstack


MOST_NEIGHBOURS = 64  # of a nonlinear function, whose arguments then all interact with each other


class DenseError(Exception):
    """Some parameters interact with too many others.

    Args:
        reason: What shows that, for a report.
    """


class UnknownError(DenseError):
    """A part of the program is not known, so that its arguments may all interact."""


@dataclass(frozen=True)
class Dependence:
    """An array of a program.

    Args:
        shape: Its shape.
        on: Row `i` has an entry for each parameter that element `i`, counted by rows, depends on.
    """

    shape: tuple[int, ...]
    on: Any  # a `csr_array`

    @classmethod
    def of_parameters(cls, dim: int) -> Dependence:
        """The parameters themselves."""
        return cls((dim,), csr_array(eye_array(dim).astype(np.int32)))

    @classmethod
    def nothing(cls, shape: tuple[int, ...], dim: int) -> Dependence:
        """What depends on none."""
        return cls(shape, csr_array((int(np.prod(shape)), dim), dtype=np.int32))

    @property
    def is_nothing(self) -> bool:
        """Whether no element depends on a parameter."""
        return self.on.nnz == 0

    @property
    def numbers(self) -> Int[np.ndarray, "..."]:
        """The number of each element, in the shape of the array."""
        return np.arange(int(np.prod(self.shape))).reshape(self.shape)

    def taken(self, numbers: Int[np.ndarray, "..."]) -> Dependence:
        """An array whose elements are those of given numbers; of a negative number, something that depends on none."""
        flat = numbers.ravel()
        if flat.size == 0 or self.on.shape[0] == 0:
            return Dependence.nothing(numbers.shape, self.on.shape[1])
        own = self.on[np.maximum(flat, 0)]
        if (flat < 0).any():
            own = csr_array(own.multiply((flat >= 0).astype(np.int32)[:, None]))
            own.eliminate_zeros()
        return Dependence(numbers.shape, own)

    def summed(self, targets: Int[np.ndarray, "..."], shape: tuple[int, ...]) -> Dependence:
        """An array whose elements depend on what all those do that have them for a target.

        Args:
            targets: For each element the number of the element of the result that it is a part of.
            shape: Of the result.
        """
        size = int(np.prod(shape))
        parts = csr_array(
            (np.ones(targets.size, np.int32), (targets.ravel(), np.arange(targets.size))), shape=(size, targets.size)
        )
        return Dependence(shape, marked(parts @ self.on))

    def joined(self, other: Dependence) -> Dependence:
        """An array of the same shape whose elements depend on what both do."""
        if other.is_nothing:
            return self
        return other if self.is_nothing else Dependence(self.shape, marked(self.on + other.on))

    def everything(self, shape: tuple[int, ...]) -> Dependence:
        """An array each of whose elements depends on all that any element of this one does."""
        anything = self.summed(np.zeros(self.on.shape[0], np.int64), ())
        return anything.taken(np.zeros(shape, np.int64))


def side_by_side_arrays(arrays: list[Dependence], shape: tuple[int, ...], axis: int) -> Dependence:
    """Arrays beside each other."""
    ends = np.cumsum([0, *[own.on.shape[0] for own in arrays]])
    numbers = np.concatenate([own.numbers + end for own, end in zip(arrays, ends[:-1], strict=True)], axis=axis)
    together = Dependence((int(ends[-1]),), csr_array(vstack([own.on for own in arrays])))
    return together.taken(numbers.reshape(shape))


class Interactions:
    """Pairs of parameters whose second derivative may not be zero.

    Args:
        dim: Number of parameters.
    """

    def __init__(self, dim: int):
        self.pairs: Any = csr_array((dim, dim), dtype=np.int32)

    def within(self, array: Dependence) -> None:
        """All parameters that an element depends on interact.

        Raises:
            DenseError: If these are too many.
        """
        _check(array)
        self._add(array.on.T @ array.on)

    def between(self, one: Dependence, other: Dependence) -> None:
        """What an element of one array depends on interacts with what that element of the other one does.

        Raises:
            DenseError: If these are too many.
        """
        if one.is_nothing or other.is_nothing:
            return
        if min(_most(one), _most(other)) > 1:
            _check(one)
            _check(other)
        found = one.on.T @ other.on
        self._add(found + found.T)

    def _add(self, found: Any) -> None:
        self.pairs = marked(csr_array(self.pairs + found))


def marked(matrix: Any) -> Any:
    """With a one for each entry."""
    own: Any = csr_array(matrix)
    own.data = np.ones(len(own.data), np.int32)
    return own


def _most(array: Dependence) -> int:
    return int(np.diff(array.on.indptr).max(initial=0))


def _check(array: Dependence) -> None:
    most = _most(array)
    if most > MOST_NEIGHBOURS:
        raise DenseError(f"a nonlinear function of {most} parameters")
