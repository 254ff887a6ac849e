"""What the library knows of a function, and the small tools its modules share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


@dataclass(frozen=True)
class Function:
    """A function of the Stan library, for one instance.

    Attributes:
        evaluate: Value from JAX or NumPy values, pure, differentiable and ready for `jax.vmap`. What is outside of the
            domain gives NaN; only sizes and positions known while tracing raise `ValueError`.
        elementwise: Whether arguments of any shapes that broadcast are allowed.
        numpy: The same on NumPy values, where that is cheaper than running `evaluate`.
        typed: Whether `evaluate` and `numpy` take the tuple of the arguments' `Type`s first.
        static: Positions of arguments, counted without the types, that must be Python integers.
    """

    evaluate: Callable[..., Any]
    elementwise: bool = False
    numpy: Callable[..., Any] | None = None
    typed: bool = False
    static: tuple[int, ...] = ()


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """The NumPy function without its warnings: outside of the domain Stan's functions are NaN or infinite too."""
    return np.errstate(all="ignore")(function)


def elementwise(evaluate: Callable[..., Any], numpy: Callable[..., Any] | None = None) -> Function:
    """An elementwise function and its NumPy form, if there is one."""
    return Function(evaluate, elementwise=True, numpy=None if numpy is None else quiet(numpy))


def both(build: Callable[[ModuleType], Callable[..., Any]], **fields: Any) -> Function:
    """A function whose two forms are one formula in the namespace `jax.numpy` or `numpy`."""
    return Function(build(jnp), numpy=quiet(build(np)), **fields)


def known(value: Any) -> bool:
    """Whether a value is known while tracing."""
    return not isinstance(value, Tracer)


def real(x: Any) -> jax.Array:
    """Integers as real numbers; real and complex numbers as they are."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(jnp.result_type(float))


def real_numpy(x: Any) -> Any:
    """`real` on NumPy values; Python's numbers become NumPy's, which divide by zero without an exception."""
    if isinstance(x, np.float64):
        return x
    if isinstance(x, float | int):
        return np.float64(x)
    x = np.asarray(x)
    return x if x.dtype.kind in "fc" else x.astype(float)


def real_in(xp: ModuleType) -> Callable[[Any], Any]:
    """`real` for the namespace."""
    return real if xp is jnp else real_numpy
