"""Wrong gradients, kinks, cliffs, boundaries, overflow and starts from which no path begins."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._status import Status
from tests.pathfinder.optimizer.lbfgs_runs import run_path


@jax.custom_vjp
def mistaken(x, right):
    """-|x|^4 / 4 whose gradient has the wrong sign unless `right`."""
    return -0.25 * jnp.sum(x**4)


mistaken.defvjp(
    lambda x, right: (mistaken(x, right), (x, right)),
    lambda saved, g: (jnp.where(saved[1], -1.0, 1.0) * saved[0] ** 3 * g, None),
)


def test_wrong_gradient_fails_at_the_start():
    state, trace, _ = run_path(lambda x: mistaken(x, False), np.ones(3))
    assert Status(int(state.status)) == Status.LINE_SEARCH_FAILED_AT_START
    assert len(trace.iteration) == 0


def test_gradient_that_turns_wrong_later_fails_there():
    state, trace, _ = run_path(lambda x: mistaken(x, jnp.sum(x**2) > 1.0), np.full(3, 2.0))
    assert Status(int(state.status)) == Status.LINE_SEARCH_FAILED
    assert len(trace.iteration) == state.iteration >= 1


def test_discontinuous_density_ends_with_a_status():
    def sawtooth(x):
        return -jnp.sum(x - 2.0 * jnp.floor(x)) - 0.001 * jnp.sum(x**2)

    state, _, _ = run_path(sawtooth, np.full(2, 0.3))
    assert Status(int(state.status)) in (Status.LINE_SEARCH_FAILED, Status.LINE_SEARCH_FAILED_AT_START)


@pytest.mark.parametrize("dim", [1, 3])
def test_kink_at_the_optimum(dim):
    """No step along a line through the kink of a Laplace density satisfies the curvature condition."""
    state, trace, _ = run_path(lambda x: -jnp.sum(jnp.abs(x)), np.arange(1.0, dim + 1))
    assert Status(int(state.status)).succeeded
    np.testing.assert_allclose(trace.position[-1], 0.0, atol=1e-3)


def test_density_without_end_has_no_path():
    state, trace, _ = run_path(lambda x: jnp.sum(x), np.ones(2))
    assert Status(int(state.status)) == Status.LINE_SEARCH_FAILED_AT_START
    assert len(trace.iteration) == 0


def test_cliff_at_the_start_fails_there():
    """The gradient points over an edge beyond which the density is lower."""

    def cliff(x):
        return jnp.sum(x) - jnp.where(jnp.sum(x) > 3.0, 1e6, 0.0)

    state, _, _ = run_path(cliff, np.ones(3))
    assert Status(int(state.status)) == Status.LINE_SEARCH_FAILED_AT_START


@pytest.mark.parametrize("start", [1e-8, 1e-3, 0.5, 30.0])
def test_support_with_a_boundary(start):
    """A gamma density without transform is NaN below zero; its mode is at 2."""
    state, trace, _ = run_path(lambda x: jnp.sum(2.0 * jnp.log(x) - x), [start, 1.0])
    assert Status(int(state.status)).converged
    np.testing.assert_allclose(trace.position[-1], 2.0, rtol=1e-3)


@pytest.mark.parametrize("start", [-20.0, 5.0, 10.0, 100.0])
def test_density_that_overflows(start):
    """Log of an exponential waiting time: exp(x) overflows above 709; the mode is at 0."""
    state, trace, _ = run_path(lambda x: jnp.sum(x - jnp.exp(x)), [start, 0.3])
    assert Status(int(state.status)).converged
    np.testing.assert_allclose(trace.position[-1], 0.0, atol=1e-3)


def test_gradient_that_is_nan_where_the_density_is_finite():
    @jax.custom_vjp
    def density(x):
        return -jnp.sum((x - 1.0) ** 2)

    density.defvjp(lambda x: (density(x), x), lambda x, g: (jnp.where(x > 1.5, jnp.nan, -2.0 * (x - 1.0)) * g,))
    state, trace, _ = run_path(density, np.array([-3.0, 0.0]), init_alpha=3.0)
    assert Status(int(state.status)).converged
    assert np.all(np.isfinite(trace.gradient))
    np.testing.assert_allclose(trace.position[-1], 1.0, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1e20, 1e100])
def test_extreme_gradients_at_the_start(scale):
    state, trace, _ = run_path(lambda x: -scale * jnp.sum((x - 1.0) ** 2), [0.0, 3.0], tol_obj=1e-300, tol_grad=1e-300)
    assert Status(int(state.status)).converged
    np.testing.assert_allclose(trace.position[-1], 1.0, rtol=1e-5)


def test_gradient_whose_norm_overflows_is_no_start():
    """It used to converge on the spot, since an infinite slope satisfies every inequality."""
    state, trace, _ = run_path(lambda x: jnp.sum(x - jnp.exp(x)), [690.0, 0.3])
    assert Status(int(state.status)) == Status.INITIALIZATION_FAILED
    assert len(trace.iteration) == 0


def in_corner(x):
    """Defined in one of eight octants."""
    return jnp.sum(jnp.log(x) - x)


def test_initial_points_are_tried_until_one_is_finite():
    tries = []
    for seed in range(20):
        state, trace, _ = run_path(in_corner, np.zeros(3), radius=2.0, max_tries=100, seed=seed)
        assert Status(int(state.status)).converged
        tries.append(trace.num_gradients[0] - 1)
        assert np.isfinite(state.tries.log_density)
    assert 3 < np.mean(tries) < 15  # 8 on average, and one or two for the first line search


def test_no_initial_point_after_all_tries():
    state, trace, _ = run_path(lambda x: jnp.sum(x) * jnp.nan, np.zeros(3), radius=2.0, max_tries=100)
    assert Status(int(state.status)) == Status.INITIALIZATION_FAILED
    assert state.num_gradients == 100
    assert state.tries.num_tries == 100
    assert np.isnan(state.tries.log_density)
    assert not state.tries.is_finite.any()
    assert len(trace.iteration) == 0


def test_given_initial_point_is_tried_once():
    state, _, _ = run_path(in_corner, -np.ones(3))
    assert Status(int(state.status)) == Status.INITIALIZATION_FAILED
    assert state.num_gradients == 1


@pytest.mark.parametrize("log_density", [lambda x: -jnp.sum(x**2), lambda x: 0.0 * jnp.sum(x)], ids=["mode", "flat"])
def test_stationary_start_is_the_only_iterate(log_density):
    state, trace, _ = run_path(log_density, np.zeros(3))
    assert Status(int(state.status)) == Status.STATIONARY_START
    assert list(trace.iteration) == [0]
    np.testing.assert_array_equal(trace.position, np.zeros((1, 3)))
