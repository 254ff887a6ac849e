"""Ratios of gamma functions, against mpmath 1.4 with 90 digits (November 2026)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from pathfinder.stan._library.numerics.gamma_ratios import log_beta, log_choose, log_multivariate_gamma, log_rising


# a, b, log(beta(a, b)), digamma(a) - digamma(a + b)
LOG_BETA = [
    (1e-300, 1.0, 690.77552789821371, -9.9999999999999997e299),
    (1e-10, 1e-10, 23.718998110500402, -4999999999.9999998),
    (0.2, 1e10, -3.0811063635493072, -28.314890826502645),
    (9.99, 10.0, -13.72903881682469, -0.71931077973056283),
    (10.0, 10.0, -13.736229227036555, -0.71877140317542794),
    (2.5, 3.5, -3.3018352699620526, -1.0029610277865573),
    (1e7, 2e7, -19095431.986221113, -1.0986123220014438),
    (1e15, 1e15, -1386294361119906.6, -0.69314718055994556),
    (1e-5, 1e12, 11.512643382684666, -100028.2082203316),
]
# a, n, log(gamma(a + n) / gamma(a)), its derivatives in a and in n
LOG_RISING = [
    (1e10, 5.0, 115.12925465070228, 4.999999999e-10, 23.025850930390457),
    (3.0, 0.0, 0.0, 0.0, 0.92278433509846714),
    (10.0, 0.5, 1.138797739322294, 0.051248445230965268, 2.3030010342976864),
    (1e-5, 3.0, -10.819763284472783, 100001.4999875001, 0.92278828443142995),
    (123.5, 1e-4, 0.00048121875159348591, 8.130033215001065e-7, 4.8121879224364646),
]
# n, k, log of the binomial coefficient, digamma(n + 1) - digamma(n - k + 1)
LOG_CHOOSE = [
    (2.0, 0.0, 0.0, 0.0),
    (1e12, 3.0, 81.10130387855459, 3.000000000003e-12),
    (1e6, 5e5, 693140.04701306368, 0.69314668056019531),
    (20.5, 3.25, 7.5150344760697339, 0.16809919103321397),
    (5.0, 5.5, -1.4474352599997956, 3.669627694453224),
    (7.0, -0.5, -1.5964708391602835, -0.064449339623810125),
]


@pytest.mark.parametrize(("a", "b", "value", "slope"), LOG_BETA)
def test_log_beta(a, b, value, slope):
    np.testing.assert_allclose(jax.value_and_grad(log_beta)(a, b), (value, slope), 2e-15)
    np.testing.assert_allclose(jax.value_and_grad(log_beta, 1)(b, a), (value, slope), 2e-15)


@pytest.mark.parametrize(("a", "n", "value", "in_a", "in_n"), LOG_RISING)
def test_log_rising(a, n, value, in_a, in_n):
    found, slopes = jax.value_and_grad(log_rising, (0, 1))(jnp.asarray(a), jnp.asarray(n))
    np.testing.assert_allclose(found, value, 1e-13)
    np.testing.assert_allclose(slopes, (in_a, in_n), 1e-13)


@pytest.mark.parametrize(("n", "k", "value", "slope"), LOG_CHOOSE)
def test_log_choose(n, k, value, slope):
    np.testing.assert_allclose(jax.value_and_grad(log_choose)(n, k), (value, slope), 1e-13, 1e-15)


def test_log_multivariate_gamma_of_several_dimensions():
    k, x = np.array([1, 2, 5, 3]), np.array([0.7, 2.5, 11.0, 1.2])
    expected = [special.multigammaln(value, size) for value, size in zip(x, k, strict=True)]
    np.testing.assert_allclose(log_multivariate_gamma(k, x), expected, 1e-13)
