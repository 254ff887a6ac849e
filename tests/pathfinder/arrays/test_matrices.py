"""Matrices in NumPy and in JAX: what the two spell differently gives the same."""

import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._arrays.matrices import (
    MOST_BY_ROWS,
    add_identity,
    beside,
    cholesky,
    diagonal_matrix,
    factorize,
    matrix_product,
    solve_triangular,
    transposed,
    triangular_quotient,
)


@pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])
def test_cholesky_of_what_is_not_positive_definite_is_nan(xp):
    good = np.array([[4.0, 2.0], [2.0, 3.0]])
    factors = np.asarray(cholesky(xp.asarray(np.stack([good, -good]))))
    np.testing.assert_allclose(factors[0] @ factors[0].T, good, rtol=1e-15)
    assert np.isnan(np.tril(factors[1])[np.tril_indices(2)]).all()
    assert np.isnan(np.asarray(cholesky(xp.asarray(-good)))[0, 0])


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])
def test_matrices_that_are_not_finite_have_no_factors(xp, bad):
    """LAPACK alone never ends in the singular values of the second one, if `bad` is infinite."""
    matrices = xp.asarray(np.stack([np.diag([4.0, 9.0]), np.diag([1.0, bad])]))
    values, vectors = factorize(xp.linalg.eigh, matrices)
    np.testing.assert_allclose(values, [[4, 9], [np.nan, np.nan]])
    np.testing.assert_allclose(np.abs(vectors[0]), np.eye(2))
    assert np.isnan(vectors[1]).all()
    for matrix, found in ((matrices[0], [9, 4]), (matrices[1], [np.nan, np.nan])):
        np.testing.assert_allclose(factorize(xp.linalg.svd, matrix)[1], found)


def test_factors_that_do_not_converge_are_nan():
    """Those of NumPy: it raises an error where JAX gives NaN."""

    def eigenvalues(matrices):
        if np.any(matrices[..., 0, 0] == 13.0):
            raise np.linalg.LinAlgError("Eigenvalues did not converge")
        return np.linalg.eigh(matrices)

    matrices = np.stack([np.diag([4.0, 9.0]), np.diag([13.0, 1.0]), np.diag([np.nan, 1.0])])
    values, vectors = factorize(eigenvalues, matrices)
    np.testing.assert_array_equal(values, [[4, 9], [np.nan, np.nan], [np.nan, np.nan]])
    np.testing.assert_allclose(np.abs(vectors[0]), np.eye(2))
    assert np.isnan(vectors[1:]).all()
    np.testing.assert_array_equal(factorize(eigenvalues, matrices[1])[0], [np.nan, np.nan])


@pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])
def test_diagonals_and_transposes_of_stacks(xp):
    diagonals = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(diagonal_matrix(diagonals), [np.diag([1.0, 2.0]), np.diag([3.0, 4.0])])
    matrices = xp.asarray(np.arange(12.0).reshape(2, 3, 2))
    np.testing.assert_array_equal(transposed(matrices), [np.asarray(matrix).T for matrix in matrices])


@pytest.mark.parametrize("size", [4, MOST_BY_ROWS + 1])
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])
def test_triangular_systems(xp, lower, size):
    generator = np.random.default_rng(1)
    factors = generator.normal(size=(3, size, size)) + 4 * size * np.eye(size)
    factors = np.tril(factors) if lower else np.triu(factors)
    right = generator.normal(size=(3, size, 2))
    solution = np.asarray(solve_triangular(xp.asarray(factors), xp.asarray(right), lower=lower))
    np.testing.assert_allclose(factors @ solution, right, rtol=1e-12)
    one = solve_triangular(xp.asarray(factors[0]), xp.asarray(right[0]), lower=lower)
    np.testing.assert_allclose(one, solution[0], rtol=1e-12)
    # What the other triangle holds does not matter.
    filled = factors + (np.triu(np.full((size, size), 1e3), 1) if lower else np.tril(np.full((size, size), 1e3), -1))
    same = solve_triangular(xp.asarray(filled), xp.asarray(right), lower=lower)
    np.testing.assert_allclose(same, solution, rtol=1e-12)
    zero = solve_triangular(xp.asarray(np.diag([0.0, 1.0])), xp.asarray([[1.0], [2.0]]), lower=lower)
    assert np.isinf(np.asarray(zero)[0, 0])


@pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])
@pytest.mark.parametrize("lanes", [(), (3,), (2, 3)])
def test_matrices_with_one_vector_each_or_several(xp, lanes):
    generator = np.random.default_rng(2)
    matrices = generator.normal(size=(*lanes, 4, 5))
    factors = np.tril(matrices[..., :4]) + 4 * np.eye(4)
    several = generator.normal(size=(*lanes, 6, 5))
    products = matrix_product(xp.asarray(matrices), xp.asarray(several))
    np.testing.assert_allclose(products, np.einsum("...mn,...vn->...vm", matrices, several), rtol=1e-12, atol=1e-13)
    one = matrix_product(xp.asarray(matrices), xp.asarray(several[..., 0, :]))
    np.testing.assert_allclose(one, np.asarray(products)[..., 0, :], rtol=1e-12, atol=1e-13)
    quotients = triangular_quotient(xp.asarray(factors), products)
    back = matrix_product(xp.asarray(factors), quotients)
    np.testing.assert_allclose(back, products, rtol=1e-12, atol=1e-12)
    one = triangular_quotient(xp.asarray(factors), products[..., 0, :])
    np.testing.assert_allclose(one, np.asarray(quotients)[..., 0, :], rtol=1e-12, atol=1e-12)
    squares = add_identity(xp.asarray(factors))
    np.testing.assert_array_equal(squares, factors + np.eye(4))
    own = xp.asarray(several[..., 0, :])
    assert beside(own, own) is own
    np.testing.assert_array_equal(beside(own, several)[..., 0, :], own)
