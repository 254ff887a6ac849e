"""The order in which dictionaries of a pytree were written; JAX forgets it, and gives them back sorted by name."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import jax
from jaxtyping import PyTree


def key_order(tree: PyTree) -> Hashable:
    """The keys of all dictionaries of a pytree in their order, without the leaves; None if it has no dictionaries."""
    if type(tree) is dict:
        return tuple((key, key_order(child)) for key, child in tree.items())
    if isinstance(tree, list | tuple):
        orders = tuple(key_order(child) for child in tree)
        return orders if any(order is not None for order in orders) else None
    return None


def in_key_order(order: Any, tree: PyTree) -> PyTree:
    """A pytree with its dictionaries in an order that `key_order` gave for one of the same structure."""
    if order is None:
        return tree
    if type(tree) is dict:
        return {key: in_key_order(child, tree[key]) for key, child in order}
    children = [in_key_order(child, element) for child, element in zip(order, tree, strict=True)]
    if hasattr(tree, "_fields"):
        return type(tree)(*children)
    return type(tree)(children)


def map_in_order(function: Callable[[Any], Any], tree: PyTree) -> PyTree:
    """`jax.tree_util.tree_map` for one pytree, with dictionaries in the order in which they were."""
    return in_key_order(key_order(tree), jax.tree_util.tree_map(function, tree))
