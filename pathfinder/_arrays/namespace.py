"""The array namespace that the algorithms are written in: NumPy on the host, JAX where programs are compiled.

A function of arrays asks `namespace` which of the two its arguments belong to, and is written once for both. The few
operations that the two spell differently are here, those of linear algebra in `matrices.py`. Lanes of work stand on the
leading axes.
"""

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._arrays.blas_threads import one_blas_thread


Array = jax.Array | np.ndarray
MOST_UNROLLED = 10  # steps of a loop that are compiled one by one

_Tree = TypeVar("_Tree")


def namespace(*trees: Any) -> Any:
    """`jax.numpy` if a leaf of the given trees is an array of JAX, `numpy` otherwise."""
    for tree in trees:
        if type(tree) is np.ndarray:
            continue
        for leaf in jax.tree_util.tree_leaves(tree):
            if is_of_jax(leaf):
                return jnp
    return np


def is_of_jax(leaf: Any) -> bool:
    """Whether something is an array of JAX, or stands for one in a trace."""
    # JAX's own check takes microseconds, and on the host there is one for every few operations.
    return type(leaf) is not np.ndarray and isinstance(leaf, jax.Array)


def jit_unless_numpy(*static_argnames: str, donate_argnames: tuple[str, ...] = ()) -> Callable[..., Any]:
    """Compile a function for arrays of JAX; with those of NumPy it is called as it is, and warns of nothing.

    Args:
        *static_argnames: As of `jax.jit`.
        donate_argnames: As of `jax.jit`.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled = jax.jit(function, static_argnames=static_argnames, donate_argnames=donate_argnames)

        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            if namespace(arguments, options) is jnp:
                return compiled(*arguments, **options)
            with np.errstate(all="ignore"), one_blas_thread():
                return function(*arguments, **options)

        return call

    return decorate


def rows(tree: _Tree, index: Any) -> _Tree:
    """Some entries, or one, of the leading axis of every leaf; `index` is a number, a slice or an array."""
    if isinstance(index, slice) or namespace(tree) is np:
        return jax.tree_util.tree_map(lambda leaf: leaf[index], tree)
    return _compiled_rows(tree, index)


@jax.jit
def _compiled_rows(tree: _Tree, index: Any) -> _Tree:
    return jax.tree_util.tree_map(lambda leaf: leaf[index], tree)


def select(condition: Any, one: _Tree, other: _Tree) -> _Tree:
    """`one` in the lanes where the condition holds, else `other`, leaf by leaf; lanes are the axes of the condition."""
    if not is_of_jax(condition):
        count = np.count_nonzero(condition)
        if count == 0 or count == np.size(condition):
            return one if count else other
    return jax.tree_util.tree_map(partial(_selected, condition), one, other)


def _selected(condition: Any, one: Any, other: Any) -> Any:
    if one is other:
        return one
    on_host = type(one) is type(other) is type(condition) is np.ndarray
    xp = np if on_host else namespace(condition, one, other)
    extra = max(np.ndim(one), np.ndim(other)) - np.ndim(condition)
    return xp.where(condition[(..., *[None] * extra)] if extra else condition, one, other)


def either(condition: Any, one: Callable[[], _Tree], other: Callable[[], _Tree]) -> _Tree:
    """`select` of what two functions give; on the host nothing is computed that no lane takes."""
    if not is_of_jax(condition):
        count = np.count_nonzero(condition)
        if count == 0 or count == np.size(condition):
            return one() if count else other()
    return select(condition, one(), other())


def is_nowhere(condition: Any) -> bool:
    """Whether no lane is known to satisfy a condition: what is computed for such lanes can then be left out."""
    return not is_of_jax(condition) and not np.count_nonzero(condition)


def put_rows(tables: _Tree, row: Any, values: _Tree, keep: Any, numbers: np.ndarray | None = None) -> _Tree:
    """Tables (lane, row, ...) with a row of every lane replaced where `keep` says so; in place on the host.

    Args:
        tables: A tree of tables.
        row: Number of the row of each lane.
        values: What to write there (lane, ...).
        keep: In which lanes.
        numbers: On the host, which lanes of the tables these are; None for all.
    """
    if namespace(row, keep) is jnp:
        # A row out of bounds is dropped. Choosing between the old table and the new one would copy all of it.
        def put_compiled(table: Any, value: Any) -> Any:
            place = jnp.where(keep, row, table.shape[1])
            return table.at[jnp.arange(table.shape[0]), place].set(value, mode="drop")

        return jax.tree_util.tree_map(put_compiled, tables, values)
    kept = np.flatnonzero(keep)
    places = (kept if numbers is None else numbers[kept]), row[kept]
    chosen = slice(None) if len(kept) == len(row) else kept
    return jax.tree_util.tree_map(partial(_put_in_place, places, chosen), tables, values)


def _put_in_place(places: tuple[Any, Any], chosen: Any, table: Any, value: Any) -> Any:
    table[places] = value[chosen]
    return table


def finfo_eps(dtype: Any) -> float:
    """The rounding unit of a dtype, as a number without a dtype of its own."""
    return float(np.finfo(dtype).eps)


def norm(vectors: Any) -> Any:
    """Euclidean norms along the last axis."""
    xp = namespace(vectors)
    return xp.sqrt(xp.vecdot(vectors, vectors))


def scan(step: Callable[..., tuple[Any, Any]], carry: Any, *items: Any, reverse: bool = False) -> tuple[Any, Any]:
    """`jax.lax.scan` over the leading axis of a few arrays: the last carry, and what the steps give in the same form.

    Args:
        step: `step(carry, *entries)` gives the next carry and an array to keep, or None.
        carry: The first carry.
        *items: Arrays of the same length.
        reverse: Whether to begin with the last entries.
    """
    count = len(items[0])
    if namespace(carry) is jnp:
        unroll = count if count <= MOST_UNROLLED else 1
        return jax.lax.scan(lambda carry, entries: step(carry, *entries), carry, items, reverse=reverse, unroll=unroll)
    kept: list[Any] = [None] * count
    for number in reversed(range(count)) if reverse else range(count):
        carry, kept[number] = step(carry, *[item[number] for item in items])
    return carry, None if kept[0] is None else np.array(kept)


@jit_unless_numpy()
def joined_rows(trees: Any) -> Any:
    """Trees of the same structure, one after another on the leading axis of every leaf."""
    xp = namespace(trees)
    return jax.tree_util.tree_map(lambda *leaves: xp.concatenate(leaves), *trees)


def stacked_rows(trees: Sequence[_Tree]) -> _Tree:
    """Trees of the same structure and shapes, on the host, as the rows of one: on a new leading axis of every leaf."""
    return jax.tree_util.tree_map(lambda *leaves: np.stack(leaves), *trees)


@jit_unless_numpy("count")
def nan_rows(tree: _Tree, *, count: int) -> _Tree:
    """As many rows as wanted, all NaN, of the same shapes and types as those of a tree."""
    xp = namespace(tree)
    return jax.tree_util.tree_map(lambda leaf: xp.full((count, *leaf.shape[1:]), xp.nan, leaf.dtype), tree)


def fori_loop(count: Any, body: Callable[[Any, _Tree], _Tree], start: _Tree) -> _Tree:
    """`body(number, carry)` for every number below `count`, one after the other, from `start`.

    In a compiled program the count may be one of its arguments.
    """
    if namespace(start) is jnp:
        return jax.lax.fori_loop(0, count, body, start)
    for number in range(count):
        start = body(number, start)
    return start


def put(array: Any, index: Any, values: Any) -> Any:
    """An array with other values in some places; in place on the host."""
    if namespace(array, values) is jnp:
        return array.at[index].set(values)
    array[index] = values
    return array
