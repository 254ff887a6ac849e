"""Rounds of averaged Hessians."""

import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.host import HostDensity
from pathfinder._normals.elbo import estimate_elbo
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._pattern import Pattern
from pathfinder._refinement.banded.refine_banded import refine_banded
from pathfinder._refinement.history import RefinedLane


KEY = np.array([3, 4], np.uint32)


def autoregression(x, data):
    return -0.5 * (jnp.sum((x[1:] - 0.95 * x[:-1] - 0.1) ** 2) + x[0] ** 2)


def with_counts(x, data):
    return autoregression(x, data) + jnp.sum(2.0 * x - jnp.exp(x))


def start(dim, mean=1.0):
    return LowRankNormal(np.full(dim, mean), np.ones(dim), np.zeros((dim, 1)), np.ones((1, 1)))


def refined(function, dim, pattern, begin=None, rounds=40):
    begin = start(dim) if begin is None else begin
    lane = RefinedLane(0, begin, begin)
    density = HostDensity(function, dim, np.float64)
    assert refine_banded(density, pattern, lane, KEY, 1000, rounds, lambda: None)
    return lane


def test_a_normal_density_is_matched_at_once():
    lane = refined(autoregression, 500, Pattern(np.arange(500), 1, 0))
    assert len(lane.elbos) == 1  # the first round finds nothing to match
    assert lane.num_gradients <= 32
    assert lane.divergences[0] < 1e-20
    # Exact: log ratios are one constant.
    noise = np.random.default_rng(0).normal(size=(50, 500))
    draws = lane.approximation.transform(noise)
    log_p = np.array([float(autoregression(draw, None)) for draw in draws])
    constant = log_p - lane.approximation.log_density_of_noise(noise)
    np.testing.assert_allclose(constant, constant[0], atol=1e-9)
    assert lane.kept == []


def test_the_elbo_rises_to_that_of_the_best_normal():
    lane = refined(with_counts, 60, Pattern(np.arange(60), 1, 0))
    noise = np.random.default_rng(1).normal(size=(20_000, 60))
    density = HostDensity(with_counts, 60, np.float64)

    def elbo(normal):
        return estimate_elbo(
            density.values(normal.transform(noise))[None], normal.log_density_of_noise(noise)[None]
        ).mean[0]

    best = elbo(lane.approximation)
    # A stationary point: neither another mean nor another scale is better.
    for factor, shift in ((1.03, 0.0), (0.97, 0.0), (1.0, 0.05), (1.0, -0.05)):
        other = lane.approximation.rescaled(lane.approximation.mean + shift, np.full(60, factor))
        assert elbo(other) < best + 1e-3


def test_a_border_that_is_too_large_to_integrate_is_fitted_with_the_chain(monkeypatch):
    dim = 40
    pattern = Pattern(np.arange(dim), 1, 2)

    def function(x, data):
        return autoregression(x[:-2], data) - 0.5 * jnp.sum((x[:-2] - x[-2] - 0.3 * x[-1]) ** 2) - 0.5 * x[-2:] @ x[-2:]

    monkeypatch.setattr("pathfinder._refinement.banded.refine_banded.MOST_BORDER", 1)
    lane = refined(function, dim, pattern)
    density = HostDensity(function, dim, np.float64)
    _, _, hessian = density.hessian_products(np.zeros((1, dim)), np.eye(dim))
    np.testing.assert_allclose(lane.approximation.to_dense(), np.linalg.inv(-hessian[0]), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("where", ["everywhere", "outside"])
def test_densities_that_are_not_finite(where):
    def function(x, data):
        inside = jnp.abs(x) < (0.0 if where == "everywhere" else 3.0)
        return jnp.where(jnp.all(inside), autoregression(x, data), jnp.nan)

    begin = start(30, 0.5)
    lane = RefinedLane(0, begin, begin)
    found = refine_banded(
        HostDensity(function, 30, np.float64), Pattern(np.arange(30), 1, 0), lane, KEY, 100, 10, lambda: None
    )
    assert found == (where == "outside")
    assert lane.approximation.is_finite
