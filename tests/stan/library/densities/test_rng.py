"""Draws against the distribution functions and masses that the other tests have checked.

The statistic is that of Kolmogorov and Smirnov. One in a thousand of right samplers exceeds 1.95 / sqrt(n), and the
keys are fixed.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan._library.densities import DISTRIBUTIONS


NUM_DRAWS = 3000
BOUND = 1.95 / np.sqrt(NUM_DRAWS)
CONTINUOUS = {
    "normal": (1.2, 0.7),
    "lognormal": (1.2, 0.7),
    "skew_normal": (1.2, 0.7, -2.0),
    "exp_mod_normal": (1.2, 0.7, 2.0),
    "cauchy": (1.2, 0.7),
    "student_t": (4.0, 1.2, 0.7),
    "double_exponential": (1.2, 0.7),
    "skew_double_exponential": (1.2, 0.7, 0.3),
    "logistic": (1.2, 0.7),
    "gumbel": (1.2, 0.7),
    "exponential": (1.2,),
    "weibull": (1.2, 0.7),
    "frechet": (1.2, 0.7),
    "rayleigh": (1.2,),
    "loglogistic": (1.2, 0.7),
    "gamma": (1.2, 0.7),
    "inv_gamma": (1.2, 0.7),
    "chi_square": (1.2,),
    "inv_chi_square": (1.2,),
    "scaled_inv_chi_square": (3.2, 0.7),
    "pareto": (1.2, 0.7),
    "pareto_type_2": (1.2, 0.7, 2.0),
    "beta": (1.2, 0.7),
    "beta_proportion": (0.2, 4.0),
    "uniform": (-1.2, 0.7),
    "von_mises": (0.0, 1.7),
}
DISCRETE = {
    "bernoulli": (0.3,),
    "bernoulli_logit": (0.8,),
    "binomial": (10, 0.3),
    "beta_binomial": (10, 1.7, 1.4),
    "hypergeometric": (10, 8, 20),
    "discrete_range": (1, 7),
    "poisson": (2.5,),
    "poisson_log": (1.1,),
    "neg_binomial": (2.5, 1.3),
    "neg_binomial_2": (2.5, 1.3),
    "neg_binomial_2_log": (1.1, 1.3),
    "beta_neg_binomial": (2.0, 6.0, 1.3),
    "yule_simon": (2.3,),
}
SUPPORT = np.arange(400)


def key_of(name):
    """Each sampler has its own."""
    key = jax.random.key(20260101)
    for _ in range([*CONTINUOUS, *DISCRETE].index(name) + 1):
        key, use = jax.random.split(key)
    return use


def draws(name):
    """Draws of a sampler, with their cdf or with the masses of `SUPPORT`."""
    parameters = (CONTINUOUS | DISCRETE)[name]
    distribution = DISTRIBUTIONS[name]

    def sample(key):
        y = distribution.rng(key, *[jnp.full(NUM_DRAWS, p) for p in parameters])
        if name in CONTINUOUS:
            return y, distribution.cdf(y, *parameters)
        return y, distribution.log_density(SUPPORT, *parameters)

    with jax.enable_x64():
        return jax.jit(sample)(key_of(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_draws_follow_the_cdf(name):
    y, cdf = draws(name)
    assert y.shape == (NUM_DRAWS,)
    steps = np.arange(NUM_DRAWS + 1) / NUM_DRAWS
    ordered = np.sort(np.asarray(cdf))
    assert max(np.max(ordered - steps[:-1]), np.max(steps[1:] - ordered)) < BOUND


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_draws_follow_the_masses(name):
    y, log_mass = draws(name)
    assert jnp.issubdtype(y.dtype, jnp.integer)
    share = np.mean(np.asarray(y)[:, None] <= SUPPORT, axis=0)
    assert np.max(np.abs(share - np.cumsum(np.exp(log_mass)))) < BOUND


def test_every_univariate_sampler_is_tested():
    univariate = {n for n, d in DISTRIBUTIONS.items() if d.kind == "univariate" and d.rng is not None}
    assert univariate == set(CONTINUOUS) | set(DISCRETE) | {"std_normal"}


def _many(sampler, num=NUM_DRAWS, seed=7):
    with jax.enable_x64():
        return np.asarray(jax.jit(jax.vmap(sampler))(jax.random.split(jax.random.key(seed), num)))


def _assert_mean(values, expected):
    """Within four standard errors, element by element."""
    error = 4 * values.std(axis=0) / np.sqrt(len(values)) + 1e-12
    assert np.all(np.abs(values.mean(axis=0) - expected) < error)


MU = np.array([1.0, -2.0, 0.5])
COVARIANCE = np.array([[2.0, 0.3, -0.4], [0.3, 1.0, 0.2], [-0.4, 0.2, 1.5]])
FACTOR = np.linalg.cholesky(COVARIANCE)


@pytest.mark.parametrize(
    ("name", "parameters", "covariance"),
    [
        ("multi_normal", (MU, COVARIANCE), COVARIANCE),
        ("multi_normal_cholesky", (MU, FACTOR), COVARIANCE),
        ("multi_normal_prec", (MU, np.linalg.inv(COVARIANCE)), COVARIANCE),
        ("multi_student_t", (9.0, MU, COVARIANCE), COVARIANCE * 9 / 7),
        ("multi_student_t_cholesky", (9.0, MU, FACTOR), COVARIANCE * 9 / 7),
    ],
)
def test_vectors_have_their_mean_and_covariance(name, parameters, covariance):
    y = _many(lambda key: DISTRIBUTIONS[name].rng(key, *parameters))
    _assert_mean(y, MU)
    _assert_mean((y - MU)[:, :, None] * (y - MU)[:, None, :], covariance)


@pytest.mark.parametrize(
    ("name", "scale", "mean"),
    [
        ("wishart", COVARIANCE, 9.5 * COVARIANCE),
        ("wishart_cholesky", FACTOR, 9.5 * COVARIANCE),
        ("inv_wishart", COVARIANCE, COVARIANCE / 5.5),
        ("inv_wishart_cholesky", FACTOR, COVARIANCE / 5.5),
    ],
)
def test_matrices_have_their_mean(name, scale, mean):
    y = _many(lambda key: DISTRIBUTIONS[name].rng(key, 9.5, scale))
    if name.endswith("cholesky"):
        assert np.all(np.triu(y, 1) == 0)
        assert np.all(np.diagonal(y, axis1=1, axis2=2) > 0)
        y = y @ np.swapaxes(y, 1, 2)
    _assert_mean(y, mean)


@pytest.mark.parametrize("name", ["lkj_corr", "lkj_corr_cholesky"])
def test_correlations_have_their_variance(name):
    y = _many(lambda key: DISTRIBUTIONS[name].rng(key, 4, 1.5))
    if name.endswith("cholesky"):
        y = y @ np.swapaxes(y, 1, 2)
    # (r + 1) / 2 is beta with both shapes eta - 1 + K / 2 (Lewandowski, Kurowicka and Joe, 2009)
    expected = np.where(np.eye(4) > 0, 1.0, 1 / (2 * 1.5 + 4 - 1))
    _assert_mean(y**2, expected)


THETA = np.array([0.2, 0.5, 0.3])


def test_categories_have_their_frequencies():
    for name, parameter in (("categorical", THETA), ("categorical_logit", np.log(THETA) + 3)):
        y = _many(lambda key, name=name, parameter=parameter: DISTRIBUTIONS[name].rng(key, parameter))
        _assert_mean((y[:, None] == [1, 2, 3]).astype(float), THETA)


def test_counts_of_categories_have_their_moments():
    for name, parameter, spread in (
        ("multinomial", THETA, 1.0),
        ("multinomial_logit", np.log(THETA) + 3, 1.0),
        ("dirichlet_multinomial", 4 * THETA, (9 + 4) / 5),
    ):
        y = _many(lambda key, name=name, parameter=parameter: DISTRIBUTIONS[name].rng(key, parameter, 9))
        assert np.all(y.sum(axis=1) == 9)
        _assert_mean(y, 9 * THETA)
        _assert_mean((y - 9 * THETA) ** 2, 9 * THETA * (1 - THETA) * spread)


def test_dirichlet_draws_have_their_moments():
    y = _many(lambda key: DISTRIBUTIONS["dirichlet"].rng(key, 4 * THETA))
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-12)
    _assert_mean(y, THETA)
    _assert_mean((y - THETA) ** 2, THETA * (1 - THETA) / 5)


@pytest.mark.parametrize("name", ["ordered_logistic", "ordered_probit"])
def test_ordered_outcomes_have_their_masses(name):
    cuts = np.array([-1.0, 0.4])
    y = _many(lambda key: DISTRIBUTIONS[name].rng(key, 0.3, cuts))
    with jax.enable_x64():
        mass = np.exp([DISTRIBUTIONS[name].log_density(k, 0.3, cuts) for k in (1, 2, 3)])
    np.testing.assert_allclose(mass.sum(), 1, rtol=1e-12)
    _assert_mean((y[:, None] == [1, 2, 3]).astype(float), mass)


def test_logistic_regression_outcomes_have_their_probabilities():
    x, beta = np.array([[1.0, 0.2], [0.3, -2.0]]), np.array([0.5, 1.0])
    y = _many(lambda key: DISTRIBUTIONS["bernoulli_logit_glm"].rng(key, x, 0.1, beta))
    _assert_mean(y.astype(float), 1 / (1 + np.exp(-(0.1 + x @ beta))))
