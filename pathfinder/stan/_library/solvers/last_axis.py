"""Functions that take all lanes of a `vmap` at once, as the last axis of their arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap


def with_lanes(x: Any, has_lanes: bool, lanes: int) -> Any:
    """`x` repeated in all lanes, if it does not have them."""
    return x if has_lanes else jnp.broadcast_to(x[..., None], (*x.shape, lanes))


def _merged(leaf: Any, has_lanes: bool, batched: bool, size: int, lanes: int) -> Any:
    """The leaf with the new axis in front, if `batched`, joined with the lanes, if there were any."""
    if not has_lanes and not batched:
        return leaf
    leaf = jnp.moveaxis(leaf, 0, -2 if has_lanes else -1) if batched else leaf[..., None, :]
    leaf = leaf if has_lanes else leaf[..., None]
    return jnp.broadcast_to(leaf, (*leaf.shape[:-2], size, lanes)).reshape(*leaf.shape[:-2], size * lanes)


def _over(function: Callable[..., Any], has_lanes: tuple[bool, ...], lanes: int) -> Callable[..., Any]:
    @custom_vmap
    def batch(*leaves: Any) -> Any:
        return function(has_lanes, lanes, *leaves)

    @batch.def_vmap
    def join(size: int, batched: list[bool], *leaves: Any) -> Any:
        merged = [_merged(x, old, new, size, lanes) for x, old, new in zip(leaves, has_lanes, batched, strict=True)]
        either = tuple(old or new for old, new in zip(has_lanes, batched, strict=True))
        results = _over(function, either, size * lanes)(*merged)

        def separated(x):
            return jnp.moveaxis(x.reshape(*x.shape[:-1], size, lanes), -2, 0)

        return jax.tree.map(separated, results), jax.tree.map(lambda _: True, results)

    return batch


def on_lanes(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of one instance, from one of many instances that `vmap` then calls once for all.

    A loop sees all of its instances: it can end when the last one does, share a counter and branch on all of them,
    where `vmap` would select in each instance. Elementwise work on short vectors has long rows.

    Args:
        function: `function(has_lanes, lanes, *arrays)`, whose results have the lanes as last axis, and so do those of
            the arrays that `has_lanes` says. It is not differentiated.
    """

    def single(*leaves: Any) -> Any:
        results = _over(function, (False,) * len(leaves), 1)(*leaves)
        return jax.tree.map(lambda x: x[..., 0], results)

    return single
