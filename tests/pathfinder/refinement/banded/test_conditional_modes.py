"""Modes of the chain given the border, by Newton's method."""

import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.host import HostDensity
from pathfinder._pattern import Pattern
from pathfinder._refinement.banded.conditional_modes import conditional_modes
from pathfinder._refinement.banded.curvatures import PatternDensity


DIM = 12
PATTERN = Pattern(np.arange(DIM), 1, 1)


def of(function):
    return PatternDensity(HostDensity(lambda x, data: function(x), DIM, np.float64), PATTERN)


def counts(x):
    chain = x[:-1]
    return -0.5 * jnp.sum((chain[1:] - chain[:-1] * jnp.tanh(x[-1])) ** 2) + jnp.sum(3.0 * chain - jnp.exp(chain))


def double_well(x):
    return -jnp.sum((x[:-1] ** 2 - 1.0) ** 2) - 0.1 * jnp.sum((x[1:-1] - x[:-2]) ** 2) - x[-1] ** 2


def test_each_point_comes_to_the_mode_of_its_own_border():
    starts = np.random.default_rng(0).normal(size=(5, DIM))
    density = of(counts)
    for start, found in zip(starts, conditional_modes(density, starts, 1e-10), strict=True):
        assert found.point[-1] == start[-1]
        assert found.is_proper
        assert np.abs(found.gradient[:-1]).max() < 1e-4
        assert found.value > float(counts(start))
        hessian = density.expansions(found.point[None]).bands[0]
        np.testing.assert_allclose(found.factor.band, hessian, rtol=1e-9)
    alone = [conditional_modes(density, start[None], 1e-10)[0].point for start in starts]
    together = [found.point for found in conditional_modes(density, starts, 1e-10)]
    np.testing.assert_allclose(together, alone, rtol=1e-10)


def test_a_climb_out_of_a_saddle_never_falls():
    start = np.full((1, DIM), 1e-3)  # where all curvatures have the wrong sign
    density = of(double_well)
    assert density.expansions(start).bands[0, 0, 0] < 0
    (found,) = conditional_modes(density, start, 1e-8)
    assert found.is_proper
    np.testing.assert_allclose(found.point[:-1], 1.0, atol=1e-3)
    assert found.value >= float(double_well(start[0]))


def test_steps_out_of_the_support_are_shortened():
    function = of(lambda x: jnp.sum(jnp.log(x[:-1]) - 0.01 * x[:-1]) - x[-1] ** 2)
    start = np.full((1, DIM), 0.5)
    (found,) = conditional_modes(function, start, 1e-6)
    np.testing.assert_allclose(found.point[:-1], 100.0, rtol=1e-2)


def test_a_start_without_density_is_none_and_spoils_no_other():
    starts = np.zeros((2, DIM))
    starts[0, 0] = -1.0
    function = of(lambda x: jnp.sum(jnp.where(x[:-1] < -0.5, jnp.nan, -(x[:-1] ** 2))))
    lost, found = conditional_modes(function, starts, 1e-6)
    assert lost is None
    assert found.value == pytest.approx(0.0)
