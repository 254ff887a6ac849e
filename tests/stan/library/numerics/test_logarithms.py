"""Logarithms and their derivatives at the ends of the range, in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan._library.numerics.logarithms import log1m_exp, log_add_exp, log_diff_exp, softplus, xlog1py, xlogy


INF = np.inf
# function, arguments, value, derivatives in the arguments
CASES = [
    (softplus, (800.0,), 800.0, (1.0,)),
    (softplus, (-800.0,), 0.0, (0.0,)),
    (softplus, (0.0,), np.log(2), (0.5,)),
    (log1m_exp, (-1e-300,), np.log(1e-300), (-1e300,)),
    (log1m_exp, (-800.0,), 0.0, (0.0,)),
    (log1m_exp, (-np.log(2),), -np.log(2), (-1.0,)),
    (log_diff_exp, (800.0, 799.0), 800 + np.log1p(-np.exp(-1)), (1 / -np.expm1(-1), -1 / np.expm1(1))),
    (log_diff_exp, (1.0, -INF), 1.0, (1.0, 0.0)),
    (log_diff_exp, (1.0, 1.0), -INF, (0.0, 0.0)),
    (log_diff_exp, (-INF, -INF), -INF, (0.0, 0.0)),
    (log_add_exp, (800.0, 800.0), 800 + np.log(2), (0.5, 0.5)),
    (log_add_exp, (3.0, -INF), 3.0, (1.0, 0.0)),
    (log_add_exp, (-INF, -INF), -INF, (0.0, 0.0)),
    # the derivative in the factor is there also where the factor is zero
    (xlogy, (0.0, 2.0), 0.0, (np.log(2), 0.0)),
    (xlogy, (0.0, 0.0), 0.0, (0.0, 0.0)),
    (xlogy, (3.0, 2.0), 3 * np.log(2), (np.log(2), 1.5)),
    (xlog1py, (0.0, -0.5), 0.0, (-np.log(2), 0.0)),
    (xlog1py, (0.0, -1.0), 0.0, (0.0, 0.0)),
    (xlog1py, (2.0, 1e-20), 2e-20, (1e-20, 2.0)),
]


@pytest.mark.parametrize(("function", "arguments", "value", "slopes"), CASES)
def test_values_and_derivatives(function, arguments, value, slopes):
    found = jax.value_and_grad(function, tuple(range(len(arguments))))(*map(jnp.asarray, arguments))
    np.testing.assert_allclose(found[0], value, 1e-15)
    np.testing.assert_allclose(found[1], slopes, 1e-15)


@pytest.mark.parametrize(("function", "arguments"), [(log1m_exp, (0.5,)), (log_diff_exp, (1.0, 2.0))])
def test_outside_of_the_domain(function, arguments):
    assert np.isnan(function(*arguments))
