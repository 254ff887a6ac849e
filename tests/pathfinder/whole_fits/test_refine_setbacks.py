"""Rounds that fail, interrupts, time limits, and refined draws that are of no use."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder._importance import refined_pool
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._refinement import dense_rounds, low_rank_rounds
from pathfinder._refinement import modes as _modes
from pathfinder._refinement import refine as _refine
from tests import problems
from tests.pathfinder.refining import QUICK, low_rank_target, refined, two_modes


def test_a_round_that_makes_things_worse_is_undone(monkeypatch):
    calls = []
    honest = dense_rounds.refine_round

    def spoilt(normals, *arguments, **options):
        outcome = honest(normals, *arguments, **options)
        calls.append(normals)
        if len(calls) == 1:
            wide = LowRankNormal(outcome.updated.mean, outcome.updated.scale * 1e4, None, outcome.updated.core)
            outcome = outcome._replace(updated=wide)
        return outcome

    monkeypatch.setattr(dense_rounds, "refine_round", spoilt)
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

        monkeypatch.setattr(dense_rounds, "refine_round", partial(counted, dense_rounds.refine_round))
        monkeypatch.setattr(low_rank_rounds, "low_rank_round", partial(counted, low_rank_rounds.low_rank_round))
        return began

    return install


def press_ctrl_c():
    raise KeyboardInterrupt


@pytest.mark.parametrize(("dim", "rounds"), [(5, 2), pytest.param(250, 1, marks=pytest.mark.slow)])
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


@pytest.mark.slow
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


@pytest.mark.slow
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
            raise pathfinder._density.interrupt.Interrupt

    monkeypatch.setattr(pathfinder._fitting.fit, "time_limit", lambda begin, max_time: check_after_two)
    result = refined(problems.logistic_regression(5).log_density, 5)
    assert result.interrupted
    assert result.refinement.modes[0].num_rounds == 2
    assert np.all(np.isfinite(result.unconstrained_draws))


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


@pytest.mark.slow
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
    monkeypatch.setattr(refined_pool, "ENOUGH_OF_WANTED", 1e9)
    result = refined(problems.logistic_regression(4).log_density, 4)
    assert result.refinement.num_adapted == 3
    assert "adapted to its own weighted draws 3 times" in repr(result)
    assert result.refinement.effective_sample_size_before < result.effective_sample_size
