"""Cdfs that Stan's interpreter cannot give, and identities that hold for all: against sums, scipy and each other."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from pathfinder.stan._library.densities import DISTRIBUTIONS
from tests.stan.library.densities.test_rng import CONTINUOUS, DISCRETE


WITH_CDF = {n: p for n, p in (CONTINUOUS | DISCRETE).items() if DISTRIBUTIONS[n].cdf is not None}


def test_cdfs_of_counts_are_sums_of_masses():
    support = np.arange(60)
    names = [n for n in DISCRETE if n in WITH_CDF]
    with jax.enable_x64():
        masses, cdfs = jax.jit(
            lambda y: [
                {n: call(DISTRIBUTIONS[n], y, DISCRETE[n]) for n in names}
                for call in (lambda d, y, p: d.log_density(y, *p), lambda d, y, p: d.cdf(y, *p))
            ]
        )(support)
    for name in names:
        np.testing.assert_allclose(cdfs[name], np.cumsum(np.exp(masses[name])), rtol=1e-11, err_msg=name)


def test_tails_add_up_to_one_and_their_slope_is_the_density():
    y = np.array([0.25, 0.6])
    y_of = {"pareto": y + 1.2, "pareto_type_2": y + 1.2}

    def facts(name, y):
        distribution, parameters = DISTRIBUTIONS[name], CONTINUOUS[name]
        slope = jax.grad(lambda y: jnp.sum(distribution.cdf(y, *parameters)))(y)
        total = distribution.cdf(y, *parameters) + jnp.exp(distribution.lccdf(y, *parameters))
        return total, slope, jnp.exp(distribution.log_density(y, *parameters))

    names = [
        "skew_normal",
        "exp_mod_normal",
        "student_t",
        "gamma",
        "inv_gamma",
        "beta",
        "von_mises",
        "loglogistic",
        "pareto",
    ]
    with jax.enable_x64():
        results = jax.jit(lambda: {n: facts(n, jnp.asarray(y_of.get(n, y))) for n in names})()
    for name, (total, slope, density) in results.items():
        np.testing.assert_allclose(total, 1, rtol=1e-13, err_msg=name)
        np.testing.assert_allclose(slope, density, rtol=1e-10, err_msg=name)


def test_masses_of_the_rarer_counts_are_those_of_scipy():
    n = np.arange(1, 8)
    with jax.enable_x64():
        yule = jax.jit(DISTRIBUTIONS["yule_simon"].log_density)(n, 2.3)
        tail = jax.jit(DISTRIBUTIONS["yule_simon"].lccdf)(n, 2.3)
        beta_negative = jax.jit(DISTRIBUTIONS["beta_neg_binomial"].log_density)(n, 5.0, 3.0, 1.3)
        hyper = jax.jit(DISTRIBUTIONS["hypergeometric"].log_density)(n, 10, 8, 20)
    np.testing.assert_allclose(yule, stats.yulesimon.logpmf(n, 2.3), rtol=1e-12)
    np.testing.assert_allclose(tail, stats.yulesimon.logsf(n, 2.3), rtol=1e-12)
    np.testing.assert_allclose(beta_negative, stats.betanbinom.logpmf(n, 5, 3.0, 1.3), rtol=1e-12)
    np.testing.assert_allclose(hyper, stats.hypergeom.logpmf(n, 28, 8, 10), rtol=1e-12)
