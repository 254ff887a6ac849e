"""What a value has to be: symmetric, positive, a simplex; how that is tested, and how a value that is not is described.

The tests take NumPy's or JAX's module, as values are known or traced. Tolerances are Stan's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np


TOLERANCE = 1e-8  # CONSTRAINT_TOLERANCE of Stan's math library
ROUNDINGS = 64  # of the size of the values, by which sums and products may be off

_rounding = ContextVar("rounding", default=0.0)  # of values that were written with few digits


@dataclass(frozen=True)
class Demand:
    """What a value has to be.

    Attributes:
        text: In words.
        holds: True for each element (of a vector), matrix or row that satisfies it; of NumPy's or JAX's module `xp`.
    """

    text: str
    holds: Callable[..., Any]


@dataclass(frozen=True)
class Check:
    """A demand on one argument.

    Attributes:
        position: Of the argument; negative ones count from the last.
        what: What the argument is.
        demand: What it has to be.
        of: Only in calls of as many arguments, if not 0.
    """

    position: int
    what: str
    demand: Demand
    of: int = 0


@contextmanager
def written_with(digits: int) -> Iterator[None]:
    """Around checks of values that come from a file in which they have so many significant digits."""
    token = _rounding.set(ROUNDINGS * 0.5 * 10.0 ** (1 - digits))
    try:
        yield
    finally:
        _rounding.reset(token)


def tolerance(xp: Any, a: Any) -> Any:
    """Stan's, and what rounding may leave of values that fulfil a constraint in exact arithmetic.

    In single precision that is more: the diagonal of a correlation matrix `L * L'` is off by 6e-8.
    """
    rounding = max(ROUNDINGS * np.finfo(a.dtype).eps, _rounding.get())
    return max(TOLERANCE, rounding) + rounding * xp.max(xp.abs(a), initial=0.0)


def _symmetric(xp: Any, a: Any) -> Any:
    if a.shape[-1] != a.shape[-2]:
        return True  # an error of sizes, which are checked apart
    return xp.all(xp.abs(a - xp.swapaxes(a, -1, -2)) <= tolerance(xp, a))


def _has_unit_diagonal(xp: Any, a: Any) -> Any:
    if a.shape[-1] != a.shape[-2]:
        return True
    return xp.all(xp.abs(xp.diagonal(a, axis1=-2, axis2=-1) - 1) <= tolerance(xp, a))


def _correlation(xp: Any, a: Any) -> Any:
    return _symmetric(xp, a) & _has_unit_diagonal(xp, a)


def _definite(xp: Any, a: Any) -> Any:
    return _symmetric(xp, a) & _has_factor(xp, a)


def _has_factor(xp: Any, a: Any) -> Any:
    if a.shape[-1] != a.shape[-2]:
        return True
    if xp is not np:
        return xp.all(xp.isfinite(xp.linalg.cholesky(a)))
    try:
        return bool(np.all(np.isfinite(np.linalg.cholesky(a))))
    except np.linalg.LinAlgError:
        return False


def _semidefinite(xp: Any, a: Any) -> Any:
    if xp.ndim(a) < 2:  # the diagonal of one
        return (a >= 0) & (a < np.inf)
    if a.shape[-1] != a.shape[-2]:
        return True
    is_finite = xp.all(xp.isfinite(a))
    smallest = xp.min(xp.linalg.eigvalsh(xp.where(is_finite, a, 0.0)), initial=np.inf)
    return _symmetric(xp, a) & is_finite & (smallest >= -tolerance(xp, a))


def _lower(xp: Any, a: Any) -> Any:
    if a.shape[-1] != a.shape[-2]:
        return True
    return xp.all(xp.triu(a, 1) == 0)


def _factor(xp: Any, a: Any) -> Any:
    if a.shape[-1] != a.shape[-2]:
        return True
    return _lower(xp, a) & xp.all(xp.diagonal(a, axis1=-2, axis2=-1) > 0)


def _simplex(xp: Any, a: Any) -> Any:
    eps = np.finfo(a.dtype).eps
    return xp.all(a >= 0) & xp.all(xp.abs(xp.sum(a, axis=-1) - 1) <= max(1e-8, eps**0.5))


SYMMETRIC = Demand("symmetric", _symmetric)
CORRELATION = Demand("symmetric with a diagonal of ones", _correlation)
DEFINITE = Demand("symmetric and positive definite", _definite)
SEMIDEFINITE = Demand("symmetric and positive semidefinite (of a diagonal: zero or more)", _semidefinite)
LOWER = Demand("lower triangular", _lower)
FACTOR = Demand("lower triangular with a positive diagonal", _factor)
FINITE = Demand("finite", lambda xp, a: xp.isfinite(a))
POSITIVE = Demand("positive and finite", lambda xp, a: (a > 0) & (a < np.inf))
NOT_NEGATIVE = Demand("zero or more, and finite", lambda xp, a: (a >= 0) & (a < np.inf))
PROBABILITY = Demand("between 0 and 1", lambda xp, a: (a >= 0) & (a <= 1))
INNER = Demand("more than 0 and less than 1", lambda xp, a: (a > 0) & (a < 1))
ORDERED = Demand("increasing and finite", lambda xp, a: xp.all(xp.isfinite(a)) & xp.all(a[..., 1:] > a[..., :-1]))
SIMPLEX = Demand("a simplex (no element negative, sum 1)", _simplex)
SIMPLEX_ROWS = Demand("a simplex in every row (no element negative, sum 1)", _simplex)
SOME = Demand("not empty", lambda xp, a: np.size(a) > 0)
SOME_INTEGERS = Demand("not empty", lambda xp, a: np.size(a) > 0 or not np.issubdtype(a.dtype, np.integer))
_OF_A_WHOLE = (ORDERED, SOME, SOME_INTEGERS, DEFINITE)  # no one element is to blame


def found(demand: Demand, value: Any) -> str:
    """The first thing that is wrong with a value that does not satisfy a demand, in words."""
    array = np.asarray(value)
    axes = array.shape[-2:]
    asymmetric = np.zeros(array.shape, bool)
    if demand in (SYMMETRIC, CORRELATION, SEMIDEFINITE, DEFINITE) and array.ndim > 1:
        asymmetric = ~(np.abs(array - np.swapaxes(array, -1, -2)) <= tolerance(np, array))
    if np.any(asymmetric):
        at = tuple(np.argwhere(asymmetric)[0])
        other = (*at[:-2], at[-1], at[-2])
        return f"{_element(array, at)} and element [{_indices(other)}] is {array[other]:.9g}"
    if demand is CORRELATION:
        wrong = np.eye(*axes, dtype=bool) & ~(np.abs(array - 1) <= tolerance(np, array))
    elif demand in (LOWER, FACTOR):
        wrong = (np.triu(np.ones(axes), 1) > 0) & (array != 0)
        if demand is FACTOR:
            wrong |= np.eye(*axes, dtype=bool) & ~(array > 0)
    elif demand in (SIMPLEX, SIMPLEX_ROWS):
        wrong = ~(array >= 0)
        if not np.any(wrong):
            return f", but its sum is {', '.join(f'{total:.9g}' for total in np.sum(array, axis=-1).ravel()[:5])}"
    elif demand in _OF_A_WHOLE or (demand is SEMIDEFINITE and array.ndim > 1):
        said = np.array2string(array, threshold=10, separator=", ").replace("\n", "")
        return f", but is {said}" if array.size else ""
    else:
        wrong = ~np.asarray(demand.holds(np, array))
    if not np.ndim(array):
        return f", but is {array:.9g}"
    return _element(array, tuple(np.argwhere(wrong)[0]))


def _element(array: Any, at: tuple[Any, ...]) -> str:
    return f", but element [{_indices(at)}] is {array[at]:.9g}"


def _indices(at: tuple[Any, ...]) -> str:
    return ", ".join(str(int(index) + 1) for index in at)
