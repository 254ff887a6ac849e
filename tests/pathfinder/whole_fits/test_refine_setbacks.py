"""Rounds that fail, interrupts, time limits, and refined draws that are of no use."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Status
from tests import problems
from tests.pathfinder.refining import QUICK, low_rank_target, misleading, refined, two_modes


# From near the mode the gradients of paths are right, and both rounds of refinement are misled at their draws.
MISLED = {"init": np.full(6, 0.01), "init_radius": 0.02, "num_paths": 2, "max_refine_rounds": 2}


def test_a_start_that_was_better_takes_part():
    # Of a density that looks flat.
    result = refined(misleading(push=0.0), 6, **MISLED)
    (mode,) = result.refinement.modes
    assert mode.elbo < mode.initial_elbo - 10
    assert mode.uses_start
    assert "with draws of the approximation before" in repr(result)
    np.testing.assert_allclose(result.unconstrained_draws.mean(axis=0), 0.0, atol=0.2)


def test_one_draw_that_is_far_off_is_no_excuse():
    """It makes the refined ELBO much worse, and its error as large."""

    def log_density(x):
        inner, outer = (-0.5 * (x / scale) ** 2 - jnp.log(scale) for scale in (0.4, 1.5))
        beyond = jnp.maximum(jnp.abs(x) - 4.5, 0.0)  # where few of the refined draws come, and none of the path's
        return jnp.sum(jnp.logaddexp(inner - 1.0, outer) - 1e7 * beyond)

    result = pathfinder.fit(log_density, jnp.zeros(2), seed=0, num_paths=2, chains=False, progress=False)
    (mode,) = result.refinement.modes
    assert mode.elbo < mode.initial_elbo - 100
    assert mode.elbo_standard_error > 100
    assert mode.uses_start


@pytest.mark.parametrize(("proposal", "used"), [("auto", False), ("refined", False), ("all", True)])
def test_what_draws_come_from_can_be_decided(proposal, used):
    result = refined(problems.logistic_regression(3).log_density, 3, proposal=proposal)
    (mode,) = result.refinement.modes
    assert mode.uses_start == used
    counts = np.bincount(result.pool.lanes, minlength=2)
    assert counts[0] == 300
    assert counts[1] == (300 if used else 0)
    assert result.refinement.num_densities >= (600 if used else 300)


class Rounds:
    """A density and a clock that know how many rounds of refinement are done, and end the fit after some of them.

    Args:
        log_density: Of the model.
        rounds: After how many; before the first one if 0.
        how: KeyboardInterrupt, or TimeoutError for a clock that is put forward.
    """

    def __init__(self, log_density, rounds, how, num_paths):
        self.log_density, self.left, self.how, self.num_paths = log_density, rounds, how, num_paths
        self.ended_paths, self.evaluated = set(), False
        self.clock, self.ahead = time.perf_counter, 0.0

    def report(self, reports):
        """Given to the fit, which tells how its paths ended."""
        self.ended_paths |= {each.lane for each in reports if each.status != Status.RUNNING}

    @property
    def refines(self):
        return len(self.ended_paths) == self.num_paths

    def density(self):
        def noted(zeros):
            self.evaluated |= self.refines
            return zeros

        @jax.custom_vjp
        def density(x):
            return self.log_density(x)

        def forward(x):
            shape = jax.ShapeDtypeStruct((), x.dtype)
            value, gradient = jax.value_and_grad(self.log_density)(x)
            return value + jax.pure_callback(noted, shape, 0.0 * x[0], vmap_method="expand_dims"), gradient

        density.defvjp(forward, lambda gradient, g: (g * gradient,))
        return density

    def perf_counter(self):
        """The time, which is looked at before each round."""
        self.left, self.evaluated = self.left - self.evaluated, False
        if self.left == 0 and self.refines:
            self.left = -1
            if self.how is KeyboardInterrupt:
                raise KeyboardInterrupt
            self.ahead = 1e9
        return self.clock() + self.ahead


def refined_until(monkeypatch, rounds, how, log_density, dim, num_paths=2, **options):
    watched = Rounds(log_density, rounds, how, num_paths)
    with monkeypatch.context() as patch:
        patch.setattr(time, "perf_counter", watched.perf_counter)
        return refined(
            watched.density(), dim, num_paths=num_paths, max_time=1e8, report=watched.report, driver="host", **options
        )


@pytest.mark.parametrize("how", [KeyboardInterrupt, TimeoutError])
@pytest.mark.parametrize(("dim", "rounds"), [(5, 2), pytest.param(250, 1, marks=pytest.mark.slow)])
def test_what_refinement_has_come_to_is_kept(monkeypatch, dim, rounds, how):
    log_density = problems.logistic_regression(5).log_density if dim == 5 else low_rank_target(dim)[0]
    result = refined_until(monkeypatch, rounds, how, log_density, dim)
    assert result.interrupted
    (mode,) = result.refinement.modes
    assert mode.num_rounds == rounds
    assert np.all(np.isfinite(result.unconstrained_draws))
    assert "ended early" in repr(result).splitlines()[0]
    assert "The refinement was ended early" in repr(result)


def test_ctrl_c_in_one_mode_leaves_the_next_as_it_is(monkeypatch):
    inits = [np.full(3, side) for side in (-4.0, 4.0)]
    result = refined_until(monkeypatch, 1, KeyboardInterrupt, two_modes(0.5, 4.0, 1.0), 3, init=inits, init_radius=1.0)
    first, second = result.refinement.modes
    assert result.interrupted
    assert (first.num_rounds, second.num_rounds) == (1, 0)
    assert second.num_gradients == 0
    assert np.isnan(second.initial_elbo)
    start = result.paths[second.path].approximation
    np.testing.assert_allclose(second.approximation.mean, start.mean, rtol=1e-12)
    np.testing.assert_allclose(second.approximation.to_dense(), start.to_dense(), rtol=1e-6)
    assert {np.sign(x) for x in result.unconstrained_draws[:, 0]} == {-1.0, 1.0}
    assert f"The mode of path {second.path} was not refined, since no time was left" in repr(result)


def test_no_time_for_the_first_round_leaves_the_draws_of_the_paths(monkeypatch):
    result = refined_until(monkeypatch, 0, TimeoutError, problems.logistic_regression(3).log_density, 3)
    assert result.interrupted
    assert result.refinement is None
    assert result.num_gradients == sum(path.num_gradients for path in result.paths)
    assert "Not refined, because the fit was ended early" in repr(result)
    assert np.all(np.isfinite(result.unconstrained_draws))


@pytest.mark.parametrize("driver", ["host", pytest.param("compiled", marks=pytest.mark.slow)])
def test_a_refinement_in_vain_is_counted(driver):
    result = refined(misleading(100.0, end=8.0), 6, proposal="refined", driver=driver, **MISLED)
    assert result.refinement is None
    assert "Not refined, because no usable draw came of it" in repr(result)
    # Twelve points between the mode and each path, to tell modes apart, and the draws of the refined normal.
    assert result.refinement_cost == (64, 2 * 12 + 300)
    assert result.num_gradients == sum(path.num_gradients for path in result.paths) + 64
    assert result.num_densities == sum(path.num_densities for path in result.paths) + 2 * 12 + 300


def test_a_refinement_in_vain_is_counted_in_batches():
    batch = pathfinder.fit_batch(
        lambda x, data: misleading(100.0, end=8.0)(x) + data, np.zeros(2), np.zeros(6), seed=1, proposal="refined",
        **{**QUICK, **MISLED},
    )  # fmt: skip
    for number, result in enumerate(batch):
        assert result.refinement is None
        assert result.refinement_cost.num_gradients == 64
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


def test_adapting_is_told():
    # More draws are asked for than there are, so weights are never even enough.
    result = refined(problems.logistic_regression(4).log_density, 4, num_psis_draws=100_000)
    assert result.refinement.num_adapted == 3
    assert "adapted to its own weighted draws 3 times" in repr(result)
    assert result.refinement.effective_sample_size_before < result.effective_sample_size
