"""State-space and Gaussian process densities against plain oracles: dense matrices, and every hidden path."""

from itertools import product

import jax
import numpy as np
import pytest
from scipy import stats

from pathfinder.stan._library.densities import DISTRIBUTIONS, hmm_hidden_state_prob


def _positive_definite(rng, size):
    root = rng.normal(size=(size, size))
    return root @ root.T + np.eye(size)


@pytest.mark.parametrize("independent", [False, True])
def test_dynamic_linear_model_is_one_large_normal(independent):
    rng = np.random.default_rng(1)
    num_series, num_times, num_states = 2, 4, 3
    y = rng.normal(size=(num_series, num_times))
    design, transition = rng.normal(size=(num_states, num_series)), 0.6 * rng.normal(size=(num_states, num_states))
    noise, innovation = _positive_definite(rng, num_series), _positive_definite(rng, num_states)
    m0, c0 = rng.normal(size=num_states), _positive_definite(rng, num_states)
    if independent:
        noise = np.diag(np.diag(noise))

    means, covariances, mean, covariance = [], [], m0, c0
    for _ in range(num_times):
        mean, covariance = transition @ mean, transition @ covariance @ transition.T + innovation
        means.append(mean)
        covariances.append(covariance)
    joint = np.zeros((num_times * num_series,) * 2)
    for t, s in product(range(num_times), repeat=2):
        early, late = min(t, s), max(t, s)
        cross = np.linalg.matrix_power(transition, late - early) @ covariances[early]
        block = design.T @ (cross if t >= s else cross.T) @ design + (noise if t == s else 0)
        joint[t * num_series :, s * num_series :][:num_series, :num_series] = block
    expected = stats.multivariate_normal.logpdf(y.T.ravel(), (np.array(means) @ design).ravel(), joint)

    density = jax.jit(DISTRIBUTIONS["gaussian_dlm_obs"].log_density)
    with jax.enable_x64():
        value = density(y, design, transition, np.diag(noise) if independent else noise, innovation, m0, c0)
    np.testing.assert_allclose(value, expected, rtol=1e-11)


def test_gaussian_processes_are_rows_of_normals():
    rng = np.random.default_rng(2)
    y, kernel, weights = rng.normal(size=(2, 3)), _positive_definite(rng, 3), np.array([0.4, 2.5])
    expected = sum(
        stats.multivariate_normal.logpdf(row, np.zeros(3), kernel / w) for row, w in zip(y, weights, strict=True)
    )
    with jax.enable_x64():
        value = jax.jit(DISTRIBUTIONS["multi_gp"].log_density)(y, kernel, weights)
        by_factor = jax.jit(DISTRIBUTIONS["multi_gp_cholesky"].log_density)(y, np.linalg.cholesky(kernel), weights)
        invalid = jax.jit(DISTRIBUTIONS["multi_gp"].log_density)(y, kernel, -weights)
    np.testing.assert_allclose([value, by_factor], [expected, expected], rtol=1e-12)
    assert np.isnan(invalid)


NUM_STATES, NUM_TIMES = 3, 4
HMM_RNG = np.random.default_rng(3)
# Far below the smallest double if not kept as logs
LOG_OMEGAS = HMM_RNG.normal(size=(NUM_STATES, NUM_TIMES)) - 900.0
TRANSITION = HMM_RNG.dirichlet(np.ones(NUM_STATES), size=NUM_STATES)
INITIAL = HMM_RNG.dirichlet(np.ones(NUM_STATES))


def _every_path():
    """Each hidden path with its joint log density."""
    paths = np.array(list(product(range(NUM_STATES), repeat=NUM_TIMES)))
    log_joint = np.log(INITIAL[paths[:, 0]]) + LOG_OMEGAS[paths, np.arange(NUM_TIMES)].sum(axis=1)
    return paths, log_joint + np.log(TRANSITION[paths[:, :-1], paths[:, 1:]]).sum(axis=1)


def test_hidden_markov_model_sums_over_every_path():
    paths, log_joint = _every_path()
    marginal = np.logaddexp.reduce(log_joint)
    posterior = np.exp(log_joint - marginal)
    states = np.array([[posterior[paths[:, t] == k].sum() for t in range(NUM_TIMES)] for k in range(NUM_STATES)])
    with jax.enable_x64():
        density = DISTRIBUTIONS["hmm_marginal"].log_density
        value, slope = jax.jit(jax.value_and_grad(density))(LOG_OMEGAS, TRANSITION, INITIAL)
        smoothed = jax.jit(hmm_hidden_state_prob)(LOG_OMEGAS, TRANSITION, INITIAL)
    np.testing.assert_allclose(value, marginal, rtol=1e-13)
    np.testing.assert_allclose(smoothed, states, rtol=1e-10)
    # The slope in a log density is the probability of its state (Fisher's identity).
    np.testing.assert_allclose(slope, states, rtol=1e-10)


def test_hidden_states_are_drawn_jointly():
    paths, log_joint = _every_path()
    with jax.enable_x64():
        sampler = jax.jit(jax.vmap(lambda key: DISTRIBUTIONS["hmm_latent"].rng(key, LOG_OMEGAS, TRANSITION, INITIAL)))
        draws = np.asarray(sampler(jax.random.split(jax.random.key(4), 4000)))
    posterior = np.exp(log_joint - np.logaddexp.reduce(log_joint))
    counts = np.array([(draws == path + 1).all(axis=1).sum() for path in paths])
    assert counts.sum() == 4000
    assert np.all(np.abs(counts - 4000 * posterior) < 4.5 * np.sqrt(4000 * posterior * (1 - posterior)) + 1)


def test_one_time_needs_no_transition():
    with jax.enable_x64():
        value = DISTRIBUTIONS["hmm_marginal"].log_density(LOG_OMEGAS[:, :1], TRANSITION, INITIAL)
    np.testing.assert_allclose(value, np.logaddexp.reduce(LOG_OMEGAS[:, 0] + np.log(INITIAL)), rtol=1e-14)
