"""Refinement does not end below its start, whatever the density."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from benchmarks import posteriors
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.host import HostDensity
from pathfinder._normals.elbo import estimate_elbo
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._refinement.judging import Judgement, is_close, is_failure
from pathfinder._refinement.refine import refine
from tests import problems


MANY = 210
FOLDER = posteriors.directory()


def boundary(x, data):
    """An exponential distribution, which ends at zero, in each dimension."""
    return jnp.where(jnp.all(x > 0), -jnp.sum(x), -jnp.inf)


def banana(x, data):
    return problems.rosenbrock(x.shape[-1]).log_density(x)


def funnel(x, data):
    return problems.funnel(x.shape[-1]).log_density(x)


def spike(x, data):
    """Its scores are large in a narrow cleft and nearly nothing elsewhere, so that steps leap."""
    return -0.5 * jnp.sum(x**2) / 1e4 - jnp.sum(jnp.exp(0.5 * x)) - jnp.log1p(1e4 * x[0] ** 2)


def start_of(dim, mean, scale):
    basis, core = (None, np.eye(dim)[None]) if dim <= 200 else (np.zeros((1, dim, 4)), np.eye(4)[None])
    return LowRankNormal(np.full((1, dim), mean), np.full((1, dim), scale), basis, core)


def elbo_of(density, normal, count=4000):
    noise = np.random.default_rng(0).normal(size=(count, normal.dim))
    log_p = np.asarray(density.values(density.arrays(normal.transform(noise)[None])))[0]
    return estimate_elbo(log_p, normal.log_density_of_noise(noise))


@pytest.mark.parametrize("kind", [HostDensity, CompiledDensity])
@pytest.mark.parametrize(
    ("function", "dim", "mean", "scale"),
    [
        (boundary, 1, 1.5, 0.4),
        (boundary, 3, 1.5, 0.4),
        (banana, 2, 0.9, 0.03),
        (banana, 8, 0.9, 0.03),
        (funnel, 8, 0.0, 0.5),
        (spike, 2, 0.0, 0.01),
        (funnel, MANY, 0.0, 0.5),
        (banana, MANY, 0.9, 0.02),
    ],
)
def test_the_end_is_not_below_the_start(function, dim, mean, scale, kind):
    density = kind(function, dim, np.float64)
    for seed in range(2):
        keys = density.arrays(np.array([[seed, 7]], np.uint32))
        lane_of = density.arrays(start_of(dim, mean, scale))
        (lane,), _ = refine(density, lane_of, np.zeros(1, int), keys, np.zeros(1, int), np.ones(1, bool), 20)
        before, after = elbo_of(density, lane.initial), elbo_of(density, lane.approximation)
        # Of the estimates that the choice rests on, and of these here.
        error = np.hypot(lane.initial_elbo_standard_error, min(lane.elbo_standard_errors)) + np.hypot(
            np.nan_to_num(after.standard_error), np.nan_to_num(before.standard_error)
        )
        assert after.mean > before.mean - 3 * error


@pytest.mark.skipif(FOLDER is None or not (FOLDER / "hard").is_dir(), reason="needs the folder of hard posteriors")
@pytest.mark.parametrize(
    ("program", "data"),
    [
        ("Survey_model", "Survey_data"),
        pytest.param("election88_full", "election88", marks=pytest.mark.slow),
        pytest.param("hmm_gaussian", "hmm_gaussian_simulated", marks=pytest.mark.slow),
    ],
)
def test_posteriors_that_once_ended_below_their_start(program, data):
    assert FOLDER is not None
    folder = FOLDER / "hard"
    # Programs may need what the tests are stricter about.
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        model = pathfinder.Model.from_stan(str(folder / f"{program}.stan"), str(folder / f"{data}.json"))
        result = pathfinder.fit(model, seed=2, progress=False)
    for mode in result.refinement.modes:
        if mode.num_gradients:
            error = np.hypot(mode.initial_elbo_standard_error, mode.elbo_standard_error)
            assert mode.elbo > mode.initial_elbo - 3 * error


def judgements(*columns, finite=32):
    means, errors = np.array(columns, float).T
    count = np.full(len(means), finite)
    return Judgement(means, errors, count, np.full(len(means), 32))


def test_an_error_as_large_as_the_loss_is_no_excuse():
    best = judgements((-10.0, 0.2), (-10.0, 0.2), (-10.0, 0.2), (-10.0, 0.0))
    newest = judgements((-1e60, 1e60), (-13.0, 5.0), (-np.inf, 0.0), (-np.inf, 0.0))
    np.testing.assert_array_equal(is_failure(newest, best, 4), [True, False, True, True])
    assert not is_close(newest, best).any()
    assert is_close(judgements((-10.2, 0.2)), judgements((-10.0, 0.2))).all()


def test_a_lucky_draw_is_not_much():
    """Of a normal nearly all of whose draws are out of the support, nothing is known but that."""
    lucky, sound = judgements((-7.0, 0.0), finite=1), judgements((-10.0, 0.2))
    assert lucky.elbo > -10.5
    assert lucky.lower_end < sound.lower_end


def test_anything_is_better_than_nothing():
    newest, nothing = judgements((-1e9, 1.0)), Judgement.nothing(1)
    assert not is_failure(newest, nothing, 1).any()
    assert (newest.lower_end > nothing.lower_end).all()
    assert is_close(nothing, nothing).all()


@pytest.mark.parametrize("end", [np.inf, 1.0, -2.0])
def test_pooled_judgements_are_those_of_all_draws(end):
    log_p = np.random.default_rng(1).normal(size=(2, 3, 5000))
    log_p = np.where(log_p < end, log_p, -np.inf)

    def judged(own):
        return Judgement.of(estimate_elbo(own, np.zeros_like(own)), own.shape[-1])

    whole, both = judged(np.concatenate(log_p, axis=-1)), judged(log_p[0]).pooled(judged(log_p[1]))
    np.testing.assert_allclose(both.elbo, whole.elbo, rtol=1e-6)
    np.testing.assert_allclose(both.elbo_error, whole.elbo_error, rtol=2e-2)
    np.testing.assert_allclose(whole.elbo, estimate_elbo(np.concatenate(log_p, axis=-1), np.zeros((3, 10000))).mean)
