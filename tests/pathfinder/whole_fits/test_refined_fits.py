"""Refined fits: exact on normals, draws with their densities, costs counted, batches, many dimensions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model
from tests import problems
from tests.pathfinder.refining import QUICK, low_rank_target, refined, two_modes


@pytest.mark.parametrize("condition", [1e2, 1e8])
def test_a_correlated_normal_is_found_exactly(condition):
    target = problems.rotated_normal(12, condition)
    result = refined(target.log_density, 12)
    (mode,) = result.refinement.modes
    normal = mode.approximation
    covariance = np.asarray(normal.to_dense())
    relative = np.linalg.solve(target.covariance, covariance)
    assert np.abs(np.log(np.linalg.eigvals(relative).real)).max() < 0.2
    standardized = (np.asarray(normal.mean) - target.mean) / np.sqrt(np.diag(target.covariance))
    np.testing.assert_allclose(standardized, 0.0, atol=0.1)
    assert mode.divergences[-1] < 0.02 <= mode.divergences[0]
    assert mode.elbo > mode.initial_elbo
    assert result.pareto_k < 0.5
    assert result.effective_sample_size > 0.9 * len(result.pool)


def test_refinement_beats_the_path_where_pairs_are_too_few():
    target = problems.rotated_normal(60, 1e4)
    plain = refined(target.log_density, 60, refine=False)
    result = refined(target.log_density, 60)

    def error(one):
        sd = one.unconstrained_draws.std(axis=0)
        return np.abs(np.log(sd / np.sqrt(np.diag(target.covariance)))).mean()

    assert error(result) < 0.08 < error(plain)


def test_costs_are_what_was_evaluated():
    calls = {"gradients": 0, "densities": 0}

    def counted(name, x):
        """Zero, at the cost of a call of the host, one for a whole batch."""

        def count(ones):
            calls[name] += ones.size
            return 0.0 * ones

        return jax.pure_callback(count, jax.ShapeDtypeStruct((), x.dtype), 1.0 + 0.0 * x[0], vmap_method="expand_dims")

    def log_density(x):
        return -0.5 * jnp.sum((x - 1.0) ** 2) - jnp.sum(jnp.exp(x))

    @jax.custom_vjp
    def density(x):
        return log_density(x) + counted("densities", x)

    def forward(x):
        return log_density(x) + counted("gradients", x), x

    density.defvjp(forward, lambda x, g: (g * (1.0 - x - jnp.exp(x)),))
    result = refined(density, 2, num_paths=1)
    assert result.refinement.num_gradients == sum(mode.num_gradients for mode in result.refinement.modes) > 0
    assert result.num_gradients == result.paths[0].num_gradients + result.refinement.num_gradients
    # Calls of Python are made one by one: none but those that are counted.
    assert calls["gradients"] == result.num_gradients
    assert result.refinement.num_densities == 300


class Counted:
    """Two normals, and how often their density is traced, with its gradient and alone."""

    def __init__(self):
        self.num_gradients = self.num_densities = 0
        inner = two_modes(0.5, 4.0, 1.0)

        @jax.custom_vjp
        def density(x):
            self.num_densities += 1
            return inner(x)

        def forward(x):
            self.num_gradients += 1
            value, gradient = jax.value_and_grad(inner)(x)
            return value, gradient

        density.defvjp(forward, lambda gradient, g: (g * gradient,))
        self.density = density


# On the host one program each. Compiled, gradients are in the paths and in the rounds of all modes; densities in the
# race, in final draws, and between modes.
@pytest.mark.parametrize(("driver", "traces"), [("host", (1, 1)), ("compiled", (2, 3))])
def test_another_refined_fit_traces_nothing(driver, traces):
    counted = Counted()
    model = Model.from_log_density(counted.density, np.zeros(3))
    counted.num_densities = 0  # making a model looks at the shape of what the density returns
    inits, options = [np.full(3, side) for side in (-4.0, 4.0)], {"num_paths": 2, "driver": driver, **QUICK}
    two = pathfinder.fit(model, init=inits, init_radius=1.0, seed=1, **options)
    assert len(two.refinement.modes) == 2
    assert (counted.num_gradients, counted.num_densities) == traces
    one = pathfinder.fit(model, init=inits[1:] * 2, init_radius=2.0, seed=2, **options)
    assert len(one.refinement.modes) == 1
    assert (counted.num_gradients, counted.num_densities) == traces


def test_same_seed_same_draws():
    target = problems.logistic_regression(6)
    one, again, other = (refined(target.log_density, 6, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.unconstrained_draws, again.unconstrained_draws)
    assert not np.array_equal(one.unconstrained_draws, other.unconstrained_draws)


def test_draws_carry_their_densities():
    target = problems.logistic_regression(4)
    result = refined(target.log_density, 4)
    log_p = jax.vmap(target.log_density)(result.unconstrained_draws)
    np.testing.assert_allclose(result.log_p, log_p, rtol=1e-10)
    own = [
        float(jax.tree_util.tree_map(lambda leaf, i=lane: leaf[i], result.source.approximations).log_density(draw))
        for lane, draw in zip(result.pool.lanes[result.rows], result.unconstrained_draws, strict=True)
    ]
    np.testing.assert_allclose(result.log_q, own, rtol=1e-8)
    assert set(result.path_ids) == {result.refinement.modes[0].path}


def test_weights_are_against_the_mixture_in_proportion_to_its_draws():
    target = problems.logistic_regression(4)
    pool = refined(target.log_density, 4)
    shares = np.bincount(pool.pool.lanes, minlength=pool.source.num_lanes) / len(pool.pool)
    draws = pool.resample(len(pool.pool), method="systematic")
    rows = draws.rows[:40]
    positions = draws.unconstrained_draws[:40]
    used = np.flatnonzero(shares)
    normals = [jax.tree_util.tree_map(lambda leaf, i=i: leaf[i], pool.source.approximations) for i in used]
    log_q = np.array([jax.vmap(normal.log_density)(positions) for normal in normals]) + np.log(shares[used])[:, None]
    np.testing.assert_allclose(pool.pool.log_proposal[rows], jax.scipy.special.logsumexp(log_q, axis=0), rtol=1e-8)


def test_a_batch_is_refined_fit_by_fit():
    def log_density(x, data):
        return -0.5 * jnp.sum((x - data) ** 2 / jnp.array([1.0, 100.0])) - 0.2 * (x[0] - 0.1 * x[1]) ** 2

    data = np.arange(6.0).reshape(3, 2)
    batch = pathfinder.fit_batch(log_density, data, np.zeros(2), seed=1, **QUICK)
    assert np.all(batch.succeeded)
    assert np.all(batch.pareto_k < 0.7)
    for number, result in enumerate(batch):
        single = pathfinder.fit(log_density, np.zeros(2), data=data[number], seed=batch.keys[number], **QUICK)
        np.testing.assert_allclose(result.unconstrained_draws, single.unconstrained_draws, rtol=1e-6, atol=1e-8)
        assert result.num_gradients == single.num_gradients == batch.num_gradients[number]
        assert result.num_densities == single.num_densities == batch.num_densities[number]
    (draws,) = batch.draws.values()
    assert draws.shape == (3, 300, 2)
    np.testing.assert_array_equal(draws[1], batch[1].unconstrained_draws)


def test_many_dimensions_are_matched_by_low_rank():
    log_density, mean, sd = low_rank_target(300)
    result = refined(log_density, 300, num_paths=1)
    (mode,) = result.refinement.modes
    assert mode.approximation.basis.shape == (300, 64)
    found = np.sqrt(np.asarray(mode.approximation.variance))
    assert np.abs(np.log(found / sd)).max() < 0.02
    assert np.abs((np.asarray(mode.approximation.mean) - mean) / sd).max() < 0.05
    assert mode.divergences[-1] * 300 < 0.1
    assert result.pareto_k < 0.5
    assert mode.elbo > mode.initial_elbo + 10
