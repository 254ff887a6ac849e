"""The approximations that are made at an iterate, by the options for them, and the choice among them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._normals.diagonals import SecantSums, scalar_diagonal, secant_diagonal, update_secant_sums
from pathfinder._normals.inverse_hessian import Pairs, has_curvature, inverse_hessian_normal, update_diagonal
from tests import problems
from tests.pathfinder.paths.estimates import RACING, elbo_key, elbo_of, fit
from tests.pathfinder.plain_fits import model_of


@jax.jit
def follow(gilbert, sums, step, change):
    sums = update_secant_sums(sums, step, change)
    return has_curvature(step, change), update_diagonal(gilbert, step, change), sums


@jax.jit
def candidates(position, gradient, pairs, gilbert, sums):
    diagonals = (gilbert, secant_diagonal(sums, gilbert), scalar_diagonal(pairs))
    return [inverse_hessian_normal(position, gradient, pairs, diagonal) for diagonal in diagonals]


def approximations(path, history_size):
    """All candidates at every iterate, from the recorded points alone; the pairs of the path are made again."""
    positions = np.vstack([path.initial_position, path.trajectory.position])
    gradients = -np.vstack([path.initial_gradient, path.trajectory.gradient])
    dim = positions.shape[1]
    gilbert, sums = jnp.ones(dim), SecantSums(jnp.zeros(dim), jnp.zeros(dim))
    padding = np.zeros((history_size, dim))
    steps, changes = (np.vstack([padding, np.diff(points, axis=0)]) for points in (positions, gradients))
    for row in range(len(positions) - 1):
        window = slice(row + 1, row + 1 + history_size)
        curved, gilbert, sums = follow(gilbert, sums, steps[row + history_size], changes[row + history_size])
        assert curved
        pairs = Pairs(jnp.asarray(steps[window]), jnp.asarray(changes[window]))
        yield candidates(positions[row + 1], gradients[row + 1], pairs, gilbert, sums)


@pytest.mark.parametrize(
    ("options", "history_size", "candidate"),
    [
        ({}, 5, 0),
        ({"covariance_history": 12}, 12, 0),
        pytest.param({"covariance_history": 3}, 3, 0, marks=pytest.mark.slow),
        pytest.param({"diagonals": "secant"}, 5, 1, marks=pytest.mark.slow),
        ({"diagonals": "secant", "covariance_history": 20}, 20, 1),  # dense
    ],
)
def test_approximations_are_those_of_the_pairs(logistic, options, history_size, candidate):
    result = fit(logistic, seed=4, save_trajectory=True, **options)
    path = result.paths[0]
    expected = approximations(path, history_size)
    rows = 0
    for row, normals in enumerate(expected):
        own = jax.tree.map(lambda leaf, row=row: leaf[row], path.trajectory.approximations)
        np.testing.assert_allclose(own.to_dense(), normals[candidate].to_dense(), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(own.mean, normals[candidate].mean, rtol=1e-5, atol=1e-6)
        rows += 1
    assert rows == path.num_iterations > history_size


@pytest.mark.parametrize(
    "options",
    [
        RACING,
        pytest.param({"covariance_history": 20}, marks=pytest.mark.slow),
        pytest.param({"diagonals": "bank"}, marks=pytest.mark.slow),
    ],
)
def test_paths_do_not_depend_on_how_they_are_judged(long_model, options):
    """The direction uses `history_size` pairs and the diagonal of Gilbert and Lemarechal, across `rewind`."""
    options = {**options, "elbo_patience": None, "max_lbfgs_iters": 80, "num_paths": 1}
    plain = fit(long_model, seed=1, elbo_patience=None, max_lbfgs_iters=80, num_paths=1)
    other = fit(long_model, seed=1, **options)
    assert plain.paths[0].num_iterations == 80
    for name in ("log_density", "step_norm", "num_gradients"):
        np.testing.assert_allclose(
            getattr(other.paths[0].iterations, name), getattr(plain.paths[0].iterations, name), rtol=1e-9
        )


def test_options_of_other_schedules_change_nothing(logistic):
    plain = fit(logistic, seed=2)
    spelled = fit(logistic, seed=2, covariance_history=5, diagonals="gilbert", schedule="cmdstan", num_race_draws=3)
    np.testing.assert_array_equal(spelled.unconstrained_draws, plain.unconstrained_draws)
    assert spelled.num_densities == plain.num_densities


def test_secant_finds_independent_scales_at_once():
    model = model_of(problems.scaled_normal(30, 1e4))
    for path in fit(model, seed=3, diagonals="secant").paths:
        np.testing.assert_allclose(path.iterations.elbo_standard_error[:1], 0.0, atol=1e-6)
    for path in fit(model, seed=3).paths:
        assert path.elbo_standard_error > 0.01


def test_bank_keeps_the_best_of_its_candidates(logistic):
    """Every candidate has the draws of the others, so that the estimates can be made again."""
    result = fit(logistic, seed=4, diagonals="bank", save_trajectory=True)
    path = result.paths[1]
    winners = set()
    for row, normals in enumerate(approximations(path, 5)):
        key = elbo_key(4, 1, int(path.iterations.iteration[row]))
        elbos = [float(elbo_of(logistic, normal, key, 25).mean) for normal in normals]
        np.testing.assert_allclose(path.iterations.elbo[row], max(elbos), rtol=1e-5)
        own = jax.tree.map(lambda leaf, row=row: leaf[row], path.trajectory.approximations)
        np.testing.assert_allclose(own.variance, normals[int(np.argmax(elbos))].variance, rtol=1e-5)
        winners.add(int(np.argmax(elbos)))
    assert len(winners) > 1
    assert path.elbo == path.iterations.elbo.max()
    assert path.num_densities == 3 * 25 * len(path.iterations.elbo) + 200


@pytest.mark.parametrize("options", [RACING, {"diagonals": "bank"}, {"covariance_history": 9}])
def test_a_path_is_the_same_among_eight_and_alone(long_model, options):
    options = {**options, "max_lbfgs_iters": 70}
    many, alone = (fit(long_model, seed=1, num_paths=count, **options) for count in (8, 1))
    assert many.paths[0].elbo == alone.paths[0].elbo
    assert many.paths[0].best_iteration == alone.paths[0].best_iteration
    np.testing.assert_array_equal(many.paths[0].iterations.elbo, alone.paths[0].iterations.elbo)
    np.testing.assert_array_equal(many.pool.log_q[:200], alone.pool.log_q)
