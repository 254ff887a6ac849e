"""Functions of a program and its data, as functions that take the data as arguments.

The evaluator sees data as NumPy arrays. JAX hoists those that enter a computation out of its trace, so that what is
left depends on their shapes only, and programs traced with other data of the same shapes turn out equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from pathfinder._arrays.placed import placed


@dataclass(frozen=True)
class Traced:
    """A traced function.

    Equal to others that compute the same from arguments and data, so that they share compiled programs.

    Attributes:
        digest: Of the text of the trace, by which functions are compared.
        jaxpr: The trace.
    """

    digest: str
    jaxpr: Any = field(compare=False, repr=False)

    def __call__(self, data: tuple[jax.Array, ...], *arguments: Any) -> list[Any]:
        """What the function gives at arguments and data, flattened."""
        flat = jax.tree_util.tree_leaves(arguments)
        return jaxpr_as_fun(ClosedJaxpr(self.jaxpr, list(data)))(*flat)


def trace(function: Callable[..., Any], *arguments: Any) -> tuple[Traced, tuple[jax.Array, ...]]:
    """Trace a function at arguments of given shapes.

    Returns:
        The function, and the arrays that it has to be called with.
    """
    closed = jax.make_jaxpr(function)(*arguments)
    text = closed.jaxpr.pretty_print(use_color=False)
    data = tuple(
        # Compiles nothing, as `jnp.asarray` would.
        value if isinstance(value, jax.Array) else placed(np.asarray(value, variable.aval.dtype))
        for variable, value in zip(closed.jaxpr.constvars, closed.consts, strict=True)
    )
    return Traced(hashlib.sha256(text.encode()).hexdigest(), closed.jaxpr), data
