"""Compiled programs that are kept, for all data of the same shapes."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import jax

from pathfinder._arrays.placed import default_dtype


MOST_KEPT = 64  # of each kind

_Programs = TypeVar("_Programs")
_caches: list[Any] = []


def kept(make: Callable[..., _Programs]) -> Callable[..., _Programs]:
    """Make programs once for all arguments that are equal, and all data of the same shapes.

    Args:
        make: Given shapes and types of data, and further arguments that can be hashed; when called, these come after
            the data themselves.
    """

    @lru_cache(MOST_KEPT)
    def made(leaves, structure, _widest, *arguments):
        return make(structure.unflatten(leaves), *arguments)

    def programs(data: Any, *arguments: Any) -> _Programs:
        leaves, structure = jax.tree_util.tree_flatten(shapes(data))
        # The same function computes in other types if double precision is off.
        return made(tuple(leaves), structure, default_dtype(), *arguments)

    _caches.append(made)
    return programs


def drop_programs() -> None:
    """Forget all programs, as `jax.clear_caches` does with those of `jax.jit`."""
    for cache in _caches:
        cache.cache_clear()


def shapes(tree: Any) -> Any:
    """Shapes and types of arrays of JAX."""
    return jax.tree_util.tree_map(
        # Arrays of keys have no such attribute.
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, weak_type=getattr(leaf, "weak_type", False)),
        tree,
    )


def without_leading_axis(tree: Any) -> Any:
    """Shapes and types of one entry of arrays."""
    return jax.tree_util.tree_map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), tree)
