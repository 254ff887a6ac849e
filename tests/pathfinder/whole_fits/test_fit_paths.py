"""Paths that fail, stop early or are interrupted, and what is told of them."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, Status
from tests.pathfinder.plain_fits import PLAIN, QUICK, draws_of_path


def test_one_bad_path_does_not_disturb_the_others(logistic_model, logistic_fit):
    def log_density(x):
        inner = logistic_model.density(x, None)
        return jnp.where(x[0] > 50.0, jnp.nan, inner)

    model = Model.from_log_density(log_density, np.zeros(10))
    center = np.zeros((4, 10))
    center[2] = 100.0
    radius = np.where(center == 0, 2.0, 0.0)
    result = pathfinder.fit(model, init=pathfinder.InitialPoints(center, radius), seed=4, **QUICK)
    assert [path.status.succeeded for path in result.paths] == [True, True, False, True]
    assert result.paths[2].status == Status.INITIALIZATION_FAILED
    assert result.paths[2].weight == 0
    assert np.isnan(result.paths[2].pareto_k)
    assert result.paths[2].approximation is None
    assert len(result.approximations) == 3
    assert set(result.path_ids) <= {0, 1, 3}
    np.testing.assert_allclose(draws_of_path(result, 3), draws_of_path(logistic_fit, 3), rtol=1e-6)


def test_all_paths_fail():
    model = Model.from_log_density(lambda x: jnp.sum(x) * jnp.nan, np.zeros(2))
    with pytest.raises(pathfinder.PathfinderError, match="No path produced an approximation") as caught:
        pathfinder.fit(model, seed=0, num_paths=2, progress=False, **PLAIN)
    assert caught.value.statuses == (Status.INITIALIZATION_FAILED,) * 2
    for path in range(2):
        assert f"path {path}: {Status.INITIALIZATION_FAILED.message}" in str(caught.value)


def test_no_finite_elbo_is_a_failure():
    """Finite on a line only: along the path, but at no draw."""
    model = Model.from_log_density(
        lambda x: jnp.where(x[0] == 1.0, -0.5 * x[1] ** 2 + 0.0 * x[0], jnp.nan), np.zeros(2)
    )
    with pytest.raises(pathfinder.PathfinderError, match="No path produced") as caught:
        pathfinder.fit(model, init=np.array([1.0, 3.0]), seed=0, num_paths=2, progress=False, **PLAIN)
    assert set(caught.value.statuses) == {Status.NO_FINITE_ELBO}


def test_iterations_reach_the_report_as_they_are_scored(logistic_model):
    seen = []
    result = pathfinder.fit(logistic_model, seed=4, report=seen.extend, **QUICK)
    for number, path in enumerate(result.paths):
        own = [report for report in seen if report.lane == number]
        reported = np.concatenate([report.iterations.iteration for report in own])
        np.testing.assert_array_equal(reported, path.iterations.iteration)
        assert own[-1].status == path.status
        assert own[-1].best_elbo == path.elbo
        assert own[-1].best_iteration == path.best_iteration


def test_trajectory_is_kept_if_asked_for(logistic_model, logistic_fit):
    result = pathfinder.fit(logistic_model, seed=4, save_trajectory=True, **QUICK)
    assert all(path.trajectory is None for path in logistic_fit.paths)
    np.testing.assert_array_equal(result.unconstrained_draws, logistic_fit.unconstrained_draws)
    for path in result.paths:
        positions = path.trajectory.position
        values, gradients = jax.jit(jax.vmap(jax.value_and_grad(lambda x: logistic_model.density(x, None))))(positions)
        np.testing.assert_allclose(path.iterations.log_density, values, rtol=1e-9)
        np.testing.assert_allclose(path.trajectory.gradient, gradients, rtol=1e-6, atol=1e-6)
        best = np.argmax(path.iterations.elbo)
        np.testing.assert_array_equal(path.trajectory.approximations.mean[best], path.approximation.mean)


def test_keyboard_interrupt_returns_what_is_finished(long_model):
    """Raised while iterations are reported, after 32 of a path of several hundred."""

    def interrupt(reports):
        raise KeyboardInterrupt

    options = {"num_draws": 50, "num_psis_draws": 50, "elbo_patience": None, "progress": False}
    result = pathfinder.fit(long_model, seed=0, report=interrupt, **options)
    assert result.interrupted
    assert {path.status for path in result.paths} == {Status.INTERRUPTED}
    assert all(path.num_iterations <= 64 for path in result.paths)
    assert result.unconstrained_draws.shape == (50, 50)


def test_keyboard_interrupt_after_the_last_iteration_loses_nothing(logistic_model, logistic_fit):
    def interrupt(reports):
        raise KeyboardInterrupt

    result = pathfinder.fit(logistic_model, seed=4, report=interrupt, **QUICK)
    assert [path.status for path in result.paths] == [path.status for path in logistic_fit.paths]
    np.testing.assert_array_equal(result.unconstrained_draws, logistic_fit.unconstrained_draws)


def test_time_limit_ends_the_paths(long_model):
    options = {"num_draws": 50, "num_psis_draws": 50, "elbo_patience": None, "progress": False, **PLAIN}
    pathfinder.fit(long_model, seed=0, max_lbfgs_iters=40, **options)  # compiles
    begin = time.perf_counter()
    with pytest.raises(pathfinder.PathfinderError, match="time limit"):
        pathfinder.fit(long_model, seed=0, max_time=1e-9, **options)
    assert time.perf_counter() - begin < 10


@pytest.mark.parametrize("driver", ["host", "compiled"])
def test_where_a_path_stalls_is_its_own_affair(funnel_model, driver):
    """Not that of the paths beside it, by which its iterates are scored sooner or later; nor are its counts."""
    options = {"seed": 0, "elbo_patience": 10, "max_lbfgs_iters": 300, "driver": driver, **QUICK}
    together = pathfinder.fit(funnel_model, num_paths=8, **options)
    assert sum(path.status == Status.ELBO_STALLED for path in together.paths) >= 3
    for path in together.paths:
        table = path.iterations
        best_so_far = [np.argmax(table.elbo[: row + 1]) for row in range(len(table.elbo))]
        waited = table.iteration - table.iteration[best_so_far]
        assert np.all(waited[:-1] < 10)
        if path.status == Status.ELBO_STALLED:
            assert waited[-1] == 10
            assert path.num_gradients == path.iterations.num_gradients[-1]
    alone = pathfinder.fit(funnel_model, num_paths=1, **options).paths[0]
    for field in ("status", "num_iterations", "num_gradients", "best_iteration", "elbo"):
        assert getattr(alone, field) == getattr(together.paths[0], field), field


def test_elbo_patience_ends_a_path_early(funnel_model):
    """A path through the funnel gets worse approximations the narrower it becomes."""
    patient = pathfinder.fit(funnel_model, seed=0, elbo_patience=None, max_lbfgs_iters=300, **QUICK)
    result = pathfinder.fit(funnel_model, seed=0, elbo_patience=10, max_lbfgs_iters=300, **QUICK)
    assert Status.ELBO_STALLED in {path.status for path in result.paths}
    for path, other in zip(result.paths, patient.paths, strict=True):
        assert path.num_iterations <= other.num_iterations
