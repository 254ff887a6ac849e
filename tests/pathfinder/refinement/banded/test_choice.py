"""Fits of chains: banded precisions where they are better, against exact moments."""

import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._errors import Interrupt
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._pattern import Pattern
from pathfinder._patterns.find import WrongPatternError
from pathfinder._refinement.banded.choice import refine_beyond_dense
from pathfinder._refinement.history import RefinedLane
from tests.pathfinder.refinement.banded.walks import Walk


WALK = Walk(250)
OPTIONS = {"seed": 1, "progress": False, "num_paths": 2, "chains": False}


def fitted(**options):
    return pathfinder.fit(WALK.log_density, np.zeros(WALK.dim), **(OPTIONS | options))


@pytest.fixture(scope="module")
def moments():
    return WALK.moments()


@pytest.fixture(scope="module")
def result():
    return fitted()


def test_the_moments_are_exact(result, moments):
    mean, sd = moments
    draws = result.unconstrained_draws
    assert np.abs((draws.mean(axis=0) - mean) / sd).mean() < 0.06
    assert np.abs(np.log(draws.std(axis=0) / sd)).mean() < 0.05
    assert abs(draws[:, 0].mean() - mean[0]) < 0.2 * sd[0]
    assert draws[:, 0].std() == pytest.approx(sd[0], rel=0.15)


def test_the_weights_are_even(result):
    assert result.pareto_k < 0.5
    assert result.effective_sample_size > 500
    assert result.is_reliable


def test_the_report_says_which_form_it_is(result):
    (mode, *_) = result.refinement.modes
    assert mode.form == "banded"
    assert mode.num_kept == 64
    assert isinstance(mode.approximation, pathfinder.BorderedNormal)
    assert (mode.approximation.width, mode.approximation.num_border) == (1, 1)
    assert "banded" in repr(result)


def lane_of(kind, check=lambda: None):
    """One lane that is refined from a normal with independent coordinates."""
    start = LowRankNormal(np.zeros(WALK.dim), np.full(WALK.dim, 0.3), np.zeros((WALK.dim, 64)), np.eye(64))
    lane, density = RefinedLane(0, start, start), kind(WALK.log_density, WALK.dim, np.float64)
    return lane, lambda: refine_beyond_dense(
        density, lane, np.array([1, 2], np.uint32), 40, check, settings=pathfinder.Settings()
    )


def test_compiled_densities_give_the_same():
    (one, refine), (other, refine_too) = lane_of(HostDensity), lane_of(CompiledDensity)
    refine()
    refine_too()
    assert (one.form, other.form) == ("banded", "banded")
    assert (one.num_gradients, one.num_densities) == (other.num_gradients, other.num_densities)
    np.testing.assert_allclose(one.approximation.mean, other.approximation.mean, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(one.approximation.variance, other.approximation.variance, rtol=1e-6)
    np.testing.assert_allclose(one.kept[5].log_p, other.kept[5].log_p, rtol=1e-6)


@pytest.mark.slow
def test_both_drivers_give_the_same(result):
    compiled = fitted(driver="compiled")
    np.testing.assert_allclose(result.unconstrained_draws, compiled.unconstrained_draws, rtol=1e-5, atol=1e-6)


def test_it_is_far_better_than_low_rank(result):
    low_rank = fitted(refine_form="low_rank")
    assert low_rank.refinement.modes[0].form == "low_rank"
    assert fitted(pattern=False).refinement.modes[0].form == "low_rank"
    assert result.refinement.modes[0].elbos[-1] > low_rank.refinement.modes[0].elbo + 3.0


def test_results_can_be_saved_and_loaded(result, tmp_path):
    result.save(tmp_path / "result.npz")
    again = pathfinder.load(tmp_path / "result.npz")
    np.testing.assert_array_equal(again.unconstrained_draws, result.unconstrained_draws)
    mode = again.refinement.modes[0]
    assert mode.form == "banded"
    np.testing.assert_array_equal(mode.approximation.variance, result.refinement.modes[0].approximation.variance)


def test_a_matrix_for_samplers(result, moments):
    matrix = result.inverse_mass_matrix()
    np.testing.assert_allclose(np.sqrt(np.diag(matrix.to_dense())), moments[1], rtol=0.25)


def test_a_pattern_can_be_given_and_is_proved():
    mode = fitted(pattern=WALK.pattern).refinement.modes[0]
    assert mode.form == "banded"
    with pytest.raises(WrongPatternError, match="differs by"):
        fitted(pattern=Pattern(np.arange(WALK.dim), 1, 0))
    with pytest.raises(ValueError, match=r"`pattern` must be False or a `pathfinder.Pattern`"):
        fitted(pattern="banded")
    with pytest.raises(ValueError, match="needs a pattern"):
        fitted(pattern=False, refine_form="banded")


def test_a_density_without_a_pattern_is_refined_as_before():
    direction = np.random.default_rng(0).normal(size=250) / np.sqrt(250)

    def log_density(x):
        return -0.5 * (x @ x) - 2.0 * jnp.square(x @ direction)

    mode = pathfinder.fit(log_density, np.zeros(250), **OPTIONS).refinement.modes[0]
    assert mode.form == "low_rank"


def test_chains_go_on_in_its_coordinates(moments):
    result = fitted(chains=True, max_chain_gradients=30_000)
    mean, sd = moments
    draws = result.unconstrained_draws
    assert np.abs((draws.mean(axis=0) - mean) / sd).mean() < 0.08
    assert np.abs(np.log(draws.std(axis=0) / sd)).mean() < 0.06


@pytest.mark.parametrize("calls", [0, 2, 4, 6])
def test_an_interrupt_leaves_what_there_is(calls):
    left = [None] * calls

    def check():
        if not left:
            raise Interrupt
        left.pop()

    lane, refine = lane_of(HostDensity, check)
    with pytest.raises(Interrupt):
        refine()
    assert lane.approximation.is_finite
    assert lane.form == "low_rank"
    assert lane.kept == []


def test_single_precision(moments):
    model = pathfinder.Model.from_log_density(WALK.log_density, np.zeros(WALK.dim, np.float32))
    assert model.dtype == np.float32
    result = pathfinder.fit(model, **OPTIONS)
    assert result.refinement.modes[0].form == "banded"
    assert np.abs(np.log(result.unconstrained_draws.std(axis=0) / moments[1])).mean() < 0.06
