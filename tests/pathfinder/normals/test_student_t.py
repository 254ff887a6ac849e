"""Student's t distributions beside normals, on the host and compiled."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from pathfinder._arrays.namespace import rows
from pathfinder._arrays.streams import draw_keys
from pathfinder._importance.component_draws import log_densities_under
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.scoring import draw_lanes
from pathfinder._normals.student_t import NormalOrT


DIM = 3
IS_T = np.array([True, False, True])
BOTH = pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])


def lanes(xp=np, dtype=np.float64):
    """A t, a normal and another t."""
    rng = np.random.default_rng(5)
    core = 0.3 * np.tril(rng.standard_normal((3, DIM, DIM))) + np.eye(DIM)
    normal = LowRankNormal(rng.standard_normal((3, DIM)), rng.uniform(0.5, 2.0, (3, DIM)), None, core)
    normal = jax.tree.map(lambda leaf: xp.asarray(leaf, dtype), normal)
    return NormalOrT(normal, xp.asarray(IS_T))


def keys(count):
    return draw_keys(np.array([[0, 1], [0, 2], [0, 3]], np.uint32), count)


@BOTH
def test_densities_are_those_of_scipy(xp):
    own = lanes(xp)
    points = np.random.default_rng(0).standard_t(2, (3, 50, DIM)) * 3
    found = log_densities_under(own, xp.asarray(points))
    single = log_densities_under(own, xp.asarray(points[:, :1]))
    for lane, is_t in enumerate(IS_T):
        mean, shape = own.mean[lane], rows(own.normal, lane).to_dense()
        exact = scipy.stats.multivariate_t(mean, shape, df=4) if is_t else scipy.stats.multivariate_normal(mean, shape)
        np.testing.assert_allclose(found[lane], exact.logpdf(points[lane]), rtol=1e-10)
        np.testing.assert_allclose(rows(own, lane).log_density(xp.asarray(points[lane, 7])), found[lane, 7], rtol=1e-10)
    np.testing.assert_allclose(single, found[:, :1], rtol=1e-12)


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws_have_the_distribution_and_its_density(xp, dtype):
    own, count = lanes(xp, dtype), 20_000
    draws, log_q = draw_lanes(own, xp.asarray(keys(count)))
    assert draws.dtype == log_q.dtype == dtype
    assert np.isfinite(draws).all()
    np.testing.assert_allclose(log_q, log_densities_under(own, draws), rtol=1e-10 if dtype == np.float64 else 2e-4)
    for lane, is_t in enumerate(IS_T):
        noise = np.asarray(rows(own.normal, lane).noise(draws[lane]), float)
        exact = scipy.stats.t(4) if is_t else scipy.stats.norm()
        for coordinate in noise.T:
            assert scipy.stats.kstest(coordinate, exact.cdf).pvalue > 0.001
        # All coordinates of a draw are as far out as its chi-square number says.
        squares = np.sum(noise**2, axis=1)
        exact = scipy.stats.f(DIM, 4) if is_t else scipy.stats.chi2(DIM)
        assert scipy.stats.kstest(squares / DIM if is_t else squares, exact.cdf).pvalue > 0.001


def test_lanes_that_are_normal_are_so_to_the_bit():
    own = lanes()
    draws, log_q = draw_lanes(own, keys(30))
    expected, expected_log_q = draw_lanes(own.normal, keys(30))
    np.testing.assert_array_equal(draws[1], expected[1])
    np.testing.assert_array_equal(log_q[1], expected_log_q[1])
    assert (draws[0] != expected[0]).all()
    for found, normals in ((own, own.normal), (dataclasses.replace(own, is_t=np.zeros(3, bool)), own.normal)):
        lane = slice(1, 2)
        np.testing.assert_array_equal(
            log_densities_under(rows(found, lane), draws[lane]), log_densities_under(rows(normals, lane), draws[lane])
        )


def test_draws_of_both_drivers_agree_and_need_no_neighbours():
    host, log_q = draw_lanes(lanes(), keys(40))
    compiled, compiled_log_q = draw_lanes(lanes(jnp), jnp.asarray(keys(40)))
    np.testing.assert_allclose(host, compiled, rtol=1e-10)
    np.testing.assert_allclose(log_q, compiled_log_q, rtol=1e-10)
    for lane in range(3):
        alone, _ = draw_lanes(rows(lanes(), slice(lane, lane + 1)), keys(40)[lane : lane + 1, 30:])
        np.testing.assert_array_equal(alone[0], host[lane, 30:])
