import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder._normals.diagonals import SecantSums, scalar_diagonal, secant_diagonal, update_secant_sums
from pathfinder._normals.inverse_hessian import Pairs
from pathfinder._optimizer import lbfgs
from pathfinder._optimizer.lbfgs import trial_point
from pathfinder._optimizer.start import Start
from pathfinder._optimizer.state import DONE, Tolerances, can_step, init, rewind
from pathfinder._settings import Settings
from tests import problems


def pairs_of(hessian, num_pairs, seed=0):
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((num_pairs, len(hessian)))
    return Pairs(jnp.asarray(steps), jnp.asarray(steps @ hessian))


def sums_of(pairs):
    sums = SecantSums(*[jnp.zeros(pairs.positions.shape[1])] * 2)
    for step, change in zip(*pairs, strict=True):
        sums = update_secant_sums(sums, step, change)
    return sums


def correlated_hessian(dim):
    factor = np.random.default_rng(1).standard_normal((dim, 2 * dim))
    return factor @ factor.T


def test_secant_is_the_weighted_sum_over_all_pairs():
    steps, changes = map(np.asarray, pairs_of(correlated_hessian(4), 7))
    above, below = np.zeros(4), np.zeros(4)
    for age, (step, change) in enumerate(zip(steps[::-1], changes[::-1], strict=True)):
        above += 0.9**age * step**2 / (step @ change)
        below += 0.9**age * change**2 / (step @ change)
    diagonal = secant_diagonal(sums_of(Pairs(jnp.asarray(steps), jnp.asarray(changes))), jnp.ones(4))
    np.testing.assert_allclose(diagonal, np.sqrt(above / below), rtol=1e-12)


def test_secant_is_exact_for_independent_coordinates():
    variances = np.logspace(-4, 4, 6)
    diagonal = secant_diagonal(sums_of(pairs_of(np.diag(1 / variances), 1)), jnp.ones(6))
    np.testing.assert_allclose(diagonal, variances, rtol=1e-12)


def test_secant_follows_the_units_of_the_parameters():
    hessian, units = correlated_hessian(5), np.logspace(-3, 3, 5)
    steps, changes = pairs_of(hessian, 4)
    plain = secant_diagonal(sums_of(Pairs(steps, changes)), jnp.ones(5))
    scaled = secant_diagonal(sums_of(Pairs(steps * units[None], changes / units[None])), jnp.ones(5))
    np.testing.assert_allclose(scaled, plain * units**2, rtol=1e-12)


def test_secant_leaves_coordinates_alone_that_have_not_moved():
    sums = SecantSums(jnp.array([4.0, 0.0, 1.0]), jnp.array([1.0, 1.0, 0.0]))
    np.testing.assert_allclose(secant_diagonal(sums, jnp.array([7.0, 8.0, 9.0])), [2.0, 8.0, 9.0])


def test_pair_that_overflows_is_left_out():
    sums = SecantSums(jnp.ones(2), jnp.ones(2))
    after = update_secant_sums(sums, jnp.full(2, 1e-200), jnp.full(2, 1e200))
    np.testing.assert_array_equal(after.positions, sums.positions)
    np.testing.assert_array_equal(after.gradients, sums.gradients)


def test_scalar_fits_the_newest_pair():
    pairs = pairs_of(correlated_hessian(4), 3)
    step, change = pairs.positions[-1], pairs.gradients[-1]
    np.testing.assert_allclose(scalar_diagonal(pairs), np.full(4, step @ change / (change @ change)), rtol=1e-12)
    np.testing.assert_array_equal(scalar_diagonal(jax.tree.map(jnp.zeros_like, pairs)), np.ones(4))


@pytest.mark.parametrize("num_rows", [3, 100])
def test_paths_follow_the_secant(num_rows):
    """Exact from the first step on, also across `rewind`, and without influence on the path."""
    density = problems.scaled_normal(6, 1e4)
    start = density.starts(1)
    tolerances = Tolerances.from_settings(Settings(), start.dtype)
    box = Start(np.zeros((1, 2), np.uint32), start, np.zeros_like(start), np.ones(1, np.int32))
    evaluate = jax.jit(jax.vmap(jax.value_and_grad(density.log_density)))
    traces = []
    for follows_secant in (True, False):
        path = init(box, num_kept=5, num_rows=num_rows, follows_secant=follows_secant)
        path = path._replace(state=path.state._replace(position=start))
        positions = []
        while path.state.phase != DONE:
            value, score = map(np.asarray, evaluate(trial_point(path)))
            path = lbfgs.step(path, trial_point(path), value, score, tolerances, 5)
            if not can_step(path):
                num_recorded = int(path.state.num_recorded[0])
                trace = jax.tree.map(lambda rows, n=num_recorded: rows[0, :n].copy(), path.records.trace)
                positions.append(trace.position)
                if follows_secant:
                    variances = np.diag(density.covariance)
                    np.testing.assert_allclose(trace.secant, np.tile(variances, (num_recorded, 1)), rtol=1e-3)
                path = rewind(path, num_kept=5)
        traces.append(np.concatenate(positions))
    np.testing.assert_array_equal(*traces)
