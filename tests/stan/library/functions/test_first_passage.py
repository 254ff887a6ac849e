"""Probabilities of first passage against quadrature of the density, and differences."""

import jax
import numpy as np
import pytest

from pathfinder.stan._library.densities import DISTRIBUTIONS
from pathfinder.stan._library.functions import FUNCTIONS


log_density = DISTRIBUTIONS["wiener"].log_density
lower, upper = FUNCTIONS["wiener_lcdf_unnorm"].evaluate, FUNCTIONS["wiener_lccdf_unnorm"].evaluate
# y, alpha, tau, beta, delta: early and late, and drifts of either sign and none
POINTS = [
    (0.35, 2.0, 0.3, 0.5, 1.0),
    (0.9, 1.3, 0.2, 0.4, 0.7),
    (0.4, 1.3, 0.2, 0.8, 0.0),
    (3.0, 1.3, 0.2, 0.4, -0.7),
    (8.0, 2.0, 0.1, 0.5, 1.5),
]
VARIABILITY = (0.5, 0.3, 0.25)


def mass(low, high, *parameters):
    """The integral of the density, by Gauss-Legendre quadrature in pieces."""
    x, weights = np.polynomial.legendre.leggauss(64)
    ends = low + (high - low) * np.linspace(0, 1, 9) ** 2
    nodes = np.concatenate([start + (end - start) * (x + 1) / 2 for start, end in zip(ends, ends[1:], strict=False)])
    widths = np.concatenate([weights * (end - start) / 2 for start, end in zip(ends, ends[1:], strict=False)])
    return np.sum(widths * np.exp(jax.jit(log_density)(nodes, *parameters)))


@pytest.mark.parametrize("point", POINTS)
def test_integral_of_the_density(point):
    y, *parameters = point
    tau = parameters[1]
    np.testing.assert_allclose(np.exp(lower(*point)), mass(tau, y, *parameters), 1e-10)
    np.testing.assert_allclose(np.exp(upper(*point)), mass(y, y + 40.0, *parameters), 1e-10)


@pytest.mark.parametrize("point", [*POINTS[:2], *(pytest.param(point, marks=pytest.mark.slow) for point in POINTS[2:])])
@pytest.mark.parametrize("function", [lower, upper])
def test_derivatives(function, point):
    slopes = jax.jit(jax.grad(function, tuple(range(5))))(*point)
    value = jax.jit(function)
    for axis, slope in enumerate(slopes):
        high, low = (value(*(x + sign * 1e-5 * (i == axis) for i, x in enumerate(point))) for sign in (1, -1))
        np.testing.assert_allclose(slope, (high - low) / 2e-5, 1e-6, 1e-7)


def test_before_anything_can_be_reached():
    point = (0.1, 1.3, 0.2, 0.4, 0.7)
    assert lower(*point) == -np.inf
    # Cox and Miller (1965): the probability of the upper boundary
    reaches = np.expm1(-2 * 0.7 * 1.3 * 0.4) / np.expm1(-2 * 0.7 * 1.3)
    np.testing.assert_allclose(upper(*point), np.log(reaches), 1e-14)


def test_containers_are_summed_and_the_tolerance_changes_nothing():
    y = np.array([0.5, 0.9])
    total = lower(0.5, 1.3, 0.2, 0.4, 0.7) + lower(0.9, 1.3, 0.2, 0.4, 0.7)
    np.testing.assert_allclose(lower(y, 1.3, 0.2, 0.4, 0.7), total, 1e-14)
    np.testing.assert_allclose(lower(y, 1.3, 0.2, 0.4, 0.7, 1e-4), total, 1e-14)


@pytest.mark.slow
@pytest.mark.parametrize("y", [0.35, 0.9])
def test_variability_between_trials(y):
    """The derivative in time is the density, and both sides sum to the same at all times."""
    parameters = (1.3, 0.2, 0.4, 0.7, *VARIABILITY)
    value, slope = jax.jit(jax.value_and_grad(lower))(y, *parameters)
    np.testing.assert_allclose(slope * np.exp(value), np.exp(jax.jit(log_density)(y, *parameters)), 1e-8)
    total = np.exp(value) + np.exp(jax.jit(upper)(y, *parameters))
    np.testing.assert_allclose(total, np.exp(jax.jit(upper)(0.1, *parameters)), 1e-10)
