"""Banded factors and precisions, against dense matrices."""

import numpy as np
import pytest

from pathfinder._refinement.banded.chain_factor import ChainFactor, Precision


def dense(band):
    size, width = band.shape
    matrix = np.zeros((size, size))
    for row in range(size):
        for offset in range(min(width, row + 1)):
            matrix[row, row - offset] = matrix[row - offset, row] = band[row, offset]
    return matrix


def random_band(size, width, rng, diagonal=4.0):
    band = rng.normal(size=(size, width + 1))
    band[:, 0] += diagonal + 2 * width
    return np.where(np.arange(width + 1) <= np.arange(size)[:, None], band, 0.0)


@pytest.mark.parametrize(("size", "width"), [(1, 0), (6, 0), (7, 1), (8, 3)])
def test_it_factorizes_and_solves(size, width):
    rng = np.random.default_rng(0)
    band, right = random_band(size, width, rng), rng.normal(size=(size, 3))
    factor, matrix = ChainFactor(band), dense(band)
    assert 2 * factor.log_det == pytest.approx(np.linalg.slogdet(matrix)[1])
    np.testing.assert_allclose(factor.solve(right), np.linalg.solve(matrix, right), rtol=1e-10)
    np.testing.assert_allclose(factor.solve(right[:, 0]), np.linalg.solve(matrix, right[:, 0]), rtol=1e-10)
    lower = np.linalg.cholesky(matrix)
    np.testing.assert_allclose(factor.solve_lower(right), np.linalg.solve(lower, right), rtol=1e-10)
    np.testing.assert_allclose(factor.solve_upper(right), np.linalg.solve(lower.T, right), rtol=1e-10)


@pytest.mark.parametrize("width", [0, 1, 3])
def test_pivots_that_are_not_positive_are_replaced_if_that_is_wanted(width):
    rng = np.random.default_rng(1)
    band = random_band(20, width, rng)
    band[[3, 11], 0] *= -1.0
    with pytest.raises(np.linalg.LinAlgError):
        ChainFactor(band)
    factor = ChainFactor(band, mends=True)
    assert factor.is_mended
    assert np.linalg.eigvalsh(dense(factor.band)).min() > 0
    np.testing.assert_array_equal(factor.band[:, 1:], band[:, 1:])
    assert np.all(factor.band[:, 0] >= band[:, 0])
    assert not ChainFactor(np.abs(band) + 20 * (np.arange(width + 1) == 0), mends=True).is_mended


def test_the_corner_over_a_schur_complement():
    rng = np.random.default_rng(2)
    band, border = random_band(6, 1, rng), rng.normal(size=(6, 2))
    wanted = np.array([[2.0, 0.3], [0.3, 1.0]])
    precision = Precision(band, border, np.zeros((2, 2))).with_corner_over(wanted, ChainFactor(band))
    found = precision.corner - border.T @ np.linalg.solve(dense(band), border)
    np.testing.assert_allclose(found, wanted, rtol=1e-10)
