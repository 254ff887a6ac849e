"""Refined fits: exact on normals, modes kept apart, hard targets survived, costs counted."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model, _modes, _refine, _refine_low_rank, _refined_pool
from pathfinder._linalg import LowRankNormal
from tests import problems


QUICK = {"progress": False, "num_draws": 300, "num_psis_draws": 300}


def refined(density, dim, **options):
    return pathfinder.fit(Model.from_log_density(density, np.zeros(dim)), **{"seed": 1, **QUICK, **options})


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

    def count(name, number):
        calls[name] += int(number)

    @jax.custom_vjp
    def density(x):
        jax.debug.callback(lambda _: count("densities", 1), x[0])
        return -0.5 * jnp.sum((x - 1.0) ** 2) - jnp.sum(jnp.exp(x))

    def forward(x):
        jax.debug.callback(lambda _: count("gradients", 1), x[0])
        return -0.5 * jnp.sum((x - 1.0) ** 2) - jnp.sum(jnp.exp(x)), x

    density.defvjp(forward, lambda x, g: (g * (1.0 - x - jnp.exp(x)),))
    result = refined(density, 2, num_paths=1)
    jax.effects_barrier()
    before = calls["gradients"] - result.refinement.num_gradients
    assert result.refinement.num_gradients == sum(mode.num_gradients for mode in result.refinement.modes) > 0
    assert result.num_gradients == result.paths[0].num_gradients + result.refinement.num_gradients
    # The paths evaluate padded lanes too, refinement none.
    assert before % 4 == 0
    assert before // 4 == result.paths[0].num_gradients
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


def test_another_refined_fit_traces_nothing():
    counted = Counted()
    model = Model.from_log_density(counted.density, np.zeros(3))
    counted.num_densities = 0  # making a model looks at the shape of what the density returns
    inits = [np.full(3, side) for side in (-4.0, 4.0)]
    two = pathfinder.fit(model, init=inits, init_radius=1.0, num_paths=2, seed=1, **QUICK)
    assert len(two.refinement.modes) == 2
    # Gradients: along paths, and in the rounds of all modes. Densities: of the race, of final draws, between modes.
    assert (counted.num_gradients, counted.num_densities) == (2, 3)
    one = pathfinder.fit(model, init=inits[1:] * 2, init_radius=2.0, num_paths=2, seed=2, **QUICK)
    assert len(one.refinement.modes) == 1
    assert (counted.num_gradients, counted.num_densities) == (2, 3)


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


# Several modes


def two_modes(weight, separation, scale, dim=3):
    """A mixture of normals: N(-s, 1) with `weight`, and N(s, scale^2)."""

    def log_density(x):
        first = -0.5 * jnp.sum((x + separation) ** 2)
        second = -0.5 * jnp.sum(((x - separation) / scale) ** 2) - dim * np.log(scale)
        return jnp.logaddexp(np.log(weight) + first, np.log1p(-weight) + second)

    return log_density


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 10))])
def test_mass_of_two_modes(seed):
    inits = [np.full(3, side) for side in (-4.0, -4.0, -4.0, 4.0)]
    result = refined(two_modes(0.3, 4.0, 0.4), 3, seed=seed, init=inits, init_radius=1.0, num_draws=1000,
                     num_psis_draws=4000)  # fmt: skip
    sides = {np.sign(np.asarray(mode.approximation.mean)[0]) for mode in result.refinement.modes}
    assert sides == {-1.0, 1.0}
    assert len(result.refinement.modes) == 2
    assert np.mean(result.unconstrained_draws[:, 0] < 0) == pytest.approx(0.3, abs=0.05 * 0.3)
    weights = {np.sign(np.asarray(mode.approximation.mean)[0]): mode.weight for mode in result.refinement.modes}
    assert weights[-1.0] == pytest.approx(0.3, abs=0.05 * 0.3)


def test_paths_in_one_mode_are_refined_once():
    result = refined(problems.rotated_normal(5, 1e4).log_density, 5, num_paths=6)
    assert len(result.refinement.modes) == 1


def test_a_mode_without_mass_is_not_refined():
    """As in lotka_volterra, where a mode of 1e-15 of the mass attracts one path in three."""
    inits = [np.full(3, side) for side in (-4.0, 4.0)]
    result = refined(two_modes(1e-9, 4.0, 1.0), 3, num_paths=2, init=inits, init_radius=1.0)
    heavy, light = result.refinement.modes
    assert heavy.num_gradients > 0
    assert (light.num_rounds, light.num_gradients) == (0, 0)
    assert heavy.weight > 1 - 1e-6
    assert "too low for a share of the mass" in repr(result)
    assert np.all(result.unconstrained_draws > 0)


def test_modes_apart_in_one_of_many_coordinates():
    def log_density(x):
        rest = -0.5 * jnp.sum(x[1:] ** 2)
        return rest + jnp.logaddexp(-0.5 * (x[0] - 5.0) ** 2, -0.5 * (x[0] + 5.0) ** 2)

    result = refined(log_density, 40, num_paths=8, init_radius=6.0)
    assert len(result.refinement.modes) == 2


# Hard targets


def test_one_dimension():
    result = refined(lambda x: -0.5 * jnp.sum((x - 3.0) ** 2) / 0.01, 1)
    assert result.unconstrained_draws.std() == pytest.approx(0.1, rel=0.05)


def test_funnel():
    def log_density(x):
        return -0.5 * x[0] ** 2 / 9 - 0.5 * jnp.sum(x[1:] ** 2) * jnp.exp(-x[0]) - 0.5 * (x.shape[0] - 1) * x[0]

    result = refined(log_density, 6, num_draws=1000)
    assert np.all(np.isfinite(result.unconstrained_draws))
    assert result.refinement.num_adapted > 0
    assert result.pareto_k > 0.7  # no normal fits, and the result says so


def test_heavy_tails():
    result = refined(lambda x: -2.0 * jnp.sum(jnp.log1p(x**2 / 3)), 4)
    assert np.all(np.isfinite(result.log_p))
    assert abs(np.median(result.unconstrained_draws)) < 0.2


def test_half_of_the_draws_outside_the_support():
    """An exponential distribution without its transform: the density is NaN below zero."""
    result = refined(lambda x: jnp.sum(jnp.where(x > 0, -x, jnp.nan)) + 2.0 * jnp.sum(jnp.log(x)), 2)
    assert np.all(result.unconstrained_draws > 0)
    np.testing.assert_allclose(result.unconstrained_draws.mean(axis=0), 3.0, rtol=0.15)


def test_improper_ridge_ends_with_a_warning_k_hat():
    """Its draws are so far out along the ridge that their weighted moments are no covariance."""
    result = refined(lambda x: -0.5 * (x[0] - x[1]) ** 2, 2, num_draws=1000)
    assert result.pareto_k > 0.7
    assert all(np.all(np.isfinite(values)) for values in result.draws.values())


def test_far_start_with_condition_1e8():
    scales = np.logspace(-4, 0, 3)

    def log_density(x):
        z = x / scales
        return -0.5 * jnp.sum(z**2) - 0.5 * (z[0] - 0.999 * z[1]) ** 2 * 500.0

    result = refined(log_density, 3)
    assert result.refinement.modes[0].divergences[-1] < 0.05
    assert result.pareto_k < 0.7


def test_single_precision():
    with jax.enable_x64(False):
        result = refined(problems.rotated_normal(5, 1e2).log_density, 5)
    assert result.unconstrained_draws.dtype == np.float32
    assert result.pareto_k < 0.7


# What can go wrong


def test_a_round_that_makes_things_worse_is_undone(monkeypatch):
    calls = []
    honest = _refine.refine_round

    def spoilt(normals, *arguments, **options):
        outcome = honest(normals, *arguments, **options)
        calls.append(normals)
        if len(calls) == 1:
            wide = LowRankNormal(outcome.updated.mean, outcome.updated.scale * 1e4, None, outcome.updated.core)
            outcome = outcome._replace(updated=wide)
        return outcome

    monkeypatch.setattr(_refine, "refine_round", spoilt)
    result = refined(problems.logistic_regression(3).log_density, 3)
    (mode,) = result.refinement.modes
    assert mode.num_undone == 1
    assert mode.elbos[1] < mode.elbos[0] - 10
    assert mode.elbo > mode.elbos[0] - 1
    np.testing.assert_array_equal(calls[2].mean, calls[0].mean)


def test_a_start_that_was_better_takes_part(monkeypatch):
    honest = _refine.refine

    def spoilt(*arguments, **options):
        lanes, interrupted = honest(*arguments, **options)
        for lane in lanes:
            shifted = lane.approximation.mean + 3.0
            lane.approximation = dataclasses.replace(lane.approximation, mean=shifted)
            lane.kept.clear()
        return lanes, interrupted

    monkeypatch.setattr(_refine, "refine", spoilt)
    result = refined(problems.rotated_normal(3, 10.0).log_density, 3)
    (mode,) = result.refinement.modes
    assert mode.uses_start
    assert "with draws of the approximation before" in repr(result)
    np.testing.assert_allclose(result.unconstrained_draws.mean(axis=0), np.arange(1, 4) / 3, atol=0.2)


@pytest.mark.parametrize(("proposal", "used"), [("auto", False), ("refined", False), ("all", True)])
def test_what_draws_come_from_can_be_decided(proposal, used):
    result = refined(problems.logistic_regression(3).log_density, 3, proposal=proposal)
    (mode,) = result.refinement.modes
    assert mode.uses_start == used
    counts = np.bincount(result.pool.lanes, minlength=2)
    assert counts[0] == 300
    assert counts[1] == (300 if used else 0)
    assert result.refinement.num_densities >= (600 if used else 300)


@pytest.fixture
def after_rounds(monkeypatch):
    """Makes something happen once a number of rounds is done; returns what each round began with."""
    began = []

    def install(number, happen):
        def counted(run, present, *arguments, **options):
            if len(began) == number:
                happen()
            began.append(jax.tree_util.tree_map(np.array, present))
            return run(present, *arguments, **options)

        monkeypatch.setattr(_refine, "refine_round", partial(counted, _refine.refine_round))
        monkeypatch.setattr(_refine_low_rank, "low_rank_round", partial(counted, _refine_low_rank.low_rank_round))
        return began

    return install


def press_ctrl_c():
    raise KeyboardInterrupt


@pytest.mark.parametrize(("dim", "rounds"), [(5, 2), (250, 1)])
def test_ctrl_c_keeps_what_refinement_has_come_to(after_rounds, dim, rounds):
    log_density = problems.logistic_regression(5).log_density if dim == 5 else low_rank_target(dim)[0]
    began = after_rounds(rounds, press_ctrl_c)
    result = refined(log_density, dim, num_paths=2)
    assert len(began) == rounds
    assert result.interrupted
    (mode,) = result.refinement.modes
    assert mode.num_rounds == rounds
    np.testing.assert_array_equal(mode.approximation.mean, began[-1].mean[0] if dim == 5 else began[-1].mean)
    assert np.all(np.isfinite(result.unconstrained_draws))
    assert "ended early" in repr(result).splitlines()[0]
    assert "The refinement was ended early" in repr(result)


def test_ctrl_c_in_one_mode_leaves_the_next_as_it_is(after_rounds):
    began = after_rounds(1, press_ctrl_c)
    inits = [np.full(3, side) for side in (-4.0, 4.0)]
    result = refined(two_modes(0.5, 4.0, 1.0), 3, num_paths=2, init=inits, init_radius=1.0)
    first, second = result.refinement.modes
    assert len(began) == 1
    assert result.interrupted
    assert (first.num_rounds, second.num_rounds) == (1, 0)
    assert second.num_gradients == 0
    assert np.isnan(second.initial_elbo)
    start = result.paths[second.path].approximation
    np.testing.assert_allclose(second.approximation.mean, start.mean, rtol=1e-12)
    np.testing.assert_allclose(second.approximation.to_dense(), start.to_dense(), rtol=1e-6)
    assert {np.sign(x) for x in result.unconstrained_draws[:, 0]} == {-1.0, 1.0}
    assert f"The mode of path {second.path} was not refined, since no time was left" in repr(result)


def test_ctrl_c_after_a_mode_is_done_loses_nothing_of_it(after_rounds):
    inits = [np.full(3, side) for side in (-4.0, 4.0)]
    log_density = two_modes(0.5, 4.0, 1.0)
    whole = refined(log_density, 3, num_paths=2, init=inits, init_radius=1.0)
    rounds = whole.refinement.modes[0].num_rounds
    began = after_rounds(rounds, press_ctrl_c)
    result = refined(log_density, 3, num_paths=2, init=inits, init_radius=1.0)
    assert len(began) == rounds
    for name in ("mean", "core"):
        one, other = (getattr(each.refinement.modes[0].approximation, name) for each in (whole, result))
        np.testing.assert_array_equal(one, other)


def test_ctrl_c_in_a_batch_loses_nothing_of_fits_that_are_done(after_rounds):
    def log_density(x, data):
        return -0.5 * jnp.sum((x - data["mean"]) ** 2) - data["quartic"] * jnp.sum(x**4)

    data = {"mean": np.zeros((2, 3)), "quartic": np.array([0.0, 5.0])}
    whole = pathfinder.fit_batch(log_density, data, np.zeros(3), seed=1, **QUICK)
    rounds = [fit.refinement.modes[0].num_rounds for fit in whole]
    assert rounds[0] < rounds[1]
    began = after_rounds(rounds[0], press_ctrl_c)
    batch = pathfinder.fit_batch(log_density, data, np.zeros(3), seed=1, **QUICK)
    assert len(began) == rounds[0]
    assert all(fit.interrupted for fit in batch)
    one, other = (each[0].refinement.modes[0].approximation for each in (whole, batch))
    np.testing.assert_array_equal(one.core, other.core)
    kept = batch[1].refinement.modes[0].approximation
    np.testing.assert_array_equal(kept.mean, began[-1].mean[1])


def test_ctrl_c_before_the_first_round_leaves_the_draws_of_the_paths(monkeypatch):
    monkeypatch.setattr(_refine, "distinct_modes", lambda *arguments: press_ctrl_c())
    result = refined(problems.logistic_regression(3).log_density, 3)
    assert result.interrupted
    assert result.refinement is None
    assert result.num_gradients == sum(path.num_gradients for path in result.paths)
    assert "Not refined, because the fit was ended early" in repr(result)
    assert np.all(np.isfinite(result.unconstrained_draws))


def test_a_time_limit_ends_refinement_with_what_there_is(monkeypatch, after_rounds):
    began = after_rounds(-1, press_ctrl_c)

    def check_after_two():
        if len(began) >= 2:
            raise pathfinder._outcomes.Interrupt

    monkeypatch.setattr(pathfinder._fit, "time_limit", lambda begin, max_time: check_after_two)
    result = refined(problems.logistic_regression(5).log_density, 5)
    assert result.interrupted
    assert result.refinement.modes[0].num_rounds == 2
    assert np.all(np.isfinite(result.unconstrained_draws))


# Refined draws that are of no use


def spoil_refined_draws(monkeypatch):
    """Make the refined normals lie where the density is not finite."""
    honest = _refine.refine

    def spoilt(*arguments, **options):
        lanes, interrupted = honest(*arguments, **options)
        for lane in lanes:
            far = dataclasses.replace(lane.approximation, mean=lane.approximation.mean + 1e3)
            lane.approximation, lane.initial = far, dataclasses.replace(lane.initial, mean=far.mean)
            lane.kept.clear()
        return lanes, interrupted

    monkeypatch.setattr(_refine, "refine", spoilt)


def bounded(x):
    return jnp.where(x[0] < 100.0, -0.5 * jnp.sum(x**2), jnp.nan)


def test_a_refinement_in_vain_is_counted(monkeypatch):
    whole = refined(bounded, 2)
    spoil_refined_draws(monkeypatch)
    result = refined(bounded, 2)
    assert result.refinement is None
    assert "Not refined, because no usable draw came of it" in repr(result)
    gradients = whole.refinement.num_gradients
    assert result.num_gradients == sum(path.num_gradients for path in result.paths) + gradients
    # To tell modes apart, the draws of the refined normal, and those of the start that seems to be better.
    profiles = 4 * (_modes.POINTS + 2)
    assert result.refinement_cost == (gradients, profiles + 600)
    assert result.num_densities == sum(path.num_densities for path in result.paths) + profiles + 600


def test_a_refinement_in_vain_is_counted_in_batches(monkeypatch):
    spoil_refined_draws(monkeypatch)
    batch = pathfinder.fit_batch(lambda x, data: bounded(x - data), np.zeros((2, 2)), np.zeros(2), seed=1, **QUICK)
    for number, result in enumerate(batch):
        assert result.refinement is None
        assert result.refinement_cost.num_gradients > 0
        assert result.num_gradients == batch.num_gradients[number]
        assert result.num_densities == batch.num_densities[number]


def test_needs_densities():
    with pytest.raises(ValueError, match="`refine` needs the log density"):
        refined(lambda x: -jnp.sum(x**2), 2, calculate_lp=False, refine=True)


def test_report_names_the_refinement():
    result = refined(problems.logistic_regression(4).log_density, 4)
    text = repr(result)
    mode = result.refinement.modes[0]
    assert f"Refined from path {mode.path}: ELBO {mode.initial_elbo:.2f}" in text
    assert f"{mode.num_rounds} rounds, {mode.num_gradients} gradients" in text


def test_adapting_is_told(monkeypatch):
    monkeypatch.setattr(_refined_pool, "ENOUGH_OF_WANTED", 1e9)
    result = refined(problems.logistic_regression(4).log_density, 4)
    assert result.refinement.num_adapted == 3
    assert "adapted to its own weighted draws 3 times" in repr(result)
    assert result.refinement.effective_sample_size_before < result.effective_sample_size


# Batches of data sets


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


# Many dimensions


def low_rank_target(dim, seed=0):
    """A normal with standard deviations from 0.1 to 10 and three wide directions."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(dim, 3)))[0]
    variances = np.array([1000.0, 100.0, 30.0])
    sd = 10 ** rng.uniform(-1, 1, dim)
    covariance_diagonal = sd**2 * (1 + basis**2 @ (variances - 1))

    def log_density(x):
        z = x / sd - 2.0
        along = z @ basis
        return -0.5 * (jnp.sum(z**2) - jnp.sum(along**2 * (1 - 1 / variances)))

    return log_density, 2.0 * sd, np.sqrt(covariance_diagonal)


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


def test_an_earlier_low_rank_round_is_taken_if_it_was_better(monkeypatch):
    honest = _refine_low_rank.low_rank_round
    calls = []

    def spoilt(present, window, *arguments, **options):
        calls.append(present)
        outcome = honest(present, window, *arguments, **options)._replace(divergence=jnp.ones(()))
        if len(calls) >= 2:
            outcome = outcome._replace(updated=dataclasses.replace(outcome.updated, mean=outcome.updated.mean + 50.0))
        return outcome

    monkeypatch.setattr(_refine_low_rank, "low_rank_round", spoilt)
    result = refined(low_rank_target(250)[0], 250, num_paths=1, max_refine_rounds=4)
    (mode,) = result.refinement.modes
    best = int(np.argmax(mode.elbos))
    np.testing.assert_allclose(mode.approximation.mean, calls[best].mean)
    assert best != 3
