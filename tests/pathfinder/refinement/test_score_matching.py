"""Batch and match against its defining equation, closed forms and fixed points."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._arrays.namespace import jit_unless_numpy, rows
from pathfinder._refinement.score_matching import match_scores, usable_draws


matched = jit_unless_numpy()(match_scores)
both = pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])


def batch(num_draws, dim, seed=0):
    return np.random.default_rng(seed).normal(size=(num_draws, dim))


def everything(noise):
    return np.ones(len(noise), bool)


@pytest.mark.parametrize(("num_draws", "dim"), [(40, 3), (7, 7), (5, 12)])
def test_a_normal_that_is_right_stays(num_draws, dim):
    noise = batch(num_draws, dim)
    match = matched(noise, -noise, everything(noise), np.float64(1e3))
    np.testing.assert_allclose(match.mean, 0.0, atol=1e-10)
    np.testing.assert_allclose(match.factor, np.eye(dim), atol=1e-10)
    np.testing.assert_allclose([match.divergence, match.log_change], 0.0, atol=1e-10)


def test_large_weights_find_a_normal_target():
    noise = batch(30, 4, 1)
    root = np.tril(batch(4, 4, 2)) + 3 * np.eye(4)
    covariance, mean = root @ root.T, np.array([5.0, -3.0, 0.0, 40.0])
    scores = -np.linalg.solve(covariance, (noise - mean).T).T
    match = matched(noise, scores, everything(noise), np.float64(1e8))
    np.testing.assert_allclose(match.factor @ match.factor.T, covariance, rtol=1e-3)
    np.testing.assert_allclose(match.mean, mean, atol=1e-2)


@both
@pytest.mark.parametrize(("num_draws", "dim"), [(30, 4), (128, 60), (8, 12)])
def test_a_mean_that_is_far_off_is_moved_in_one_step(num_draws, dim, xp):
    noise, far = batch(num_draws, dim), 10.0 * np.sign(batch(1, dim, 1)[0])
    scores = -(noise - far)
    moved, creeping = (
        matched(xp.asarray(noise), scores, everything(noise), np.float64(10 * num_draws), may_move=np.array(may))
        for may in (True, False)
    )
    # As far as a batch may count.
    np.testing.assert_allclose(moved.mean, far, rtol=2 / num_draws)
    np.testing.assert_allclose(moved.factor @ moved.factor.T, np.eye(dim), atol=0.02)
    assert moved.log_change == np.inf
    assert np.abs(creeping.mean - far).max() > 1


def test_scores_that_differ_more_than_their_mean_are_of_a_metric_that_is_wrong():
    noise = batch(30, 4, 1)
    scores = -100.0 * (noise - 0.1)
    both_ways = [
        matched(noise, scores, everything(noise), np.float64(300.0), may_move=np.array(may)) for may in (True, False)
    ]
    for one, other in zip(*both_ways, strict=True):
        np.testing.assert_array_equal(one, other)


@both
@pytest.mark.parametrize("weight", [0.3, 5.0, 400.0])
@pytest.mark.parametrize(("num_draws", "dim"), [(20, 3), (4, 9)])
def test_solves_the_equation_of_the_paper(num_draws, dim, weight, xp):
    noise, scores = batch(num_draws, dim, 3), batch(num_draws, dim, 4) * 2 + 1
    match = matched(xp.asarray(noise), scores, everything(noise), np.float64(weight))
    assert all(isinstance(part, jax.Array) == (xp is jnp) for part in match)
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
    match = matched(noise, scores, everything(noise), np.float64(100.0))
    np.testing.assert_allclose((match.factor @ match.factor.T)[4], [0, 0, 0, 0, 1], atol=1e-12)
    assert match.mean[4] == 0


def test_unusable_draws_count_for_nothing():
    noise, scores = batch(12, 3, 7), batch(12, 3, 8)
    usable = everything(noise)
    usable[[0, 5]] = False
    spoilt = np.where(usable[:, None], scores, np.nan)
    match = matched(noise, spoilt, usable, np.float64(9.0))
    alone = matched(noise[usable], scores[usable], usable[usable], np.float64(9.0))
    for field, expected in zip(match, alone, strict=True):
        np.testing.assert_allclose(field, expected, rtol=1e-10)


@both
def test_without_usable_draws_the_normal_shrinks(xp):
    noise = batch(8, 3)
    match = matched(xp.asarray(noise), np.full((8, 3), np.nan), np.arange(8) == 2, np.float64(9.0))
    np.testing.assert_array_equal(match.factor, 0.5 * np.eye(3))
    np.testing.assert_array_equal(match.mean, 0.0)
    assert match.divergence == np.inf


@both
def test_scores_of_any_size_leave_a_positive_definite_covariance(xp):
    noise = batch(10, 4, 9)
    for size in (1e-100, 1e-8, 1e8, 1e60):
        match = matched(xp.asarray(noise), size * batch(10, 4, 10), everything(noise), np.float64(320.0))
        assert np.all(np.isfinite(match.factor))
        assert np.all(np.diag(match.factor) > 0)


@both
def test_scores_without_bounds_give_no_number(xp):
    noise = batch(10, 4, 9)
    scores = np.full((10, 4), np.inf)
    match = matched(xp.asarray(noise), scores, everything(noise), np.float64(320.0))
    assert not np.any(np.isfinite(match.factor[np.tril_indices(4)]))
    assert not np.isfinite(match.log_change)


def test_lanes_are_matched_one_by_one():
    noise, scores, weights = batch(24, 3).reshape(3, 8, 3), 2 * batch(24, 3, 1).reshape(3, 8, 3), [3.0, 100.0, 9.0]
    usable = np.arange(24).reshape(3, 8) % 5 > 0
    usable[1] = False
    lanes = noise, scores, usable, np.array(weights)
    together = matched(*lanes)
    for lane in range(3):
        for ours, alone in zip(rows(together, lane), matched(*rows(lanes, lane)), strict=True):
            np.testing.assert_array_equal(ours, alone)
    compiled = jax.jit(jax.vmap(match_scores))(*lanes)
    for ours, theirs in zip(together, compiled, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_single_precision_stays_single():
    noise = batch(10, 4).astype(np.float32)
    match = matched(noise, -2 * noise, everything(noise), 9.0)
    assert {part.dtype for part in match} == {np.dtype(np.float32)}


@both
def test_which_draws_are_usable(xp):
    log_p = np.array([0.0, np.nan, -np.inf, 1.0, 1.0])
    gradients = np.array([[1.0], [1.0], [1.0], [np.inf], [1e200]])
    usable = jit_unless_numpy()(usable_draws)(xp.asarray(log_p), gradients)
    np.testing.assert_array_equal(usable, [True, False, False, False, False])
