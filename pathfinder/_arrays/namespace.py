"""The array namespace that the algorithms are written in: NumPy on the host, JAX where programs are compiled.

A function of arrays asks `namespace` which of the two its arguments belong to, and is written once for both. The few
operations that the two spell differently are here. Lanes of work stand on the leading axes.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular as _solve_triangular_compiled

from pathfinder._arrays.blas_threads import one_blas_thread


Array = jax.Array | np.ndarray
MOST_UNROLLED = 10  # steps of a loop that are compiled one by one
MOST_BY_ROWS = 64  # rows of triangular matrices that the host takes one by one

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


def cholesky(matrices: Any) -> Any:
    """Lower Cholesky factors of a matrix or a stack of them; NaN where a matrix is not positive definite."""
    if namespace(matrices) is jnp:
        return jnp.linalg.cholesky(matrices)
    try:
        return np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        if matrices.ndim == 2:
            return np.full_like(matrices, np.nan)
        return np.stack([cholesky(matrix) for matrix in matrices]) if len(matrices) else matrices


def solve_triangular(factors: Any, right: Any, *, lower: bool) -> Any:
    """The solution of triangular systems, or of stacks of them with the same leading axes."""
    if namespace(factors, right) is jnp:
        if factors.ndim > 2:
            return jax.vmap(lambda factor, own: solve_triangular(factor, own, lower=lower))(factors, right)
        return _solve_triangular_compiled(factors, right, lower=lower)
    if factors.shape[-1] <= MOST_BY_ROWS:
        return _substituted(factors, right, lower)
    if factors.ndim > 2:
        factors = np.broadcast_to(factors, right.shape[:-2] + factors.shape[-2:])  # one may stand for all
        parts = [solve_triangular(factor, own, lower=lower) for factor, own in zip(factors, right, strict=True)]
        return np.stack(parts) if parts else right
    # BLAS itself: SciPy's function raises for a zero on the diagonal, where JAX's gives infinities.
    from scipy.linalg.blas import get_blas_funcs  # which takes long to load

    (solve,) = get_blas_funcs(("trsm",), (factors, right))
    return np.ascontiguousarray(solve(1.0, factors, right, lower=lower))


def _substituted(factors: np.ndarray, right: np.ndarray, lower: bool) -> np.ndarray:
    """The solution of triangular systems row by row, in all lanes at once.

    BLAS takes a call for each lane, and for many right sides several threads, however small the matrix is.
    """
    solution = np.empty(np.broadcast_shapes(factors.shape[:-2], right.shape[:-2]) + right.shape[-2:], right.dtype)
    size = factors.shape[-1]
    with np.errstate(all="ignore"):
        for row in range(size) if lower else reversed(range(size)):
            known = slice(0, row) if lower else slice(row + 1, size)
            own = factors[..., row : row + 1, known] @ solution[..., known, :]
            np.subtract(right[..., row : row + 1, :], own, out=own)
            np.divide(own, factors[..., row : row + 1, row : row + 1], out=solution[..., row : row + 1, :])
    return solution


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
    whole = len(kept) == len(row)
    place = (kept if numbers is None else numbers[kept]), row[kept]

    def put_in_place(table: Any, value: Any) -> Any:
        table[place] = value if whole else value[kept]
        return table

    return jax.tree_util.tree_map(put_in_place, tables, values)


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


@jit_unless_numpy()
def nan_like(tree: Any) -> Any:
    """A tree of NaN with the shapes of another."""
    xp = namespace(tree)
    return jax.tree_util.tree_map(lambda leaf: xp.full_like(leaf, xp.nan), tree)


def fori_loop(count: int, body: Callable[[Any, _Tree], _Tree], start: _Tree) -> _Tree:
    """`body(number, carry)` for every number below `count`, one after the other, from `start`."""
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


def add_identity(matrices: Any) -> Any:
    """A square matrix, or each of a stack of them, plus the identity."""
    xp = namespace(matrices)
    return matrices + xp.broadcast_to(xp.eye(matrices.shape[-1], dtype=matrices.dtype), matrices.shape)


def beside(own: Any, vectors: Any) -> Any:
    """A vector of each lane, with the axis that `vectors` have besides if there are several of them for each lane."""
    return own if vectors.ndim == own.ndim else own[..., None, :]


def matrix_product(matrices: Any, vectors: Any) -> Any:
    """The products of a matrix, or of each of a stack of them, with its vector or with several of its own.

    Args:
        matrices: Of shape `*batch m n`.
        vectors: Of shape `*batch n`, or `*batch vector n`.

    Returns:
        Of shape `*batch m`, or `*batch vector m`.
    """
    xp = namespace(matrices, vectors)
    if vectors.ndim < matrices.ndim:
        return xp.matmul(matrices, vectors[..., None])[..., 0]
    return xp.matmul(vectors, xp.swapaxes(matrices, -1, -2))


def triangular_quotient(factors: Any, vectors: Any) -> Any:
    """The vectors that lower triangular matrices times them are the given ones; shapes as of `matrix_product`."""
    if vectors.ndim < factors.ndim:
        return solve_triangular(factors, vectors[..., None], lower=True)[..., 0]
    xp = namespace(factors, vectors)
    if xp is np and factors.shape[-1] <= MOST_BY_ROWS:
        # Of a small matrix the inverse costs little, and one product takes all right sides.
        identity = np.broadcast_to(np.eye(factors.shape[-1], dtype=factors.dtype), factors.shape)
        return matrix_product(_substituted(factors, identity, lower=True), vectors)
    return xp.swapaxes(solve_triangular(factors, xp.swapaxes(vectors, -1, -2), lower=True), -1, -2)


def factorize(function: Callable[[Any], Any], matrices: Any) -> Any:
    """What a function of LAPACK gives of a matrix or of a stack of them; NaN where one is not finite.

    LAPACK may go round for ever on an infinite entry (its singular values do), called by NumPy or by JAX.
    """
    xp = namespace(matrices)
    finite = xp.all(xp.isfinite(matrices), axis=(-2, -1))
    parts = function(select(finite, matrices, xp.zeros_like(matrices)))
    return jax.tree_util.tree_map(lambda part: select(finite, part, xp.full_like(part, xp.nan)), parts)


def transposed(matrices: Any) -> Any:
    """The transpose of a matrix, or of each of a stack of them."""
    return namespace(matrices).swapaxes(matrices, -1, -2)


def diagonal_matrix(diagonals: Any) -> Any:
    """The matrix with a diagonal, or a stack of such matrices."""
    xp = namespace(diagonals)
    identity = xp.eye(diagonals.shape[-1], dtype=diagonals.dtype)
    return diagonals[..., None] * xp.broadcast_to(identity, (*diagonals.shape, diagonals.shape[-1]))
