"""Parameters and data drawn by Stan programs, and calibration of one program by another."""

import jax
import numpy as np
import pytest

import pathfinder
from pathfinder import Model
from pathfinder.stan import StanEvaluationError, simulator


PRIOR = """
data { int<lower=1> N; }
generated quantities {
  real mu = normal_rng(0, 2);
  real<lower=0> sigma = exponential_rng(1);
  array[N] real y = normal_rng(rep_vector(mu, N), sigma);
}
"""
FITTED = """
data { int<lower=1> N; vector[N] y; }
parameters { real mu; real<lower=0> sigma; }
model {
  mu ~ normal(0, 2);
  sigma ~ exponential(1);
  y ~ normal(mu, sigma);
}
"""


def test_quantities_are_split_into_parameters_and_data():
    simulate = simulator(PRIOR, {"N": 1000}, parameters=["mu", "sigma"])
    parameters, data = simulate(jax.random.key(1))
    assert set(parameters) == {"mu", "sigma"}
    assert set(data) == {"N", "y"}
    assert data["N"] == 1000
    assert np.mean(data["y"]) == pytest.approx(parameters["mu"], abs=5 * parameters["sigma"] / np.sqrt(1000))
    assert np.std(data["y"]) == pytest.approx(parameters["sigma"], rel=5 / np.sqrt(2000))
    again, _ = simulate(jax.random.key(1))
    assert again == parameters
    drawn = np.array([simulate(jax.random.key(seed))[0]["mu"] for seed in range(200)])
    assert abs(drawn.mean()) < 4 * 2 / np.sqrt(200)
    assert drawn.std() == pytest.approx(2, rel=4 / np.sqrt(400))


def test_a_program_with_parameters_has_them_fixed():
    program = """
    parameters { real<lower=0> scale; }
    model { scale ~ exponential(1); }
    generated quantities { real mu_ = normal_rng(0, scale); int k = poisson_rng(scale); }
    """
    simulate = simulator(program, parameters={"mu_": "mu"}, fixed={"scale": 1e-3})
    parameters, data = simulate(jax.random.key(0))
    assert list(parameters) == ["mu"]
    assert 0 < abs(parameters["mu"]) < 1e-2
    assert np.issubdtype(data["k"].dtype, np.integer)
    with pytest.raises(ValueError, match="which are scale, but those given are none"):
        simulator(program, parameters={"mu_": "mu"})


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError, match="which are mu, sigma, y, but .'theta'. was given"):
        simulator(PRIOR, {"N": 2}, parameters=["theta"])
    with pytest.raises(ValueError, match="but 'mu' was given"):
        simulator(PRIOR, {"N": 2}, parameters="mu")
    with pytest.raises(ValueError, match="N"):
        simulator(PRIOR, {}, parameters=["mu"])
    rejecting = 'generated quantities { real mu = normal_rng(0, 1); if (mu > -9) reject("too large: ", mu); }'
    with pytest.raises(StanEvaluationError, match="too large"):
        simulator(rejecting, parameters=["mu"])(jax.random.key(0))


def test_one_program_calibrates_another():
    simulate = simulator(PRIOR, {"N": 5}, parameters=["mu", "sigma"])
    options = {"num_data_sets": 30, "num_rank_draws": 19, "num_paths": 1, "seed": 1, "progress": False}
    found = pathfinder.calibrate(simulate, lambda data: Model.from_stan(FITTED, data, name="normal"), **options)
    assert found.is_calibrated
    assert found.has_failed.sum() == 0
    assert list(found.ranks) == ["mu", "sigma"]
    wrong = FITTED.replace("exponential(1)", "exponential(0.02)").replace("normal(0, 2)", "normal(3, 0.5)")
    assert not pathfinder.calibrate(simulate, lambda data: Model.from_stan(wrong, data), **options).is_calibrated
