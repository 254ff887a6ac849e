"""Draws, weights and costs of plain fits, and what is compiled for them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

import pathfinder
from pathfinder import Model
from tests.pathfinder.plain_fits import PLAIN, QUICK, draws_of_path


@pytest.fixture(scope="module")
def two_modes():
    """Equal normals around -4 and 4, and the points where four paths start: three on the left, one on the right."""

    def log_density(x):
        return jnp.logaddexp(-0.5 * jnp.sum((x - 4.0) ** 2), -0.5 * jnp.sum((x + 4.0) ** 2))

    starts = np.array([[-5.0, -3.5], [-3.0, -3.0], [-4.5, -5.0], [5.0, 3.0]])
    return Model.from_log_density(log_density, np.zeros(2)), starts


def test_mean_and_covariance_of_a_normal(correlated):
    density, result = correlated
    draws = result.unconstrained_draws
    variance = np.diag(density.covariance)
    assert np.all(np.abs(draws.mean(axis=0) - density.mean) < 5 * np.sqrt(variance / len(draws)))
    error = np.cov(draws.T) - density.covariance
    standard_error = np.sqrt((np.outer(variance, variance) + density.covariance**2) / len(draws))
    assert np.all(np.abs(error) < 6 * standard_error)


def test_approximations_of_a_normal_are_close_to_it(correlated):
    density, result = correlated
    for path in result.paths:
        assert abs(path.elbo) < 0.5  # the log normalizing constant is zero
        np.testing.assert_allclose(path.approximation.mean, density.mean, atol=0.3)
    best = max(result.paths, key=lambda path: path.elbo).approximation
    np.testing.assert_allclose(best.to_dense(), density.covariance, atol=0.6)


def test_densities_of_the_draws(correlated):
    density, result = correlated
    draws = result.unconstrained_draws
    np.testing.assert_allclose(result.log_p, jax.vmap(density.log_density)(draws), rtol=1e-9)
    for path in range(4):
        own = result.path_ids == path
        log_q = jax.vmap(result.paths[path].approximation.log_density)(draws[own])
        np.testing.assert_allclose(result.log_q[own], log_q, rtol=1e-8)


def test_proposal_density_is_the_mixture(correlated):
    _, result = correlated
    draws = draws_of_path(result, 2)
    by_path = np.stack([jax.vmap(path.approximation.log_density)(draws) for path in result.paths])
    mixture = logsumexp(by_path, axis=0) - np.log(len(result.paths))
    np.testing.assert_allclose(result.pool.log_proposal[result.pool.paths == 2], mixture, rtol=1e-8)


def test_weights_are_normalized_ratios(correlated):
    _, result = correlated
    pool = result.pool
    np.testing.assert_allclose(logsumexp(pool.log_weights), 0.0, atol=1e-9)
    raw = pool.log_p - pool.log_proposal
    low = raw < np.quantile(raw, 0.5)  # smoothing changes the largest only
    shift = pool.log_weights[low] - raw[low]
    np.testing.assert_allclose(shift, shift[0], atol=1e-9)
    np.testing.assert_allclose(sum(path.weight for path in result.paths), 1.0)


def test_k_hat_is_low_for_a_normal(correlated):
    _, result = correlated
    assert result.pareto_k < result.pareto_k_threshold
    assert 0.5 * len(result.pool) < result.effective_sample_size <= len(result.pool)


def test_mixture_weights_do_not_count_a_mode_several_times(two_modes):
    model, starts = two_modes
    shares = {}
    for weights in ("mixture", "component"):
        result = pathfinder.fit(model, init=starts, seed=2, weights=weights, progress=False, **PLAIN)
        shares[weights] = np.mean(result.unconstrained_draws[:, 0] < 0)
    assert abs(shares["mixture"] - 0.5) < 0.03
    assert abs(shares["component"] - 0.75) < 0.03


def test_cost_counts_every_evaluation(correlated):
    _, result = correlated
    settings = result.settings
    for path in result.paths:
        assert path.num_densities == settings.num_elbo_draws * len(path.iterations.elbo) + settings.num_draws
        assert path.num_gradients == path.iterations.num_gradients[-1]
        assert path.num_iterations == path.iterations.iteration[-1]
        assert path.elbo == np.max(path.iterations.elbo)
        assert path.best_iteration == path.iterations.iteration[np.argmax(path.iterations.elbo)]
    assert result.num_gradients == sum(path.num_gradients for path in result.paths)


# Compilation


class Counted:
    """A log density that counts how often it is traced."""

    def __init__(self):
        self.num_traces = 0

    def __call__(self, params, data):
        self.num_traces += 1
        return -0.5 * jnp.sum((params - data["center"]) ** 2)


# Both programs of the host are made of one trace.
TRACES = {"host": 1, "compiled": 2}


@pytest.mark.parametrize("driver", TRACES)
def test_density_is_not_traced_again(driver):
    density = Counted()
    model = Model.from_log_density(density, np.zeros(3), data={"center": np.zeros(3)})
    density.num_traces = 0  # making a model looks at the shape of what the density returns
    pathfinder.fit(model, seed=0, driver=driver, **QUICK)
    assert density.num_traces == TRACES[driver]
    pathfinder.fit(model, seed=1, num_paths=7, init_radius=1.0, max_lbfgs_iters=50, driver=driver, **QUICK)
    assert density.num_traces == TRACES[driver]


@pytest.mark.parametrize("driver", TRACES)
def test_new_data_of_the_same_shape_need_no_compilation(driver):
    density = Counted()
    for center in (0.0, 10.0):
        model = Model.from_log_density(density, np.zeros(3), data={"center": np.full(3, center)})
        density.num_traces = 0
        result = pathfinder.fit(model, seed=0, driver=driver, **QUICK)
        assert density.num_traces == (TRACES[driver] if center == 0.0 else 0)
        np.testing.assert_allclose(result.unconstrained_draws.mean(), center, atol=0.3)


def test_data_are_arguments_of_the_compiled_programs():
    """Data closed over become constants of a program, data that are passed do not."""
    large = np.zeros((300, 1000))

    def passed(x, data):
        return -jnp.sum((data @ x - 1.0) ** 2) - jnp.sum(x**2)

    model = Model.from_log_density(passed, np.zeros(1000), data=large)
    evaluate = jax.jit(jax.value_and_grad(model.density))
    assert len(evaluate.lower(np.zeros(1000), model.data).as_text()) < 10_000
    assert jax.make_jaxpr(evaluate)(np.zeros(1000), model.data).consts == []
