"""Linear algebra.

Source: Stan functions reference, "Matrix operations", "Sparse matrix operations" and "Complex matrix operations".
Signs of eigenvectors and singular vectors are arbitrary, in Stan too. A factorisation that does not exist is NaN on
traced values and an exception of NumPy's on data.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg
import numpy as np
import scipy.linalg

from pathfinder.gaussian._dense.cholesky import cholesky_factor
from pathfinder.gaussian._dense.quadratic import log_determinant
from pathfinder.gaussian._dense.spd import spd_inverse, spd_solve
from pathfinder.stan._library.functions.function import Function, both


def _column(b: Any) -> tuple[Any, bool]:
    """A right-hand side as a matrix, and whether it was a vector."""
    return (b[:, None], True) if b.ndim == 1 else (b, False)


def _solve_triangular(a: Any, b: Any) -> jax.Array:
    """`a^-1 b` of the lower triangle of `a`."""
    columns, single = _column(b)
    x = jax.scipy.linalg.solve_triangular(a, columns, lower=True)
    return x[:, 0] if single else x


def _right_triangular(b: Any, a: Any) -> jax.Array:
    """`b a^-1` of the lower triangle of `a`."""
    columns, single = _column(b.T)
    x = jax.scipy.linalg.solve_triangular(a, columns, lower=True, trans="T")
    return x[:, 0] if single else x.T


def _chol2inv(factor: Any) -> jax.Array:
    return jax.scipy.linalg.cho_solve((factor, True), jnp.eye(factor.shape[0], dtype=factor.dtype))


def _qr(xp: Any, mode: str) -> Any:
    """Factors with a nonnegative diagonal of R, as in Stan, which makes them unique."""

    def evaluate(a):
        q, r = xp.linalg.qr(a, mode=mode)
        sign = xp.where(xp.diagonal(r) < 0, -1.0, 1.0)
        full = xp.concatenate([sign, xp.ones(q.shape[1] - sign.shape[0], sign.dtype)])
        return q * full[None, :], r * full[:, None]

    return evaluate


def _part(build: Any, position: int) -> Any:
    """One element of the tuple that a function returns."""
    return lambda xp: lambda a: build(xp)(a)[position]


def _svd(xp: Any) -> Any:
    def evaluate(a):
        u, values, adjoint = xp.linalg.svd(a, full_matrices=False)
        return u, values, xp.conj(adjoint).T

    return evaluate


def _eigendecompose_sym(xp: Any) -> Any:
    def evaluate(a):
        values, vectors = xp.linalg.eigh(a)
        return vectors, values

    return evaluate


def _eigendecompose(xp: Any) -> Any:
    def evaluate(a):
        values, vectors = xp.linalg.eig(a + 0j)
        return vectors, values

    return evaluate


def _schur(a: Any) -> tuple[Any, Any]:
    triangular, unitary = jax.scipy.linalg.schur(a + 0j, output="complex")
    return unitary, triangular


def _schur_numpy(a: Any) -> tuple[Any, Any]:
    triangular, unitary, *_ = scipy.linalg.schur(a, output="complex")
    return unitary, triangular


def _matrix_power(xp: Any) -> Any:
    def evaluate(a, n):
        if n < 0:
            raise ValueError(f"The exponent of `matrix_power` must not be negative, got {n}.")
        return xp.linalg.matrix_power(a, n)

    return evaluate


def _symmetrize(xp: Any) -> Any:
    return lambda a: xp.tril(a) + xp.tril(a, -1).T


def _add_diag(xp: Any) -> Any:
    return lambda a, values: (
        a
        + xp.eye(*a.shape, dtype=a.dtype)
        * (values if xp.ndim(values) == 0 else xp.pad(values, (0, a.shape[1] - values.shape[0]))[None, :])
    )


def _quad_form(xp: Any) -> Any:
    return lambda a, b: b.T @ a @ b


def _quad_form_sym(xp: Any) -> Any:
    def evaluate(a, b):
        form = b.T @ a @ b
        return 0.5 * (form + form.T)

    return evaluate


def _trace_quad_form(xp: Any) -> Any:
    return lambda a, b: xp.sum(b * (a @ b))


def _self_product(xp: Any) -> Any:
    def evaluate(a):
        lower = xp.tril(a)
        return lower @ lower.T

    return evaluate


def _rows_of(starts: Any, number: int) -> Any:
    """Row of each stored element, from the starts of the rows in compressed form."""
    xp = np if isinstance(starts, np.ndarray) else jnp
    return xp.searchsorted(starts - 1, xp.arange(number), side="right") - 1


def _csr_times_vector(rows: int, cols: int, w: Any, v: Any, u: Any, b: Any) -> jax.Array:
    return jnp.zeros(rows, jnp.result_type(w, b)).at[_rows_of(u, w.shape[0])].add(w * jnp.asarray(b)[v - 1])


def _csr_times_vector_numpy(rows: int, cols: int, w: Any, v: Any, u: Any, b: Any) -> Any:
    return np.bincount(_rows_of(u, w.shape[0]), w * b[v - 1], rows)


def _csr_to_dense(rows: int, cols: int, w: Any, v: Any, u: Any) -> jax.Array:
    w = jnp.asarray(w)
    return jnp.zeros((rows, cols), w.dtype).at[_rows_of(u, w.shape[0]), v - 1].set(w)


def _csr_pattern(a: Any) -> tuple[np.ndarray, ...]:
    """Rows and columns of what is stored: where the matrix is not zero, which must not depend on parameters.

    Raises:
        ValueError: If it does.
    """
    try:
        return np.nonzero(np.asarray(a))
    except jax.errors.TracerArrayConversionError:
        raise ValueError("`csr_extract` needs a matrix that does not depend on parameters.") from None


def _csr_u(a: Any) -> np.ndarray:
    rows = _csr_pattern(a)[0]
    return 1 + np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=a.shape[0]))])


def _csr_v(a: Any) -> np.ndarray:
    return _csr_pattern(a)[1] + 1


def _csr_w(a: Any) -> Any:
    return a[_csr_pattern(a)]


def _csr_extract(a: Any) -> tuple[Any, Any, Any]:
    return _csr_w(a), _csr_v(a), _csr_u(a)


def _data(evaluate: Any) -> Function:
    return Function(evaluate, numpy=evaluate)


LINEAR_ALGEBRA: dict[str, Function] = {
    "identity_matrix": both(lambda xp: xp.eye, static=(0,)),
    "diag_matrix": both(lambda xp: lambda v: xp.eye(v.shape[0], dtype=v.dtype) * v[None, :]),
    "diagonal": both(lambda xp: xp.diagonal),
    "add_diag": both(_add_diag),
    "diag_pre_multiply": both(lambda xp: lambda v, a: v[:, None] * a),
    "diag_post_multiply": both(lambda xp: lambda a, v: a * v[None, :]),
    "symmetrize_from_lower_tri": both(_symmetrize),
    "trace": both(lambda xp: xp.trace),
    "crossprod": both(lambda xp: lambda a: a.T @ a),
    "tcrossprod": both(lambda xp: lambda a: a @ a.T),
    "multiply_lower_tri_self_transpose": both(_self_product),
    "quad_form": both(_quad_form),
    "quad_form_sym": both(_quad_form_sym),
    "quad_form_diag": both(lambda xp: lambda a, v: v[:, None] * a * v[None, :]),
    "trace_quad_form": both(_trace_quad_form),
    "trace_gen_quad_form": both(lambda xp: lambda d, a, b: xp.sum(d.T * (b.T @ a @ b))),
    "cholesky_decompose": Function(cholesky_factor, numpy=np.linalg.cholesky),
    "inverse": both(lambda xp: xp.linalg.inv),
    "inverse_spd": Function(spd_inverse),
    "chol2inv": Function(_chol2inv),
    "generalized_inverse": both(lambda xp: xp.linalg.pinv),
    "determinant": both(lambda xp: xp.linalg.det),
    "log_determinant": both(lambda xp: lambda a: xp.linalg.slogdet(a)[1]),
    "log_determinant_spd": Function(log_determinant),
    "mdivide_left_spd": Function(spd_solve),
    "mdivide_left_tri_low": Function(_solve_triangular),
    "mdivide_right": both(lambda xp: lambda b, a: xp.linalg.solve(a.T, b.T).T),
    "mdivide_right_spd": Function(lambda b, a: spd_solve(a, b.T).T),
    "mdivide_right_tri_low": Function(_right_triangular),
    "eigenvalues_sym": both(lambda xp: xp.linalg.eigvalsh),
    "eigenvectors_sym": both(_part(_eigendecompose_sym, 0)),
    "eigendecompose_sym": both(_eigendecompose_sym),
    "eigenvalues": both(lambda xp: lambda a: xp.linalg.eigvals(a + 0j)),
    "eigenvectors": both(_part(_eigendecompose, 0)),
    "eigendecompose": both(_eigendecompose),
    "complex_schur_decompose": Function(_schur, numpy=_schur_numpy),
    "complex_schur_decompose_u": Function(lambda a: _schur(a)[0], numpy=lambda a: _schur_numpy(a)[0]),
    "complex_schur_decompose_t": Function(lambda a: _schur(a)[1], numpy=lambda a: _schur_numpy(a)[1]),
    "singular_values": both(lambda xp: lambda a: xp.linalg.svd(a, compute_uv=False)),
    "svd": both(_svd),
    "svd_U": both(_part(_svd, 0)),
    "svd_V": both(_part(_svd, 2)),
    "qr": both(lambda xp: _qr(xp, "complete")),
    "qr_Q": both(_part(lambda xp: _qr(xp, "complete"), 0)),
    "qr_R": both(_part(lambda xp: _qr(xp, "complete"), 1)),
    "qr_thin": both(lambda xp: _qr(xp, "reduced")),
    "qr_thin_Q": both(_part(lambda xp: _qr(xp, "reduced"), 0)),
    "qr_thin_R": both(_part(lambda xp: _qr(xp, "reduced"), 1)),
    "matrix_exp": Function(jax.scipy.linalg.expm, numpy=scipy.linalg.expm),
    "matrix_exp_multiply": Function(
        lambda a, b: jax.scipy.linalg.expm(a) @ b, numpy=lambda a, b: scipy.linalg.expm(a) @ b
    ),
    "scale_matrix_exp_multiply": Function(
        lambda t, a, b: jax.scipy.linalg.expm(t * a) @ b, numpy=lambda t, a, b: scipy.linalg.expm(t * a) @ b
    ),
    "matrix_power": both(_matrix_power, static=(1,)),
    "fft": both(lambda xp: xp.fft.fft),
    "inv_fft": both(lambda xp: xp.fft.ifft),
    "fft2": both(lambda xp: xp.fft.fft2),
    "inv_fft2": both(lambda xp: xp.fft.ifft2),
    "csr_extract": _data(_csr_extract),
    "csr_extract_w": _data(_csr_w),
    "csr_extract_v": _data(_csr_v),
    "csr_extract_u": _data(_csr_u),
    "csr_matrix_times_vector": Function(_csr_times_vector, numpy=_csr_times_vector_numpy, static=(0, 1)),
    "csr_to_dense_matrix": Function(_csr_to_dense, static=(0, 1)),
}
