"""Coordinates from the states of chains: their moments, shrinkage where they are few, and what is no normal."""

import numpy as np

from pathfinder._chains.whitening import whitening_of
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._refinement.refine import DENSE_LIMIT
from tests.pathfinder.chains import targets


def states(covariance, iterations, chains, seed=0):
    root = np.linalg.cholesky(covariance)
    return targets.MEAN + np.random.default_rng(seed).normal(size=(iterations, chains, 3)) @ root.T


def test_moments_of_many_states_are_those_of_the_target():
    found = whitening_of(states(targets.COVARIANCE, 50, 400), np.zeros(400, int), targets.standard(3))
    np.testing.assert_allclose(found.mean, targets.MEAN, atol=0.1)
    np.testing.assert_allclose(found.to_dense(), targets.COVARIANCE, atol=0.1)


def test_few_states_keep_their_scales_and_lose_correlation():
    points = states(targets.COVARIANCE, 2, 3)
    found = whitening_of(points, np.zeros(3, int), targets.standard(3))
    flat = points.reshape(-1, 3)
    np.testing.assert_allclose(found.variance, flat.var(axis=0))
    correlation = found.to_dense() / np.sqrt(np.outer(found.variance, found.variance))
    # Three chains count as as many draws as there are dimensions: half of the correlation stays.
    np.testing.assert_allclose(correlation[0, 1], 0.5 * np.corrcoef(flat.T)[0, 1])


def test_what_lies_between_modes_does_not_count():
    points = states(targets.COVARIANCE, 50, 400)
    modes = np.arange(400) % 2
    points[:, modes == 1] += 1000.0
    found = whitening_of(points, modes, targets.standard(3))
    np.testing.assert_allclose(found.to_dense(), targets.COVARIANCE, atol=0.1)
    np.testing.assert_allclose(found.mean, targets.MEAN + 500.0, atol=0.1)


def test_beyond_the_dense_limit_scales_alone_are_new():
    dim = DENSE_LIMIT + 1
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.normal(size=(dim, 2)))
    present = LowRankNormal(np.zeros(dim), np.ones(dim), basis, np.diag([3.0, 0.5]))
    wanted = np.exp(rng.normal(size=dim))
    points = 5.0 + wanted * rng.normal(size=(40, 200, dim))
    found = whitening_of(points, np.zeros(200, int), present)
    np.testing.assert_allclose(np.sqrt(found.variance), wanted, rtol=0.05)
    np.testing.assert_allclose(found.mean, 5.0, atol=0.5)
    np.testing.assert_array_equal(found.core, present.core)


def test_chains_that_stand_still_leave_the_coordinates():
    present = targets.standard(3)
    assert whitening_of(np.ones((5, 10, 3)), np.zeros(10, int), present) is present
    far = np.full((5, 10, 3), 1e300)
    far[0] = -1e300
    assert whitening_of(far, np.zeros(10, int), present) is present
