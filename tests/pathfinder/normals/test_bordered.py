"""Normals with a banded precision and a border, against their dense covariance."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from pathfinder._arrays.namespace import stacked_rows
from pathfinder._arrays.vectorized import over_lanes
from pathfinder._normals.bordered import BorderedNormal, bordered_normal


SHAPES = [(12, 0, 0), (12, 1, 0), (12, 2, 3), (9, 4, 1), (1, 0, 2), (3, 2, 1), (5, 0, 4)]


def random_normal(chain, width, border, seed=0, dtype=np.float64):
    """A normal with random entries, and its precision in the order of the parameters."""
    rng = np.random.default_rng(seed)
    dim = chain + border
    lower = np.tril(rng.normal(size=(dim, dim)))
    rows, columns = np.indices((dim, dim))
    lower[(rows < chain) & (rows - columns > width)] = 0.0
    lower[np.diag_indices(dim)] = rng.uniform(0.5, 2.0, dim)
    precision = lower @ lower.T
    order = rng.permutation(dim)
    band = np.array([[precision[i, i - j] if j <= i else 0.0 for j in range(width + 1)] for i in range(chain)])
    parts = (band, precision[:chain, chain:], precision[chain:, chain:])
    own = np.empty_like(precision)
    own[np.ix_(order, order)] = precision
    return bordered_normal(*(part.astype(dtype) for part in (rng.normal(size=dim), *parts)), order), own


def in_jax(tree):
    return jax.tree_util.tree_map(jnp.asarray, tree)


def in_numpy(tree):
    return tree


@pytest.fixture(params=[in_numpy, in_jax])
def arrays(request):
    return request.param


@pytest.mark.parametrize(
    ("arrays", "shape"), [*((in_numpy, shape) for shape in SHAPES), (in_jax, (12, 2, 3)), (in_jax, (5, 0, 0))]
)
def test_everything_follows_from_the_covariance(shape, arrays):
    normal, precision = random_normal(*shape)
    covariance = np.linalg.inv(precision)
    normal, vectors = arrays((normal, np.random.default_rng(1).normal(size=(4, normal.dim))))
    np.testing.assert_allclose(normal.to_dense(), covariance, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(normal.variance, np.diag(covariance), rtol=1e-10)
    np.testing.assert_allclose(normal.scale, np.sqrt(np.diag(covariance)), rtol=1e-10)
    np.testing.assert_allclose(normal.covariance_product(vectors), vectors @ covariance, rtol=1e-9, atol=1e-11)
    expected = multivariate_normal(np.asarray(normal.mean), covariance).logpdf(np.asarray(vectors))
    np.testing.assert_allclose(normal.log_density(vectors), expected, rtol=1e-9)
    draws = normal.transform(vectors)
    np.testing.assert_allclose(normal.noise(draws), vectors, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(normal.log_density_of_noise(vectors), normal.log_density(draws), rtol=1e-10)
    np.testing.assert_allclose(2 * normal.log_det_cholesky, np.linalg.slogdet(covariance)[1], rtol=1e-9)
    factor = np.stack([np.asarray(normal.transform(unit) - normal.mean) for unit in arrays(np.eye(normal.dim))], axis=1)
    np.testing.assert_allclose(factor @ factor.T, covariance, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(normal.noise_gradient(vectors), vectors @ factor, rtol=1e-9, atol=1e-11)


def test_one_vector_is_a_row_of_several(arrays):
    normal, vectors = arrays((random_normal(12, 2, 3)[0], np.random.default_rng(1).normal(size=(4, 15))))
    for method in (
        normal.transform,
        normal.noise,
        normal.noise_gradient,
        normal.log_density,
        normal.covariance_product,
    ):
        np.testing.assert_allclose(method(vectors[2]), method(vectors)[2], rtol=1e-12)


def test_many_normals_are_each_its_own():
    normals = [random_normal(12, 2, 3, seed)[0] for seed in range(3)]
    vectors = np.random.default_rng(1).normal(size=(3, 4, 15))
    together = stacked_rows(normals)
    compiled = jax.tree_util.tree_map(jnp.asarray, together)
    for name in ("transform", "log_density", "log_density_of_noise", "noise_gradient"):
        expected = np.stack([getattr(own, name)(part) for own, part in zip(normals, vectors, strict=True)])
        np.testing.assert_allclose(getattr(together, name)(vectors), expected, rtol=1e-12)
        lanes = over_lanes(lambda own, part, name=name: getattr(own, name)(part))(compiled, jnp.asarray(vectors))
        np.testing.assert_allclose(lanes, expected, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(together.variance, [own.variance for own in normals])
    np.testing.assert_allclose(together.log_det_cholesky, [own.log_det_cholesky for own in normals])


def test_dtypes_are_kept(arrays):
    normal, vectors = arrays((random_normal(12, 2, 3, dtype=np.float32)[0], np.ones((4, 15), np.float32)))
    for found in (normal.transform(vectors), normal.log_density(vectors), normal.variance, normal.noise(vectors)):
        assert found.dtype == np.float32
        assert np.isfinite(found).all()


@pytest.mark.parametrize("broken", ["band", "corner"])
def test_what_is_not_positive_definite_is_nan(broken):
    normal, _ = random_normal(6, 1, 2)
    parts = {"band": np.full((6, 2), 1.0), "border": np.zeros((6, 2)), "corner": np.eye(2)}
    parts["band"][:, 1] = 0.2
    assert bordered_normal(normal.mean, **parts, order=normal.order).is_finite
    parts[broken] = -parts[broken]
    failed = bordered_normal(normal.mean, **parts, order=normal.order)
    assert not failed.is_finite
    assert np.isnan(failed.log_density(normal.mean))
    assert np.isnan(failed.transform(normal.mean)).any()


def test_it_is_a_tree():
    normal, _ = random_normal(6, 1, 2)
    leaves, structure = jax.tree_util.tree_flatten(normal)
    assert isinstance(structure.unflatten(leaves), BorderedNormal)
