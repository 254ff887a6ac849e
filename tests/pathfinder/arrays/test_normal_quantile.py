"""Quantiles of the normal distribution."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy.special import ndtri

from pathfinder._arrays.normal_quantile import normal_quantile


PROBABILITIES = np.concatenate([2.0 ** -np.arange(1, 1000), 1 - 2.0 ** -np.arange(1, 54), np.linspace(0.01, 0.99, 99)])


def test_it_is_that_of_scipy():
    np.testing.assert_allclose(normal_quantile(PROBABILITIES), ndtri(PROBABILITIES), rtol=2e-15, atol=1e-300)


def test_it_is_that_of_the_standard_library():
    expected = [NormalDist().inv_cdf(probability) for probability in PROBABILITIES]
    np.testing.assert_allclose(normal_quantile(PROBABILITIES), expected, rtol=2e-15, atol=1e-300)


def test_single_precision_is_rounded_once():
    single = PROBABILITIES[PROBABILITIES > 1e-30].astype(np.float32)
    single = single[single < 1]
    found = normal_quantile(single)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, ndtri(single.astype(np.float64)).astype(np.float32))


@pytest.mark.parametrize("shape", [(0,), (1,), (2, 3)])
def test_shapes(shape):
    assert normal_quantile(np.full(shape, 0.5)).shape == shape
    assert not normal_quantile(np.full(shape, 0.5)).any()
