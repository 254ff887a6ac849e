"""Shapes and types are checked as annotated, once for arguments of each kind.

A check takes as long as the step of a few lanes that it guards, and a fit takes thousands of steps whose arguments have
the same shapes: with each call checked, a fit on the host took three times as long.
"""

import functools
import inspect
from collections import defaultdict

import jax
import jaxtyping
import numpy as np


MODULES = [
    "pathfinder._arrays",
    "pathfinder._chains",
    "pathfinder._importance",
    # Not `LowRankNormal`: JAX makes it of whatever the leaves of a tree are, such as flags and shapes.
    *("pathfinder._normals." + name for name in ("diagonals", "elbo", "inverse_hessian", "mixture", "scoring")),
    "pathfinder._optimizer",
    "pathfinder._paths",
    "pathfinder._refinement",
    *("psis." + name for name in ("_diagnostics", "_efficiency", "_gpd", "_resample", "_smooth", "_weights")),
]

# By the code of a function, since those within others are made again in every call.
_kinds_checked = defaultdict(set)
_always_checked = jaxtyping.jaxtyped


def set_up() -> None:
    """For modules that are imported from here on."""
    jaxtyping.jaxtyped = checked_by_kind
    jaxtyping.install_import_hook(MODULES, "beartype.beartype")


def checked_by_kind(function=None, *, typechecker):
    """In place of `jaxtyping.jaxtyped`, which the hook writes above every function and class."""
    if function is None:
        return functools.partial(checked_by_kind, typechecker=typechecker)
    checked = functools.cache(lambda: _always_checked(function, typechecker=typechecker))
    if not inspect.isfunction(function):
        return checked()
    kinds_checked = _kinds_checked[function.__code__]

    @functools.wraps(function)
    def call(*args, **kwargs):
        kinds = (_kind(args), *((name, _kind(value)) for name, value in kwargs.items()))
        if kinds in kinds_checked:
            return function(*args, **kwargs)
        result = checked()(*args, **kwargs)
        kinds_checked.add(kinds)
        return result

    return call


def _kind(value):
    """All that a check looks at."""
    if isinstance(value, tuple | list):
        return (type(value), *map(_kind, value))
    if isinstance(value, np.ndarray | jax.Array):
        return type(value), value.shape, value.dtype
    return type(value)
