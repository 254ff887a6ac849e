import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.mixture import log_mixture_density


NUM_FITS, NUM_PATHS, DIM = 2, 3, 4
FITS = np.array([1, 0, 1])


@pytest.fixture(scope="module")
def components():
    rng = np.random.default_rng(0)
    shape = (NUM_FITS, NUM_PATHS)
    core = np.tril(rng.standard_normal((*shape, DIM, DIM))) + 3 * np.eye(DIM)
    mean, scale = rng.standard_normal((*shape, DIM)), rng.uniform(0.5, 2.0, (*shape, DIM))
    return LowRankNormal(jnp.asarray(mean), jnp.asarray(scale), None, jnp.asarray(core))


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(1).standard_normal((len(FITS), 5, DIM)) * 3


def component(components, fit, path):
    return jax.tree.map(lambda leaf: leaf[fit, path], components)


def log_density(components, log_weights, points):
    with np.errstate(divide="ignore"):
        log_weights = jnp.asarray(log_weights)
    return np.asarray(log_mixture_density(components, log_weights, FITS, points))


def test_against_scipy(components, points):
    weights = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    actual = log_density(components, np.log(weights), points)
    for lane, fit in enumerate(FITS):
        by_path = [jax.vmap(component(components, fit, path).log_density)(points[lane]) for path in range(NUM_PATHS)]
        expected = logsumexp(np.stack(by_path), axis=0, b=weights[fit][:, None])
        np.testing.assert_allclose(actual[lane], expected, rtol=1e-12)


def test_failed_component_is_left_out(components, points):
    broken = jax.tree.map(lambda leaf: leaf.at[1, 2].set(jnp.nan), components)
    weights = np.log(np.array([[0.5, 0.5, 1e-300], [0.5, 0.5, 1e-300]])) + np.array([0.0, 0.0, -np.inf])
    np.testing.assert_allclose(
        log_density(broken, weights, points), log_density(components, weights, points), rtol=1e-12
    )
    assert np.all(np.isfinite(log_density(broken, weights, points)))


def test_point_far_from_all_components_has_a_finite_log_density(components, points):
    weights = np.log(np.full((NUM_FITS, NUM_PATHS), 1 / 3))
    assert np.all(np.isfinite(log_density(components, weights, points * 1e6)))


def test_no_component_is_no_density(components, points):
    assert np.all(log_density(components, np.full((NUM_FITS, NUM_PATHS), -np.inf), points) == -np.inf)
