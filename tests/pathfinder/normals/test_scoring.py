import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._arrays.streams import Stream, counted_keys, path_keys
from pathfinder._density.compiled import CompiledDensity
from pathfinder._normals.elbo import estimate_elbo
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.scoring import draw_lanes, score_lanes
from tests import problems


SEED = jnp.asarray([0, 1], jnp.uint32)
TARGET = problems.normal([0.5, -1.0, 0.0], [[1.0, 0.5, 0.0], [0.5, 2.0, 0.1], [0.0, 0.1, 0.3]])


def keys(num_draws, path=0):
    lane = path_keys(SEED, np.array([path]), Stream.ELBO)[0]
    return counted_keys(lane, np.arange(num_draws))


def normal_with(mean, covariance):
    core = jnp.linalg.cholesky(jnp.asarray(covariance))
    return LowRankNormal(jnp.asarray(mean), jnp.ones(len(mean)), None, core)


@pytest.fixture(scope="module")
def scored():
    """Many draws from a wrong normal, scored against the target."""
    proposal = normal_with([0.0, 0.0, 0.2], np.diag([0.5, 1.5, 0.4]))
    return proposal, one_lane(proposal, keys(20_000), TARGET.log_density)


def one_lane(proposal, draw_keys, log_density):
    """The scored draws of a single approximation."""
    lane = jax.tree.map(lambda leaf: leaf[None], proposal)
    density = CompiledDensity(lambda x, data: log_density(x), proposal.dim, np.float64)
    scored = score_lanes(draw_lanes(lane, draw_keys[None]), np.zeros(1, np.int64), density)
    return jax.tree.map(lambda leaf: leaf[0], scored)


def exact_elbo(proposal):
    """Minus the Kullback-Leibler divergence between two normals."""
    covariance = np.asarray(proposal.to_dense())
    precision = np.linalg.inv(TARGET.covariance)
    shift = np.asarray(proposal.mean) - TARGET.mean
    trace = np.trace(precision @ covariance) + shift @ precision @ shift - 3
    return -0.5 * (trace + np.linalg.slogdet(TARGET.covariance)[1] - np.linalg.slogdet(covariance)[1])


def test_elbo_of_a_normal_against_a_normal(scored):
    proposal, draws = scored
    estimate = estimate_elbo(draws.log_p, draws.log_q)
    assert abs(estimate.mean - exact_elbo(proposal)) < 4 * estimate.standard_error
    assert estimate.num_finite == 20_000


def test_standard_error_is_the_spread_of_the_estimates(scored):
    _, draws = scored
    estimates = estimate_elbo(draws.log_p.reshape(800, 25), draws.log_q.reshape(800, 25))
    spread = np.std(estimates.mean)
    np.testing.assert_allclose(np.sqrt(np.mean(estimates.standard_error**2)), spread, rtol=4 / np.sqrt(2 * 800))
    ratios = np.asarray(draws.log_p - draws.log_q).reshape(800, 25)[0]
    np.testing.assert_allclose(estimates.standard_error[0], np.std(ratios, ddof=1) / 5, rtol=1e-12)


def test_densities_belong_to_the_draws(scored):
    proposal, draws = scored
    np.testing.assert_allclose(draws.log_p, jax.vmap(TARGET.log_density)(draws.draws), rtol=1e-12)
    np.testing.assert_allclose(draws.log_q, jax.vmap(proposal.log_density)(draws.draws), rtol=1e-10)
    standardized = (np.asarray(draws.draws) - np.asarray(proposal.mean)) / np.sqrt(proposal.variance)
    assert np.all(np.abs(standardized.mean(axis=0)) < 4 / np.sqrt(20_000))


@pytest.mark.parametrize("value", [-np.inf, np.nan, np.inf])
def test_draws_outside_the_support_cost_the_log_of_their_share(value):
    rng = np.random.default_rng(0)
    log_p, log_q = rng.standard_normal((2, 40))
    outside = np.arange(40) % 2 == 0
    estimate = estimate_elbo(np.where(outside, value, log_p), log_q)
    expected = np.mean((log_p - log_q)[~outside]) + np.log(1 / 2)
    np.testing.assert_allclose(estimate.mean, expected, rtol=1e-12)
    assert estimate.num_finite == 20


