"""Against SciPy."""

import numpy as np
import pytest
from scipy.special import ndtri

from pathfinder._arrays.normal_quantiles import CENTRE, NEAR, normal_quantiles


def probabilities():
    rng = np.random.default_rng(0)
    tails = 10.0 ** -rng.uniform(1, 300, 1000)
    borders = [0.5 + side * (CENTRE + step) for side in (-1, 1) for step in (-1e-12, 1e-12)]
    edges = [2.0**-53, 0.5, 1 - 2.0**-53, *borders]
    far = np.exp(-((NEAR + np.array([-1e-12, 1e-12])) ** 2))
    return np.concatenate([rng.uniform(size=10_000), tails, 1 - 10.0 ** -rng.uniform(1, 15, 1000), edges, far])


def test_against_scipy():
    p = probabilities()
    np.testing.assert_allclose(normal_quantiles(p), ndtri(p), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("shape", [(0,), (3,), (2, 3, 4)])
def test_shape_and_symmetry(shape):
    p = np.random.default_rng(1).integers(1, 2**20, shape) / 2.0**20
    quantiles = normal_quantiles(p)
    assert quantiles.shape == shape
    np.testing.assert_array_equal(normal_quantiles(1 - p), -quantiles)


def test_single_precision_is_kept():
    p = np.random.default_rng(2).uniform(0.001, 0.999, 1000).astype(np.float32)
    quantiles = normal_quantiles(p)
    assert quantiles.dtype == np.float32
    np.testing.assert_allclose(quantiles, ndtri(p.astype(np.float64)), rtol=1e-7)
