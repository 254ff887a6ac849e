"""On the host, with lanes leading: each lane is what JAX makes of it alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from pathfinder._arrays.matrices import MOST_BY_ROWS
from pathfinder._arrays.namespace import jit_unless_numpy, rows
from pathfinder._arrays.streams import draw_keys
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._normals.diagonals import SecantSums, scalar_diagonal, secant_diagonal, update_secant_sums
from pathfinder._normals.inverse_hessian import (
    Pairs,
    has_curvature,
    inverse_hessian_normal,
    update_diagonal,
)
from pathfinder._normals.low_rank import LowRankNormal, dense_form
from pathfinder._normals.mixture import log_mixture_density
from pathfinder._normals.orthonormal import orthonormal_rows
from pathfinder._normals.scoring import draw_lanes


NUM_LANES = 3
ROUTES = pytest.mark.parametrize(("dim", "history"), [(4, 3), (11, 3)], ids=["dense", "low rank"])


def cases(dim, history, dtype=np.float64):
    """Points on random quadratics, one per lane, with the pairs of the path to them; some are not there yet."""
    rng = np.random.default_rng(dim)
    hessians = []
    for _ in range(NUM_LANES):
        rotation, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
        hessians.append(rotation * np.logspace(0, 2, dim) @ rotation.T)
    steps = rng.standard_normal((NUM_LANES, history, dim))
    steps[1, : history - 1] = 0.0
    position, gradient = rng.standard_normal((2, NUM_LANES, dim))
    diagonal = rng.uniform(0.3, 3.0, (NUM_LANES, dim))
    tree = position, gradient, Pairs(steps, steps @ np.stack(hessians)), diagonal
    return jax.tree.map(lambda leaf: leaf.astype(dtype), tree)


def lane_by_lane(function, *lanes):
    """What JAX makes of each lane."""
    lanes = jax.tree.map(jnp.asarray, lanes)
    compiled = jax.jit(function)
    each = [compiled(*rows(lanes, lane)) for lane in range(jax.tree.leaves(lanes)[0].shape[0])]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *each)


def assert_agrees(function, *lanes, rtol=1e-10, atol=1e-12):
    with np.errstate(all="ignore"):
        found = function(*lanes)
        one = function(*rows(lanes, slice(1, 2)))
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(found))
    expected = lane_by_lane(function, *lanes)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, strict=True), found, expected)
    # However many lanes there are, a lane is the same.
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b[1:2]), one, found)
    return found


@ROUTES
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_approximations(dim, history, dtype):
    lanes = cases(dim, history, dtype)
    tight = dtype == np.float64
    normals = assert_agrees(inverse_hessian_normal, *lanes, rtol=1e-9 if tight else 1e-2, atol=1e-10 if tight else 1e-4)
    assert {leaf.dtype for leaf in jax.tree.leaves(normals)} == {np.dtype(dtype)}
    if tight:
        alone = inverse_hessian_normal(*rows(lanes, 0))
        np.testing.assert_allclose(alone.core, normals.core[0], rtol=1e-14, atol=1e-14)


@ROUTES
@pytest.mark.parametrize("several", [False, True])
def test_vectors_of_normals(dim, history, several):
    normals = inverse_hessian_normal(*cases(dim, history))
    vectors = np.random.default_rng(1).standard_normal((NUM_LANES, 5, dim))
    if not several:
        vectors = vectors[:, 0]
    methods = ("transform", "noise_gradient", "log_density_of_noise", "log_density", "covariance_product")
    for name in methods:
        found = assert_agrees(lambda normal, own, name=name: getattr(normal, name)(own), normals, vectors)
        for lane in range(NUM_LANES):
            alone = getattr(rows(normals, lane), name)(vectors[lane])
            np.testing.assert_allclose(alone, found[lane], rtol=1e-12, atol=1e-13)
    # The transposed Jacobian of `transform`, whose rows are differences along the coordinates of the noise.
    identity = np.broadcast_to(np.eye(dim), (NUM_LANES, dim, dim))
    jacobians = normals.transform(identity) - normals.transform(0.0 * identity)
    expected = np.einsum("lij,l...j->l...i", jacobians, vectors)
    np.testing.assert_allclose(normals.noise_gradient(vectors), expected, rtol=1e-10, atol=1e-12)
    for name in ("log_det_cholesky", "variance"):
        assert_agrees(lambda normal, name=name: getattr(normal, name), normals)
    dense = assert_agrees(LowRankNormal.to_dense, normals)
    assert_agrees(lambda normal: dense_form(normal).core, normals)
    for lane in range(NUM_LANES):
        reference = multivariate_normal(normals.mean[lane], dense[lane])
        np.testing.assert_allclose(normals.log_density(vectors)[lane], reference.logpdf(vectors[lane]), rtol=1e-9)
        np.testing.assert_allclose(normals.variance[lane], np.diag(dense[lane]), rtol=1e-10)


@pytest.mark.parametrize("dim", [5, MOST_BY_ROWS + 1])
def test_log_densities_by_an_inverse_or_by_solving(dim):
    """Of an ill-conditioned normal, at its own draws, whose standardized form is known."""
    rng = np.random.default_rng(2)
    core = np.tril(rng.standard_normal((NUM_LANES, dim, dim))) / np.sqrt(dim) + 2 * np.eye(dim)
    core = core * np.logspace(0, -6, dim)[:, None]
    fields = rng.standard_normal((NUM_LANES, dim)), rng.uniform(0.5, 2.0, (NUM_LANES, dim))
    normals = LowRankNormal(*fields, None, core)
    noise = rng.standard_normal((NUM_LANES, 40, dim))
    expected = normals.log_density_of_noise(noise)
    np.testing.assert_allclose(normals.log_density(normals.transform(noise)), expected, rtol=1e-10)


def test_a_failed_factorization_spoils_only_its_lane():
    normals = inverse_hessian_normal(*cases(4, 3))
    normals.core[1] = np.nan
    noise = np.ones((NUM_LANES, 2, 4))
    for values in (normals.transform(noise), normals.log_density(noise), normals.log_density_of_noise(noise)):
        assert np.isnan(values[1]).all()
        assert np.isfinite(values[[0, 2]]).all()


def test_rows_become_orthonormal_in_every_lane():
    vectors = np.random.default_rng(3).standard_normal((NUM_LANES, 4, 20))
    vectors[1, 2] = 3.0 * vectors[1, 0] - vectors[1, 1]
    basis = assert_agrees(orthonormal_rows, vectors)
    np.testing.assert_allclose(basis @ basis.swapaxes(1, 2), [np.eye(4), np.diag([1, 1, 0, 1]), np.eye(4)], atol=1e-13)


def test_diagonals():
    position, _, pairs, diagonal = cases(6, 3)
    step, change = pairs.positions[:, -1], pairs.gradients[:, -1]
    assert_agrees(update_diagonal, diagonal, step, change)
    np.testing.assert_array_equal(
        has_curvature(step * np.array([[1.0], [-1.0], [np.nan]]), change), [True, False, False]
    )
    assert_agrees(scalar_diagonal, pairs)
    sums = SecantSums(diagonal, diagonal**2)
    sums = assert_agrees(update_secant_sums, sums, step * np.array([[1.0], [1e200], [1.0]]), change)
    np.testing.assert_array_equal(sums.positions[1], diagonal[1])
    zero = SecantSums(np.where(diagonal > 1, sums.positions, 0.0), sums.gradients)
    assert_agrees(secant_diagonal, zero, diagonal)


def lane_keys(num_draws):
    return draw_keys(np.arange(2 * NUM_LANES, dtype=np.uint32).reshape(NUM_LANES, 2), num_draws)


@ROUTES
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_draws(dim, history, dtype):
    normals = jax.tree.map(lambda leaf: leaf.astype(dtype), inverse_hessian_normal(*cases(dim, history)))
    draws, log_q = draw_lanes(normals, lane_keys(7))
    assert draws.dtype == log_q.dtype == dtype
    expected = draw_lanes(*jax.tree.map(jnp.asarray, (normals, lane_keys(7))))
    for found, other in zip((draws, log_q), expected, strict=True):
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(
            found, other, rtol=1e-10 if dtype == np.float64 else 1e-3, atol=1e-12 if dtype == np.float64 else 1e-4
        )
    alone, _ = draw_lanes(rows(normals, [2]), lane_keys(7)[[2]])
    np.testing.assert_array_equal(alone[0], draws[2])
    np.testing.assert_allclose(log_q, normals.log_density(draws), rtol=1e-9 if dtype == np.float64 else 1e-3)


@pytest.mark.parametrize(("dim", "history"), [(20, 12), (300, 6)], ids=["dense", "low rank"])
def test_draws_do_not_depend_on_how_lanes_came_together(dim, history):
    normals, keys = inverse_hessian_normal(*cases(dim, history)), lane_keys(128)
    expected = draw_lanes(normals, keys)
    joined = jax.tree.map(lambda leaf: np.concatenate([leaf[:1], np.ascontiguousarray(leaf[1:])]), normals)
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *[rows(normals, lane) for lane in range(NUM_LANES)])
    for same in (joined, stacked, rows(normals, np.arange(NUM_LANES))):
        for ours, theirs in zip(draw_lanes(same, keys), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@ROUTES
@pytest.mark.parametrize("fits", [[0, 0, 0], [1, 0, 1]])
def test_mixtures(dim, history, fits):
    normals = inverse_hessian_normal(*cases(dim, history))
    components = jax.tree.map(lambda leaf: np.stack([leaf, leaf[::-1]]), normals)
    components.core[0, 2] = np.nan
    weights = np.array([[0.3, 0.7, 0.0], [0.2, 0.5, 0.3]])
    with np.errstate(divide="ignore"):
        log_weights = np.log(weights)
    points = np.random.default_rng(4).standard_normal((NUM_LANES, 5, dim))
    points[0, 0] = 1e200
    arguments = components, log_weights, np.array(fits), points
    found = log_mixture_density(*arguments)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, log_mixture_density(*jax.tree.map(jnp.asarray, arguments)), rtol=1e-10)
    for lane, fit in enumerate(fits):
        densities = [rows(components, (fit, path)).log_density(points[lane, 1:]) for path in range(3)]
        expected = logsumexp(np.nan_to_num(densities), axis=0, b=weights[fit][:, None])
        np.testing.assert_allclose(found[lane, 1:], expected, rtol=1e-12)
        alone = log_mixture_density(components, log_weights, np.array([fit]), points[[lane]])
        np.testing.assert_array_equal(alone[0], found[lane])


@pytest.mark.parametrize("dim", [MOST_BY_ROWS, MOST_BY_ROWS + 1])
def test_mixtures_for_many_lanes_of_one_fit(dim):
    """A component is prepared once for all lanes, whichever way it is solved for."""
    normals = dense_form(inverse_hessian_normal(*cases(dim, 3)))
    components, log_weights = jax.tree.map(lambda leaf: leaf[None], normals), np.log(np.full((1, NUM_LANES), 1 / 3))
    points = np.random.default_rng(4).standard_normal((5, 2, dim))
    found = log_mixture_density(components, log_weights, np.zeros(5, np.int64), points)
    densities = [rows(normals, lane).log_density(points.reshape(-1, dim)) for lane in range(NUM_LANES)]
    np.testing.assert_allclose(found.ravel(), logsumexp(densities, axis=0) - np.log(NUM_LANES), rtol=1e-10)


def test_the_host_s_form_is_compiled_with_lanes_too():
    """The same source in compiled programs, with lanes leading or under `over_lanes`."""
    lanes = cases(11, 3)
    expected = inverse_hessian_normal(*lanes)
    stacked = jit_unless_numpy()(lambda *own: over_lanes(inverse_hessian_normal)(*own))(
        *jax.tree.map(jnp.asarray, lanes)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10), stacked, expected)
    leading = jax.jit(inverse_hessian_normal)(*jax.tree.map(jnp.asarray, lanes))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10), leading, expected)
