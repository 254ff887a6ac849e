"""Odd densities and precisions through whole fits."""

import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, Status
from tests.pathfinder.plain_fits import PLAIN, QUICK, run_script


def test_one_dimension():
    model = Model.from_log_density(lambda x: -0.5 * (x - 3.0) ** 2 / 0.25, 0.0)
    result = pathfinder.fit(model, seed=0, progress=False, **PLAIN)
    assert result.draws["x"].shape == (1000,)
    assert abs(result.draws["x"].mean() - 3.0) < 5 * 0.5 / np.sqrt(1000)
    np.testing.assert_allclose(result.draws["x"].std(), 0.5, rtol=0.1)


def test_flat_density_gives_the_unit_normal_around_the_starts():
    """An improper target; nothing tells the paths where to go, and they say so."""
    model = Model.from_log_density(lambda x: 0.0 * jnp.sum(x), np.zeros(2))
    with pytest.warns(UserWarning, match="same at every point"):
        result = pathfinder.fit(model, seed=0, **QUICK)
    assert {path.status for path in result.paths} == {Status.CONSTANT_DENSITY}
    np.testing.assert_allclose(result.paths[0].approximation.to_dense(), np.eye(2))


def test_target_that_grows_forever_ends_with_a_status():
    model = Model.from_log_density(lambda x: jnp.sum(x), np.zeros(2))
    try:
        statuses = [path.status for path in pathfinder.fit(model, seed=0, max_lbfgs_iters=200, **QUICK).paths]
    except pathfinder.PathfinderError as error:
        statuses = error.statuses
    assert Status.RUNNING not in statuses
    assert not any(status.converged for status in statuses)


def test_funnel_draws_are_finite_and_k_hat_warns(funnel_model):
    result = pathfinder.fit(funnel_model, seed=0, **QUICK)
    assert np.all(np.isfinite(result.unconstrained_draws))
    assert max(path.pareto_k for path in result.paths) > 0.7


def test_half_of_the_draws_outside_the_support():
    """A half normal without transform: the draws outside have no weight, and are counted."""
    model = Model.from_log_density(
        lambda x: jnp.where(x[0] > 0, -0.5 * jnp.sum(x**2), -jnp.inf), np.zeros(2), name="half"
    )
    result = pathfinder.fit(model, init=np.array([0.8, 1.0]), seed=0, **QUICK)
    assert np.all(result.unconstrained_draws[:, 0] > 0)
    assert result.pool.num_invalid == np.sum(~np.isfinite(result.pool.log_p)) > 0
    assert "not finite" in repr(result)


SINGLE = """
    import numpy as np, jax, jax.numpy as jnp
    import pathfinder
    covariance = np.array([[2.0, 0.6], [0.6, 1.0]])
    precision, mean = jnp.asarray(np.linalg.inv(covariance), jnp.float32), jnp.array([1.0, -2.0], jnp.float32)
    log_density = lambda x: -0.5 * (x - mean) @ (precision @ (x - mean))
    result = pathfinder.fit(log_density, np.zeros(2, np.float32), seed=0, progress=False, refine=False)
    draws = result.unconstrained_draws
    assert draws.dtype == np.float32, draws.dtype
    assert all(path.status.converged for path in result.paths), result
    assert np.all(np.abs(draws.mean(0) - mean) < 5 * np.sqrt(np.diag(covariance) / 1000)), draws.mean(0)
    assert np.all(np.abs(np.cov(draws.T) - covariance) < 0.4), np.cov(draws.T)
    assert result.pareto_k < 0.7, result
"""


def test_single_precision_without_x64():
    run_script(SINGLE)


def test_single_precision_model_with_x64_on():
    def log_density(x):
        return -0.5 * jnp.sum((x - jnp.asarray(2.0, x.dtype)) ** 2)

    result = pathfinder.fit(log_density, np.zeros(3, np.float32), seed=0, **QUICK)
    assert result.unconstrained_draws.dtype == np.float32
    assert np.all(np.abs(result.unconstrained_draws.mean(axis=0) - 2.0) < 5 / np.sqrt(200))
