"""Batch and match against its defining equation, closed forms and fixed points."""

import jax
import numpy as np
import pytest

from pathfinder._refinement.score_matching import match_scores, usable_draws


def batch(num_draws, dim, seed=0):
    return np.random.default_rng(seed).normal(size=(num_draws, dim))


def everything(noise):
    return np.ones(len(noise), bool)


@pytest.mark.parametrize(("num_draws", "dim"), [(40, 3), (7, 7), (5, 12)])
def test_a_normal_that_is_right_stays(num_draws, dim):
    noise = batch(num_draws, dim)
    match = match_scores(noise, -noise, everything(noise), np.float64(1e3))
    np.testing.assert_allclose(match.mean, 0.0, atol=1e-10)
    np.testing.assert_allclose(match.factor, np.eye(dim), atol=1e-10)
    np.testing.assert_allclose([match.divergence, match.log_change], 0.0, atol=1e-10)


def test_large_weights_find_a_normal_target():
    noise = batch(30, 4, 1)
    root = np.tril(batch(4, 4, 2)) + 3 * np.eye(4)
    covariance, mean = root @ root.T, np.array([5.0, -3.0, 0.0, 40.0])
    scores = -np.linalg.solve(covariance, (noise - mean).T).T
    match = match_scores(noise, scores, everything(noise), np.float64(1e8))
    np.testing.assert_allclose(match.factor @ match.factor.T, covariance, rtol=1e-3)
    np.testing.assert_allclose(match.mean, mean, atol=1e-2)


@pytest.mark.parametrize("weight", [0.3, 5.0, 400.0])
@pytest.mark.parametrize(("num_draws", "dim"), [(20, 3), (4, 9)])
def test_solves_the_equation_of_the_paper(num_draws, dim, weight):
    noise, scores = batch(num_draws, dim, 3), batch(num_draws, dim, 4) * 2 + 1
    match = match_scores(noise, scores, everything(noise), np.float64(weight))
    shrunk = weight / (1 + weight)
    mean_u, mean_v = noise.mean(axis=0), scores.mean(axis=0)
    u = weight * np.cov(scores.T, bias=True) + shrunk * np.outer(mean_v, mean_v)
    v = np.eye(dim) + weight * np.cov(noise.T, bias=True) + shrunk * np.outer(mean_u, mean_u)
    covariance = np.asarray(match.factor @ match.factor.T)
    np.testing.assert_allclose(covariance @ u @ covariance + covariance, v, rtol=1e-8, atol=1e-8 * np.abs(v).max())
    np.testing.assert_allclose(match.mean, shrunk * (covariance @ mean_v + mean_u), rtol=1e-10)
    largest = np.abs(np.log(np.linalg.eigvalsh(covariance))).max()
    np.testing.assert_allclose(match.log_change, largest, rtol=1e-8)
    np.testing.assert_allclose(match.divergence, np.mean((noise + scores) ** 2), rtol=1e-12)


def test_directions_without_draws_stay():
    noise, scores = batch(6, 5, 5), batch(6, 5, 6)
    noise[:, 4] = scores[:, 4] = 0.0
    match = match_scores(noise, scores, everything(noise), np.float64(100.0))
    np.testing.assert_allclose((match.factor @ match.factor.T)[4], [0, 0, 0, 0, 1], atol=1e-12)
    assert match.mean[4] == 0


def test_unusable_draws_count_for_nothing():
    noise, scores = batch(12, 3, 7), batch(12, 3, 8)
    usable = everything(noise)
    usable[[0, 5]] = False
    spoilt = np.where(usable[:, None], scores, np.nan)
    match = match_scores(noise, spoilt, usable, np.float64(9.0))
    alone = match_scores(noise[usable], scores[usable], usable[usable], np.float64(9.0))
    for field, expected in zip(match, alone, strict=True):
        np.testing.assert_allclose(field, expected, rtol=1e-10)


def test_without_usable_draws_the_normal_shrinks():
    noise = batch(8, 3)
    match = match_scores(noise, np.full((8, 3), np.nan), np.arange(8) == 2, np.float64(9.0))
    np.testing.assert_array_equal(match.factor, 0.5 * np.eye(3))
    np.testing.assert_array_equal(match.mean, 0.0)
    assert match.divergence == np.inf


def test_scores_of_any_size_leave_a_positive_definite_covariance():
    noise = batch(10, 4, 9)
    for size in (1e-100, 1e-8, 1e8, 1e60):
        match = jax.jit(match_scores)(noise, size * batch(10, 4, 10), everything(noise), np.float64(320.0))
        assert np.all(np.isfinite(match.factor))
        assert np.all(np.diag(match.factor) > 0)


def test_which_draws_are_usable():
    log_p = np.array([0.0, np.nan, -np.inf, 1.0, 1.0])
    gradients = np.array([[1.0], [1.0], [1.0], [np.inf], [1e200]])
    np.testing.assert_array_equal(usable_draws(log_p, gradients), [True, False, False, False, False])
