"""Approximations from pairs, on the host; `test_host.py` compares them with what JAX compiles."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from pathfinder._arrays.matrices import cholesky
from pathfinder._arrays.namespace import jit_unless_numpy
from pathfinder._normals.inverse_hessian import (
    Pairs,
    has_curvature,
    inverse_hessian_normal,
    update_diagonal,
)
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.orthonormal import LONG, orthonormal_rows


DIMS = [*range(1, 13), 30]
HISTORY_SIZES = [1, 2, 3, 5, 8, 20]
BOTH_ROUTES = [(4, 3), (11, 3)]  # dim and history: dense factors, thin QR
COMPILED = [(1, 1), (2, 5), (7, 2), (30, 5)]

fit_normal = jit_unless_numpy()(inverse_hessian_normal)
to_dense = jit_unless_numpy()(LowRankNormal.to_dense)


def curved_pairs(rng, dim, history, spread=1.0):
    """Differences along a path on a random quadratic; `spread` is the log10 of its condition number."""
    rotation, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    hessian = rotation * np.logspace(0, spread, dim) @ rotation.T
    steps = rng.standard_normal((history, dim)) * 10.0 ** rng.uniform(-3, 0, (history, 1))
    return Pairs(steps, steps @ hessian)


def random_case(seed, dim, history, spread=1.0):
    rng = np.random.default_rng(seed)
    pairs = curved_pairs(rng, dim, history, spread)
    return rng.standard_normal(dim), rng.standard_normal(dim), pairs, rng.uniform(0.3, 3.0, dim)


def bfgs_recursion(pairs, diagonal):
    """Inverse Hessian of the BFGS method, update by update (Nocedal and Wright 2006, equation 6.17)."""
    inverse = np.diag(diagonal)
    for s, y in zip(*pairs, strict=True):
        if s @ y > 0:
            left = np.eye(len(s)) - np.outer(s, y) / (s @ y)
            inverse = left @ inverse @ left.T + np.outer(s, s) / (s @ y)
    return inverse


def padded(pairs, num_rows):
    """Empty rows before the pairs."""
    return Pairs(*[np.pad(rows, ((num_rows - len(rows), 0), (0, 0))) for rows in pairs])


def relative_error(actual, expected):
    return np.max(np.abs(np.asarray(actual) - expected)) / np.max(np.abs(expected))


@pytest.mark.parametrize(
    ("dim", "history", "xp"),
    [
        *((dim, history, np) for dim in DIMS for history in HISTORY_SIZES),
        *((dim, history, jnp) for dim, history in COMPILED),
    ],
)
def test_covariance_is_the_bfgs_recursion(dim, history, xp):
    position, gradient, pairs, diagonal = random_case(dim, dim, history)
    normal = fit_normal(*jax.tree.map(xp.asarray, (position, gradient, pairs, diagonal)))
    assert all(isinstance(leaf, np.ndarray) == (xp is np) for leaf in jax.tree.leaves(normal))
    dense = bfgs_recursion(pairs, diagonal)
    assert relative_error(covariance(normal), dense) < 1e-9
    assert relative_error(normal.mean, position - dense @ gradient) < 1e-9
    np.testing.assert_allclose(normal.log_det_cholesky, 0.5 * np.linalg.slogdet(dense)[1], rtol=1e-9, atol=1e-9)


def covariance(normal):
    return np.asarray(to_dense(normal))


@pytest.mark.parametrize(("dim", "history"), [(3, 1), (7, 3), (12, 5), (30, 8)])
def test_both_routes_give_the_same_distribution(dim, history):
    position, gradient, pairs, diagonal = random_case(1, dim, history)
    thin = fit_normal(position, gradient, pairs, diagonal)
    dense = fit_normal(position, gradient, padded(pairs, -(-dim // 2)), diagonal)
    assert thin.basis is not None
    assert dense.basis is None
    assert relative_error(covariance(dense), covariance(thin)) < 1e-12
    np.testing.assert_allclose(dense.mean, thin.mean, rtol=1e-11)
    np.testing.assert_allclose(dense.variance, thin.variance, rtol=1e-11)
    point = np.linspace(-2.0, 2.0, dim)
    np.testing.assert_allclose(dense.log_density(point), thin.log_density(point), rtol=1e-11)


@pytest.mark.parametrize(("dim", "history"), [(2, 6), (25, 6)])
def test_zero_rows_are_ignored_wherever_they_are(dim, history):
    position, gradient, pairs, diagonal = random_case(2, dim, history)
    gaps = np.asarray([True, False, False, True, True, False])[:, None]
    with_gaps = Pairs(*[np.where(gaps, 0.0, rows) for rows in pairs])
    without = Pairs(*[rows[[1, 2, 5]] for rows in pairs])
    expected = fit_normal(position, gradient, padded(without, history), diagonal)
    actual = fit_normal(position, gradient, with_gaps, diagonal)
    np.testing.assert_allclose(actual.to_dense(), expected.to_dense(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(actual.mean, expected.mean, rtol=1e-12)


@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_without_pairs_only_the_diagonal_is_left(dim, history):
    position, gradient, _, diagonal = random_case(3, dim, history)
    normal = fit_normal(position, gradient, Pairs(*[np.zeros((history, dim))] * 2), diagonal)
    np.testing.assert_allclose(normal.to_dense(), np.diag(diagonal), rtol=1e-14)
    np.testing.assert_allclose(normal.mean, position - diagonal * gradient, rtol=1e-14)


@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_newest_pair_comes_last(dim, history):
    """The secant equation holds for the newest pair only: H y = s."""
    position, gradient, pairs, diagonal = random_case(4, dim, history)
    normal = fit_normal(position, gradient, pairs, diagonal)
    products = normal.covariance_product(pairs.gradients)
    np.testing.assert_allclose(products[-1], pairs.positions[-1], rtol=1e-10)
    assert not np.allclose(products[0], pairs.positions[0], rtol=1e-3)


@pytest.mark.parametrize("spread", [0, 4, 8])
@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_one_step_on_a_normal_finds_the_curvature_along_it(dim, history, spread):
    """After one step the approximation is positive definite and exact along that step."""
    rng = np.random.default_rng(5)
    pairs = curved_pairs(rng, dim, 1, spread)
    normal = fit_normal(np.zeros(dim), pairs.gradients[0], padded(pairs, history), np.ones(dim))
    s, y = pairs.positions[0], pairs.gradients[0]
    assert np.linalg.eigvalsh(covariance(normal)).min() > 0
    rounding = 1e-12 + 1e-14 * 10.0**spread
    np.testing.assert_allclose(y @ normal.covariance_product(y), s @ y, rtol=rounding)
    np.testing.assert_allclose(normal.mean, -s, rtol=rounding, atol=rounding * np.abs(s).max())


@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_mean_is_exact_for_a_normal_with_unit_covariance(dim, history):
    """One step of any length on N(m, I) is enough for the exact mean and covariance."""
    rng = np.random.default_rng(6)
    target = rng.standard_normal(dim)
    start, end = rng.standard_normal((2, dim))
    step = (end - start)[None]
    pairs = padded(Pairs(step, step), history)
    normal = fit_normal(end, end - target, pairs, np.ones(dim))
    np.testing.assert_allclose(normal.mean, target, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(normal.to_dense(), np.eye(dim), atol=1e-12)


@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_covariance_of_many_draws(dim, history):
    """Each entry within 5 standard errors of `to_dense()`; a transposed factor would be off by hundreds."""
    position, gradient, pairs, diagonal = random_case(7, dim, history)
    normal = fit_normal(position, gradient, pairs, diagonal)
    num_draws = 1_000_000
    draws = normal.transform(np.random.default_rng(0).standard_normal((num_draws, dim)))
    dense = covariance(normal)
    error = np.cov(draws.T) - dense
    variance = np.diag(dense)
    standard_error = np.sqrt((np.outer(variance, variance) + dense**2) / num_draws)
    assert np.max(np.abs(error) / standard_error) < 5
    assert np.max(np.abs(draws.mean(axis=0) - normal.mean) / np.sqrt(variance / num_draws)) < 5


@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_log_density_against_scipy(dim, history):
    position, gradient, pairs, diagonal = random_case(8, dim, history)
    normal = fit_normal(position, gradient, pairs, diagonal)
    points = np.random.default_rng(0).standard_normal((20, dim)) * 3
    expected = multivariate_normal(normal.mean, bfgs_recursion(pairs, diagonal)).logpdf(points)
    np.testing.assert_allclose(normal.log_density(points), expected, rtol=1e-9)


@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_density_of_a_draw_from_its_noise(dim, history):
    normal = fit_normal(*random_case(9, dim, history))
    noise = np.random.default_rng(0).standard_normal((20, dim))
    draws = normal.transform(noise)
    expected = normal.log_density(draws)
    np.testing.assert_allclose(normal.log_density_of_noise(noise), expected, rtol=1e-10)


@pytest.mark.parametrize("dim", [1, 2])
def test_density_integrates_to_one(dim):
    normal = fit_normal(*random_case(10, dim, 2))
    axes = [m + np.linspace(-9, 9, 401) * np.sqrt(v) for m, v in zip(normal.mean, normal.variance, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dim)
    cell = np.prod([axis[1] - axis[0] for axis in axes])
    np.testing.assert_allclose(np.exp(normal.log_density(grid)).sum() * cell, 1.0, rtol=1e-8)


@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_variance_and_products_belong_to_the_dense_covariance(dim, history):
    position, gradient, pairs, diagonal = random_case(11, dim, history)
    normal = fit_normal(position, gradient, pairs, diagonal)
    dense = bfgs_recursion(pairs, diagonal)
    vector = np.random.default_rng(0).standard_normal(dim)
    np.testing.assert_allclose(normal.variance, np.diag(dense), rtol=1e-9)
    np.testing.assert_allclose(normal.covariance_product(vector), dense @ vector, rtol=1e-9)


@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_condition_number_1e10_stays_positive_definite(dim, history):
    for seed in range(20):
        position, gradient, pairs, diagonal = random_case(seed, dim, history, spread=10)
        normal = fit_normal(position, gradient, pairs, diagonal)
        assert np.all(np.isfinite(normal.core))
        assert np.all(normal.variance > 0)
        # Scaled to unit diagonal, since 1e10 is beyond what eigenvalues of the raw matrix resolve.
        scale = np.sqrt(normal.variance)
        assert np.linalg.eigvalsh(covariance(normal) / np.outer(scale, scale)).min() > -1e-9
        s, y = pairs.positions[-1], pairs.gradients[-1]
        np.testing.assert_allclose(y @ normal.covariance_product(y), s @ y, rtol=1e-4)


@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_single_precision_stays_single(dim, history):
    case = random_case(12, dim, history)
    double = fit_normal(*case)
    single = fit_normal(*jax.tree.map(lambda leaf: leaf.astype(np.float32), case))
    assert {leaf.dtype for leaf in jax.tree.leaves(single)} == {np.dtype(np.float32)}
    assert single.log_density(np.zeros(dim, np.float32)).dtype == np.float32
    assert relative_error(single.to_dense(), covariance(double)) < 1e-4
    assert relative_error(single.mean, double.mean) < 1e-4


@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_one_factorization_per_approximation(dim, history):
    """One Cholesky and triangular solves; orthogonal columns cost no call, and there is no inverse."""
    program = jax.jit(inverse_hessian_normal).lower(*random_case(13, dim, history)).compile().as_text()
    routines = re.findall(r'custom_call_target="([^"]*)"', program)
    assert sum("potrf" in routine for routine in routines) == 1
    assert all("potrf" in routine or "trsm" in routine for routine in routines)


# The length of the rows decides how they are made orthonormal on the host.
LENGTHS = pytest.mark.parametrize("length", [30, LONG + 1])


@LENGTHS
@pytest.mark.parametrize("condition", [1.0, 1e6, 1e12])
def test_rows_become_orthonormal(condition, length):
    rng = np.random.default_rng(20)
    left, right = (np.linalg.qr(rng.standard_normal((dim, 6)))[0] for dim in (6, length))
    vectors = left * np.logspace(0, -np.log10(condition), 6) @ right.T
    rows = orthonormal_rows(vectors)
    np.testing.assert_allclose(rows @ rows.T, np.eye(6), atol=1e-13)
    np.testing.assert_allclose(vectors @ rows.T @ rows, vectors, atol=1e-14)


@LENGTHS
def test_dependent_rows_become_zero_or_stay_orthonormal(length):
    rng = np.random.default_rng(21)
    vectors = rng.standard_normal((3, length))
    repeated = np.concatenate([vectors, vectors[:1] * 7.0, np.zeros((1, length)), vectors[1:2] + vectors[2:]])
    rows = orthonormal_rows(repeated)
    gram = rows @ rows.T
    np.testing.assert_allclose(gram, np.diag(np.round(np.diag(gram))), atol=1e-13)
    np.testing.assert_allclose(repeated @ rows.T @ rows, repeated, atol=1e-13)


@pytest.mark.parametrize("scale", [1e-100, 1.0, 1e100])
def test_long_rows_with_some_that_are_not_there(scale):
    vectors = np.random.default_rng(23).standard_normal((2, 4, LONG))
    vectors[0, 1] = 0.0
    vectors *= scale
    rows = orthonormal_rows(vectors)
    expected = [np.diag([1.0, 0.0, 1.0, 1.0]), np.eye(4)]
    np.testing.assert_allclose(rows @ rows.swapaxes(1, 2), expected, atol=1e-13)
    np.testing.assert_allclose((vectors / scale) @ rows.swapaxes(1, 2) @ rows, vectors / scale, atol=1e-12)


def test_long_rows_of_many_lanes_are_those_of_each_alone():
    """Also where one of them has rows that depend on each other, or that are no numbers: these become zero."""
    vectors = np.random.default_rng(24).standard_normal((4, 5, LONG))
    vectors[1, 3] = vectors[1, 0] + 1e-14 * vectors[1, 3]
    vectors[2, 0, 0] = np.nan
    with np.errstate(invalid="ignore"):
        rows = orthonormal_rows(vectors)
        np.testing.assert_array_equal(rows, np.stack([orthonormal_rows(own) for own in vectors]))
    for lane in (0, 1, 3):
        np.testing.assert_allclose(rows[lane] @ rows[lane].T, np.eye(5), atol=1e-13)
    assert not rows[2, 0].any()


@pytest.mark.parametrize(("dim", "history"), BOTH_ROUTES)
def test_pairs_that_span_each_other(dim, history):
    """On N(m, 2I) the differences of gradients are multiples of the steps, and some steps are repeated."""
    steps = np.random.default_rng(22).standard_normal((history, dim))
    steps[-1] = steps[0]
    normal = fit_normal(np.zeros(dim), np.ones(dim), Pairs(steps, 0.5 * steps), np.ones(dim))
    expected = bfgs_recursion(Pairs(steps, 0.5 * steps), np.ones(dim))
    np.testing.assert_allclose(covariance(normal), expected, atol=1e-12)


def test_failed_factorization_shows_as_nan():
    normal = LowRankNormal(np.zeros(2), np.ones(2), None, cholesky(-np.eye(2)))
    assert np.isnan(normal.log_density(np.ones(2)))
    assert np.all(np.isnan(normal.transform(np.ones(2))))


@pytest.mark.parametrize("unit", [1e-30, 1e-8, 1e8, 1e30])
def test_curvature_does_not_depend_on_units(unit):
    rng = np.random.default_rng(14)
    step = rng.standard_normal(6)
    downhill = step + 0.1 * rng.standard_normal(6)
    for change, expected in [(downhill, True), (-downhill, False)]:
        assert bool(has_curvature(step, change)) is expected
        assert bool(has_curvature(unit * step, change)) is expected
        assert bool(has_curvature(step, unit * change)) is expected
        assert bool(has_curvature(step * unit, change / unit)) is expected


@pytest.mark.parametrize(
    ("step", "change"),
    [([1.0, 0.0], [0.0, 1.0]), ([1.0, 0.0], [1e-16, 1.0]), ([0.0, 0.0], [0.0, 0.0]), ([1.0, 0.0], [np.nan, 1.0])],
    ids=["orthogonal", "rounding", "zero", "nan"],
)
def test_pairs_without_curvature(step, change):
    assert not has_curvature(np.asarray(step), np.asarray(change))


def test_diagonal_update_in_plain_loops():
    """Gilbert and Lemarechal's update, entry by entry as in algorithm 3 of Zhang et al. (2022)."""
    rng = np.random.default_rng(15)
    alpha, s = rng.uniform(0.1, 10, 7), rng.standard_normal(7)
    y = s * rng.uniform(0.1, 10, 7)
    a = sum(y[d] ** 2 * alpha[d] for d in range(7))
    b = sum(y[d] * s[d] for d in range(7))
    c = sum(s[d] ** 2 / alpha[d] for d in range(7))
    expected = [1 / (a / (b * alpha[d]) + y[d] ** 2 / b - a * s[d] ** 2 / (b * c * alpha[d] ** 2)) for d in range(7)]
    np.testing.assert_allclose(update_diagonal(alpha, s, y), expected, rtol=1e-12)


def test_diagonal_of_a_diagonal_quadratic_stays():
    """The exact inverse Hessian of a diagonal quadratic is a fixed point."""
    rng = np.random.default_rng(16)
    hessian = np.logspace(-3, 3, 9)
    step = rng.standard_normal(9)
    np.testing.assert_allclose(update_diagonal(1 / hessian, step, hessian * step), 1 / hessian, rtol=1e-9)


def test_diagonal_in_one_dimension_is_exact_at_once():
    updated = update_diagonal(np.asarray([1.0]), np.asarray([0.01]), np.asarray([4.0]))
    np.testing.assert_allclose(updated, [0.0025], rtol=1e-14)


def test_diagonal_stays_positive():
    rng = np.random.default_rng(17)
    diagonal = np.ones(5)
    for _ in range(50):
        step = rng.standard_normal(5)
        diagonal = update_diagonal(diagonal, step, step * np.logspace(-4.0, 4.0, 5))
        assert np.all(diagonal > 0)