def test_half_normal_target_lowers_the_elbo_by_log_two():
    """The standard normal truncated to one half, unnormalized, against the standard normal: log(1/2)."""
    proposal = normal_with([0.0, -1.0, 0.0], TARGET.covariance)
    shifted = problems.normal([0.0, -1.0, 0.0], TARGET.covariance)
    draws = one_lane(proposal, keys(20_000), lambda x: jnp.where(x[0] > 0, shifted.log_density(x), jnp.nan))
    estimate = estimate_elbo(draws.log_p, draws.log_q)
    np.testing.assert_allclose(estimate.mean, np.log(0.5), atol=4 / np.sqrt(20_000))


def test_no_finite_draw_is_the_worst_elbo():
    estimate = estimate_elbo(np.array([[np.nan, -np.inf], [0.0, np.nan]]), np.zeros((2, 2)))
    np.testing.assert_array_equal(estimate.mean, [-np.inf, np.log(0.5)])
    assert np.all(np.isnan(estimate.standard_error))
    np.testing.assert_array_equal(estimate.num_finite, [0, 1])


def test_non_finite_density_of_the_approximation_counts_like_one_of_the_target():
    estimate = estimate_elbo(np.zeros(4), np.array([0.0, np.nan, np.inf, -np.inf]))
    assert estimate.num_finite == 1
    np.testing.assert_allclose(estimate.mean, np.log(0.25))


def lanes_of(dim, num_lanes, rank=2):
    """Different low-rank normals, one per lane."""
    rng = np.random.default_rng(dim)
    bases = np.stack([np.linalg.qr(rng.standard_normal((dim, rank)))[0] for _ in range(num_lanes)])
    cores = np.tril(rng.standard_normal((num_lanes, rank, rank))) + 3 * np.eye(rank)
    fields = (rng.standard_normal((num_lanes, dim)), rng.uniform(0.5, 2, (num_lanes, dim)), bases, cores)
    return LowRankNormal(*map(jnp.asarray, fields))


def lane_keys(num_lanes, num_draws):
    return jnp.stack([keys(num_draws, path) for path in range(num_lanes)])


def scores_of(approximations, lanes):
    density = CompiledDensity(quartic, approximations.mean.shape[-1], approximations.mean.dtype)
    return score_lanes(draw_lanes(approximations, lanes), np.zeros(len(lanes), np.int64), density)


def quartic(x, data):
    return -0.25 * jnp.sum(x**4)


def test_draws_can_be_made_again_without_the_model():
    approximations, lanes = lanes_of(7, 4), lane_keys(4, 9)
    scored = scores_of(approximations, lanes)
    draws, log_q = draw_lanes(approximations, lanes)
    np.testing.assert_array_equal(draws, scored.draws)
    np.testing.assert_array_equal(log_q, scored.log_q)


def test_result_of_a_lane_does_not_depend_on_its_batch():
    approximations, lanes = lanes_of(7, 4), lane_keys(4, 9)
    scored = scores_of(approximations, lanes)
    order = np.array([2, 2, 0, 3])
    shuffled = scores_of(jax.tree.map(lambda leaf: leaf[order], approximations), lanes[order])
    for one, other in zip(shuffled, scored, strict=True):
        np.testing.assert_array_equal(one, np.asarray(other)[order])


def test_lanes_take_the_data_of_their_fit():
    approximations, lanes = lanes_of(3, 4), lane_keys(4, 5)

    def shifted(x, data):
        return quartic(x, None) + data["shift"]

    density = CompiledDensity(shifted, 3, np.float64, {"shift": jnp.array([10.0, 20.0, 30.0])}, 3)
    scored = score_lanes(draw_lanes(approximations, lanes), np.array([1, 0, 1, 2]), density)
    plain = scores_of(approximations, lanes)
    shift = np.asarray(scored.log_p - plain.log_p)
    np.testing.assert_allclose(shift, np.array([20.0, 10.0, 20.0, 30.0])[:, None] * np.ones((1, 5)), rtol=1e-9)


def test_single_precision_draws():
    approximations = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), lanes_of(7, 4))
    scored = scores_of(approximations, lane_keys(4, 9))
    assert {leaf.dtype for leaf in scored} == {jnp.dtype(jnp.float32)}
