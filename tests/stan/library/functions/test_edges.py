"""Values and derivatives at the edges of domains, precision, traced positions and errors."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from pathfinder.stan._library.functions import FUNCTIONS, OPERATORS
from pathfinder.stan._types.types import Type


VECTOR = Type("vector")
INF = np.inf

# function, point, derivative in the first real argument (by hand or mpmath 1.4; None: any that is finite)
DERIVATIVES = [
    ("log_sum_exp", (np.array([-INF, 0.0]),), [0.0, 1.0]),
    ("log_sum_exp", (np.array([-INF, -INF]),), [0.0, 0.0]),
    ("log_sum_exp", (np.array([800.0, 0.0]),), [1.0, 0.0]),
    ("log_softmax", (np.array([-800.0, 800.0]),), [-1.0, 1.0]),  # of the difference of both elements
    ("log_mix", (0.0, -1.0, -1.0), 0.0),
    ("log_mix", (1.0, -1.0, -2.0), 1 - np.exp(-1)),
    ("distance", (np.zeros(2), np.zeros(2)), [0.0, 0.0]),
    ("norm2", (np.zeros(2),), [0.0, 0.0]),
    ("sd", (np.ones(3),), [0.0, 0.0, 0.0]),
    ("pow", (0.0, 2), 0.0),
    ("pow", (0.0, 1.0), 1.0),
    ("pow", (-2.0, 3), 12.0),
    ("lmultiply", (0.0, 2.0), np.log(2.0)),
    ("log1p_exp", (800.0,), 1.0),
    ("log1p_exp", (-800.0,), 0.0),
    ("log1m_exp", (-1e-8,), -1e8),
    ("log1m_exp", (-800.0,), 0.0),
    ("log_inv_logit", (-800.0,), 1.0),
    ("log_diff_exp", (1.0, -INF), 1.0),
    ("inv_logit", (800.0,), 0.0),
    ("lbeta", (1e-5, 1e5), -100012.09012),
    ("lbeta", (1e7, 2e7), -1.098612322),
    ("inc_beta", (2.5, 1.5, 0.0), 0.0),
    ("modified_bessel_second_kind", (2, 1e-3), None),
    ("bessel_first_kind", (0, 0.0), None),
    ("lambert_w0", (0.0,), 1.0),
    ("std_normal_log_qf", (-1e4,), 0.00707279042779),
    ("gamma_p", (2.5, 0.0), 0.0),
    ("student_t_qf", (0.5, 3.0, 0.0, 1.0), 2.7206990463513265),  # 1 / density at 0
    ("student_t_qf", (0.2, 4.0, 0.0, 1.0), 4.3961475472),
    ("log_rising_factorial", (20.0, -8.0), -0.52786231226633703),  # digamma(12) - digamma(20)
    ("log_falling_factorial", (1e10, 5.0), 5.000000001e-10),
]


@pytest.mark.parametrize("case", DERIVATIVES, ids=lambda case: f"{case[0]}{case[1]}")
def test_derivatives_at_the_edges(case):
    name, arguments, expected = case
    position = 1 if isinstance(arguments[0], int) else 0

    def total(value):
        result = FUNCTIONS[name].evaluate(*arguments[:position], value, *arguments[position + 1 :])
        return jnp.sum(result if name != "log_softmax" else result[1] - result[0])

    slope = jax.jit(jax.grad(total))(arguments[position])
    if expected is None:
        assert np.all(np.isfinite(slope))
    else:
        np.testing.assert_allclose(slope, expected, 1e-8, 1e-12)


def test_covariance_of_coincident_points_has_derivatives():
    points, types = np.array([[0.3, 0.4], [0.3, 0.4]]), (Type("vector", 1), Type("real"), Type("real"))
    for name in ("gp_exponential_cov", "gp_matern32_cov", "gp_matern52_cov"):
        slope = jax.grad(lambda x, name=name: jnp.sum(FUNCTIONS[name].evaluate(types, x, 1.0, 0.5)))(points)
        np.testing.assert_array_equal(slope, 0.0)


@pytest.mark.parametrize("name", ["exp", "log_sum_exp", "lbeta", "inc_beta", "owens_t", "Phi", "lambert_w0", "softmax"])
def test_single_precision_is_kept(name):
    x = np.array([0.3, 0.5], np.float32)
    arguments = {"lbeta": (x, x), "inc_beta": (x, x, x), "owens_t": (x, x)}.get(name, (x,))
    assert jax.eval_shape(FUNCTIONS[name].evaluate, *arguments).dtype == np.float32


def test_integers_stay_integers_where_stan_has_them():
    for name, arguments, value in [
        ("abs", (-3,), 3),
        ("sum", (np.array([1, 2]),), 3),
        ("max", (2, 5), 5),
        ("choose", (5, 2), 10),
        ("falling_factorial", (5, 2), 20),
        ("cumulative_sum", (np.array([1, 2]),), [1, 3]),
    ]:
        for form in filter(None, (FUNCTIONS[name].evaluate, FUNCTIONS[name].numpy)):
            found = np.asarray(form(*arguments))
            assert found.dtype.kind == "i"
            np.testing.assert_array_equal(found, value)
    assert np.asarray(FUNCTIONS["floor"].evaluate(3)).dtype.kind == "f"


def test_positions_may_be_traced():
    values = np.array([0.3, 0.1, 0.2])
    assert jax.jit(FUNCTIONS["rank"].evaluate)(values, 3) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("rep_vector", (1.0, -1), "The size in `rep_vector` must not be negative, got -1."),
        ("one_hot_vector", (3, 4), "must be from 1 to 3, got 4."),
        ("matrix_power", (np.eye(2), -1), "must not be negative, got -1."),
    ],
)
def test_sizes_that_do_not_fit_raise(name, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        FUNCTIONS[name].evaluate(*arguments)


def test_reshape_that_does_not_fit_raises():
    with pytest.raises(ValueError, match="cannot make 2 x 2 elements of 3"):
        FUNCTIONS["to_matrix"].evaluate((VECTOR,), np.ones(3), 2, 2)


def test_sparsity_must_be_known():
    with pytest.raises(ValueError, match="does not depend on parameters"):
        jax.jit(FUNCTIONS["csr_extract_w"].evaluate)(np.eye(2))


def test_traced_division_by_zero_does_not_raise():
    assert np.isfinite(jax.jit(OPERATORS["%/%"].evaluate)(3, 0))


@pytest.mark.parametrize("name", ["sum", "prod", "log_sum_exp", "max", "min", "cumulative_sum", "sort_asc", "softmax"])
def test_containers_without_elements(name):
    expected = {"sum": 0.0, "prod": 1.0, "log_sum_exp": -INF, "max": -INF, "min": INF}.get(name, np.zeros(0))
    for form in (FUNCTIONS[name].evaluate, FUNCTIONS[name].numpy):
        np.testing.assert_array_equal(form(np.zeros(0)), expected)


def test_student_quantile_in_the_degrees_of_freedom():
    """By the quantiles of SciPy at slightly different ones."""
    slope = jax.jit(jax.grad(FUNCTIONS["student_t_qf"].evaluate, 1))
    for p, nu in ((0.2, 4.0), (0.8, 3.0), (1e-6, 2.5), (0.5, 3.0), (0.99, 0.7)):
        expected = (stats.t.ppf(p, nu * (1 + 1e-5)) - stats.t.ppf(p, nu * (1 - 1e-5))) / (2e-5 * nu)
        np.testing.assert_allclose(slope(p, nu, 0.0, 1.0), expected, 1e-6, 1e-12)
