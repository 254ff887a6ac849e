"""Shapes that are no normals, whose marginals are known: how far the draws are from them, and what the verdict says."""

import warnings

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import beta, expon, halfcauchy, halfnorm, norm, t, wasserstein_distance

import pathfinder
from pathfinder import constraints


PROBABILITIES = (np.arange(4000) + 0.5) / 4000


def distance(draws, marginal):
    """W1 to a marginal, in its standard deviations."""
    return wasserstein_distance(draws, marginal.ppf(PROBABILITIES)) / marginal.std()


def test_two_far_modes_have_their_shares():
    def log_density(x):
        near, far = -0.5 * jnp.sum((x - 6.0) ** 2), -0.5 * jnp.sum((x + 6.0) ** 2)
        return jnp.logaddexp(jnp.log(0.3) + near, jnp.log(0.7) + far)

    result = pathfinder.fit(log_density, jnp.zeros(3), seed=1, num_paths=8, init_radius=8.0, progress=False)
    assert np.mean(result.unconstrained_draws[:, 0] < 0) == pytest.approx(0.7, abs=0.01)
    assert result.is_reliable
    assert result.draws_from == "weights"


def test_a_funnel_is_called_unreliable():
    """Weights do not reach into its neck, and chains hardly do."""

    def log_density(x):
        return -0.5 * (x[0] / 3) ** 2 - 0.5 * jnp.sum(x[1:] ** 2) * jnp.exp(-x[0]) - 4.5 * x[0]

    result = pathfinder.fit(log_density, jnp.zeros(10), seed=2, progress=False)
    assert result.draws_from == "chains"
    assert 0.1 < distance(result.unconstrained_draws[:, 0], norm(0, 3)) < 0.4
    assert not result.is_reliable
    assert "x[1] should be at least 250" in result.reliability


@pytest.fixture(scope="module")
def mild_funnel():
    """Scales of nine coordinates that vary by a factor of 4.5 with the tenth, which is a standard normal."""

    def log_density(x):
        return -0.5 * x[0] ** 2 - jnp.sum(0.5 * (x[1:] * jnp.exp(-1.5 * x[0])) ** 2 + 1.5 * x[0])

    return pathfinder.Model.from_log_density(log_density, jnp.zeros(10))


@pytest.mark.parametrize("few", [{}, {"num_psis_draws": 300}, {"num_draws": 200, "num_psis_draws": 300}])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_mild_funnel_is_called_unreliable_however_few_draws_are_wanted(mild_funnel, few, seed):
    result = pathfinder.fit(mild_funnel, seed=seed, progress=False, **few)
    assert distance(result.unconstrained_draws[:, 0], norm()) > 0.15
    assert not result.is_reliable


@pytest.mark.parametrize("seed", [3, 7])
def test_chains_that_have_not_been_in_the_neck_say_so(seed):
    """Three dimensions: superchains agree, and every chain has moved."""

    def log_density(x):
        return -0.5 * x[0] ** 2 - jnp.sum(0.5 * (x[1:] * jnp.exp(-1.5 * x[0])) ** 2 + 1.5 * x[0])

    result = pathfinder.fit(log_density, jnp.zeros(3), seed=seed, progress=False)
    assert distance(result.unconstrained_draws[:, 0], norm()) > 0.15
    assert not result.is_reliable
    assert "parts of the posterior are missing, as the virial of x[1] is 0.6" in result.reliability


@pytest.mark.parametrize("seed", [5, 6])
def test_few_draws_of_a_funnel_do_not_see_its_neck_and_say_so(seed):
    """Their weights are even, and effective sample sizes of means above 100."""

    def log_density(x):
        return -0.5 * x[0] ** 2 - jnp.sum(0.5 * (x[1:] * jnp.exp(-6 * x[0])) ** 2 + 6 * x[0])

    few = {"num_draws": 200, "num_psis_draws": 300, "chains": False}
    result = pathfinder.fit(log_density, jnp.zeros(10), seed=seed, progress=False, **few)
    assert distance(result.unconstrained_draws[:, 0], norm()) > 0.5
    assert not result.is_reliable


def test_a_banana():
    def log_density(x):
        return -0.5 * x[0] ** 2 - 2.0 * (x[1] - 0.5 * x[0] ** 2) ** 2

    result = pathfinder.fit(log_density, jnp.zeros(2), seed=3, progress=False)
    assert distance(result.unconstrained_draws[:, 0], norm()) < 0.12
    assert result.is_reliable


def test_a_t_with_two_degrees_of_freedom():
    """Its variance is infinite: middle quantiles are compared."""
    result = pathfinder.fit(lambda x: -1.5 * jnp.sum(jnp.log1p(x**2 / 2)), jnp.zeros(3), seed=1, progress=False)
    middle = np.linspace(0.05, 0.95, 50)
    errors = np.quantile(result.unconstrained_draws, middle, axis=0) - t(2).ppf(middle)[:, None]
    assert np.mean(np.abs(errors)) < 0.15
    assert result.is_reliable


def test_a_horseshoe():
    """Half-Cauchy scales of normals: chains come close, though not to what as many exact draws score (0.03)."""

    def log_density(p):
        of_scales = -jnp.sum(jnp.log1p(p["scale"] ** 2) + jnp.log(p["scale"]))
        return of_scales - 0.5 * jnp.sum((p["beta"] / p["scale"]) ** 2)

    start = {"scale": jnp.ones(4), "beta": jnp.zeros(4)}
    result = pathfinder.fit(log_density, start, constraints={"scale": constraints.positive}, seed=3, progress=False)
    assert result.draws_from == "chains"
    exact = np.log(halfcauchy.ppf(PROBABILITIES))
    errors = [wasserstein_distance(np.log(column), exact) / exact.std() for column in result.draws["scale"].T]
    assert np.mean(errors) < 0.15


def test_an_exponential_tail_in_the_logit():
    """A beta with most of its mass near 0."""
    result = pathfinder.fit(
        lambda p: -0.7 * jnp.sum(jnp.log(p["x"])),
        {"x": 0.5 * jnp.ones(3)},
        constraints={"x": constraints.unit_interval},
        seed=1,
        progress=False,
    )
    assert max(distance(column, beta(0.3, 1)) for column in result.draws["x"].T) < 0.1
    assert result.is_reliable


@pytest.mark.parametrize(("power", "marginal"), [(1, expon()), (2, halfnorm())])
def test_mass_at_a_boundary(power, marginal):
    result = pathfinder.fit(
        lambda p: -jnp.sum(p["x"] ** power) / power,
        {"x": jnp.ones(3)},
        constraints={"x": constraints.positive},
        seed=1,
        progress=False,
    )
    assert max(distance(column, marginal) for column in result.draws["x"].T) < 0.1
    assert result.is_reliable


@pytest.mark.parametrize(
    "flat", [lambda x: 0.0 * x[0], lambda x: -0.5 * x[0] ** 2], ids=["everywhere", "in one direction"]
)
def test_an_improper_posterior_is_called_unreliable(flat):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The log density is the same at every point")
        result = pathfinder.fit(lambda x: flat(x) + 0.0 * x[1], jnp.zeros(2), seed=1, progress=False)
    assert result.chains is not None
    assert result.chains.nested_rhat < 1.1  # superchains agree
    assert not result.is_reliable
    assert "as it does where a posterior is improper" in result.reliability
