"""Hessians that are put together from few products are those of the density."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._refinement.banded.curvatures import BudgetSpentError, PatternDensity
from tests.pathfinder.normals.test_bordered import SHAPES
from tests.pathfinder.refinement.banded.targets import in_pattern, normal_target


def dense(precision):
    """The matrix of a precision in parts."""
    chain, width = precision.band.shape
    full = np.block([[np.zeros((chain, chain)), precision.border], [precision.border.T, precision.corner]])
    for offset in range(min(width, chain)):
        rows = np.arange(offset, chain)
        full[rows, rows - offset] = full[rows - offset, rows] = precision.band[offset:, offset]
    return full


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[1] < shape[0]])
def test_precisions_are_negative_hessians(shape):
    log_density, pattern, _, precision = normal_target(*shape)
    density = in_pattern(log_density, pattern)
    points = np.random.default_rng(2).normal(size=(3, pattern.dim))
    expansions, found = density.precisions(points)
    expected = precision[np.ix_(pattern.order, pattern.order)]
    for own in found:
        np.testing.assert_allclose(dense(own), expected, rtol=1e-10, atol=1e-10)
    values, gradients = density.gradients(points)
    np.testing.assert_allclose(expansions.values, values, rtol=1e-12)
    np.testing.assert_allclose(expansions.gradients, gradients, rtol=1e-10, atol=1e-10)
    by_jax = jax.vmap(jax.grad(log_density))(density.as_parameters(points))
    np.testing.assert_allclose(gradients, by_jax[:, pattern.order], rtol=1e-10, atol=1e-10)


def test_both_kinds_of_density_agree_for_any_number_of_points():
    log_density, pattern, _, _ = normal_target(9, 2, 1)
    of_kind = [
        PatternDensity(kind(lambda x, data: log_density(x), pattern.dim, np.float64, np.zeros(0)), pattern)
        for kind in (HostDensity, CompiledDensity)
    ]
    points = np.random.default_rng(2).normal(size=(17, pattern.dim))  # more than go through a compiled program at once
    host, compiled = (own.expansions(points) for own in of_kind)
    for one, other in zip(host, compiled, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(of_kind[0].values(points), of_kind[1].values(points), rtol=1e-12)


def test_where_nothing_is_finite_the_value_is_nan():
    def log_density(x):
        return jnp.where(x[0] > 0, -0.5 * jnp.sum(x**2), jnp.nan)

    _, pattern, _, _ = normal_target(4, 1, 0)
    density = in_pattern(log_density, pattern)
    points = np.ones((2, 4))
    points[1, np.flatnonzero(pattern.order == 0)] = -1.0
    for values in (density.values(points), density.gradients(points)[0], density.expansions(points).values):
        assert list(np.isfinite(values)) == [True, False]


def test_evaluations_are_counted_and_limited():
    log_density, pattern, _, _ = normal_target(9, 2, 1)
    density = in_pattern(log_density, pattern, max_gradients=30.0)
    point = np.zeros((1, 10))
    density.gradients(np.zeros((3, 10)))
    density.values(point)
    assert (density.num_gradients, density.num_densities) == (3, 1)
    density.expansions(point)
    assert density.num_gradients == 3 + 1 + 2 * 5  # five probes of a band of width 2
    assert not density.can_afford(1)
    density.gradients(np.zeros((16, 10)))
    with pytest.raises(BudgetSpentError):
        density.gradients(point)
    assert density.num_gradients == 30


def test_single_precision_stays_on_the_way_to_the_density():
    _, pattern, _, _ = normal_target(9, 2, 1)
    density = in_pattern(lambda x: -0.5 * jnp.sum(x**2), pattern, np.float32)
    own = density.as_parameters(np.arange(10.0))
    assert own.dtype == np.float32
    np.testing.assert_array_equal(density.in_order(own), np.arange(10.0))
    assert density.in_order(own).dtype == np.float64
