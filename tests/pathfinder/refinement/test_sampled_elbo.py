"""Averages over a sample against the formula, their gradients, and what balanced noise makes exact."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._refinement.sampled_elbo import Sample, balanced_noise, sampled_elbo


DIM, LANES, DRAWS = 3, 4, 6
kinds = pytest.mark.parametrize("kind", [HostDensity, CompiledDensity])


def skewed(x, data):
    return -jnp.sum(jnp.exp(x)) + data * jnp.sum(x)


def sample_of(seed=0):
    rng = np.random.default_rng(seed)
    return Sample(
        rng.normal(size=(LANES, DIM)), rng.uniform(0.5, 2, (LANES, DIM)), rng.normal(size=(LANES, DRAWS, DIM))
    )


def objective_of(kind, sample, data, num_fits, fits):
    density = kind(skewed, DIM, np.float64, data, num_fits)
    return sampled_elbo(density, fits, Sample(*[density.arrays(part) for part in sample]))


def formula(point, sample, lane, data):
    mean = sample.center[lane] + sample.deviation[lane] * point[:DIM]
    deviation = sample.deviation[lane] * jnp.exp(point[DIM:])
    log_p = [skewed(mean + deviation * noise, data) for noise in sample.noise[lane]]
    return jnp.mean(jnp.stack(log_p)) + jnp.sum(point[DIM:])


@kinds
@pytest.mark.parametrize("num_fits", [None, 3])
def test_values_and_gradients_are_those_of_the_formula(kind, num_fits):
    sample, points = sample_of(), 0.3 * np.random.default_rng(1).normal(size=(LANES, 2 * DIM))
    fits = np.zeros(LANES, int) if num_fits is None else np.array([2, 0, 1, 2])
    data = jnp.asarray(2.0 if num_fits is None else [1.0, 2.0, 3.0])
    objective = objective_of(kind, sample, data, num_fits, fits)
    assert objective.dim == 2 * DIM
    own = objective.arrays(points)
    values, gradients = objective.values_and_gradients(own, np.arange(LANES))
    np.testing.assert_allclose(objective.values(own, np.arange(LANES)), values, rtol=1e-12)
    for lane in range(LANES):
        own_data = data if num_fits is None else data[fits[lane]]
        value, gradient = jax.value_and_grad(formula)(jnp.asarray(points[lane]), sample, lane, own_data)
        np.testing.assert_allclose(values[lane], value, rtol=1e-10)
        np.testing.assert_allclose(gradients[lane], gradient, rtol=1e-10)


def test_some_lanes_are_evaluated_as_if_all_were():
    sample, points = sample_of(), np.random.default_rng(1).normal(size=(LANES, 2 * DIM))
    objective = objective_of(HostDensity, sample, jnp.asarray(2.0), None, np.zeros(LANES, int))
    whole = objective.values_and_gradients(points, np.arange(LANES))
    some = objective.values_and_gradients(points[[3, 1]], np.array([3, 1]))
    for one, other in zip(whole, some, strict=True):
        np.testing.assert_array_equal(one[[3, 1]], other)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])
def test_noise_is_balanced(xp, dtype):
    keys = xp.asarray(np.arange(2 * 5 * 4, dtype=np.uint32).reshape(5, 4, 2))
    noise = np.asarray(balanced_noise(keys, dim=3, dtype=np.dtype(dtype)))
    assert noise.dtype == dtype
    assert noise.shape == (5, 8, 3)
    np.testing.assert_array_equal(noise[:, :4], -noise[:, 4:])
    np.testing.assert_allclose((noise**2).mean(axis=1), 1.0, rtol=1e-6)


def test_balanced_noise_gives_the_elbo_of_independent_normals():
    mean, precision = np.array([1.0, -2.0, 0.5]), np.array([0.2, 1.0, 30.0])
    density = HostDensity(lambda x, data: -0.5 * jnp.sum(precision * (x - mean) ** 2), DIM, np.float64)
    noise = balanced_noise(np.arange(8, dtype=np.uint32).reshape(1, 4, 2), dim=DIM, dtype=np.dtype(np.float64))
    center, deviation = np.array([[0.3, 0.1, -2.0]]), np.array([[2.0, 0.5, 0.1]])
    objective = sampled_elbo(density, np.zeros(1, int), Sample(center, deviation, noise))
    expected = -0.5 * np.sum(precision * ((center[0] - mean) ** 2 + deviation[0] ** 2))
    np.testing.assert_allclose(objective.values(np.zeros((1, 6)), np.zeros(1, int)), expected, rtol=1e-10)
