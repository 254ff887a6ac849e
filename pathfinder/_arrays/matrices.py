"""Matrices and stacks of them, in NumPy or in JAX: products, factors, triangular systems."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular as _solve_triangular_compiled

from pathfinder._arrays.namespace import namespace, select, stacked_rows


MOST_BY_ROWS = 64  # rows of triangular matrices that the host takes one by one


def transposed(matrices: Any) -> Any:
    """The transpose of a matrix, or of each of a stack of them."""
    return namespace(matrices).swapaxes(matrices, -1, -2)


def diagonal_matrix(diagonals: Any) -> Any:
    """The matrix with a diagonal, or a stack of such matrices."""
    xp = namespace(diagonals)
    identity = xp.eye(diagonals.shape[-1], dtype=diagonals.dtype)
    return diagonals[..., None] * xp.broadcast_to(identity, (*diagonals.shape, diagonals.shape[-1]))


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


def factorize(function: Callable[[Any], Any], matrices: Any) -> Any:
    """What a function of LAPACK gives of a matrix or of a stack of them; NaN where one is not finite.

    LAPACK may go round for ever on an infinite entry (its singular values do), called by NumPy or by JAX. Where it does
    not converge, JAX gives NaN, and so does this where NumPy raises.
    """
    xp = namespace(matrices)
    finite = xp.all(xp.isfinite(matrices), axis=(-2, -1))
    try:
        parts = function(select(finite, matrices, xp.zeros_like(matrices)))
    except np.linalg.LinAlgError:
        if matrices.ndim > 2:
            each = [factorize(function, matrix) for matrix in matrices]
            return stacked_rows(each)
        finite, parts = np.zeros((), bool), function(np.zeros_like(matrices))
    return jax.tree_util.tree_map(lambda part: select(finite, part, xp.full_like(part, xp.nan)), parts)


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
