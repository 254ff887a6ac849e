"""Truncated statements against SciPy: sums over elements, ends, tails, users' distributions."""

import jax
import numpy as np
import pytest
from scipy import stats

from tests.stan.running import bound


Y = [-0.4, 0.3, 1.2]


def value_and_gradient(statements, position, data=None, functions="", parameters="real mu; real log_s;"):
    program = bound(
        f"""
        functions {{ {functions} }}
        data {{ vector[3] y; real L; real U; }}
        parameters {{ {parameters} }}
        model {{ {statements} }}
        """,
        {"y": Y, "L": -0.5, "U": 2.0} | (data or {}),
    )
    value, gradient = jax.value_and_grad(program.log_density)(np.asarray(position, float))
    return float(value), np.asarray(gradient)


def truncated_normal(y, mu, s, low, high):
    a, b = (low - mu) / s, (high - mu) / s
    return stats.truncnorm.logpdf(y, a, b, mu, s)


@pytest.mark.parametrize(
    ("bounds", "low", "high"),
    [("T[L, U]", -0.5, 2), ("T[L, ]", -0.5, np.inf), ("T[, U]", -np.inf, 2), ("T[, ]", -np.inf, np.inf)],
)
def test_a_vector_has_a_normalizer_for_each_element(bounds, low, high):
    value, _ = value_and_gradient(f"y ~ normal(mu, exp(log_s)) {bounds};", [0.5, 0.1])
    assert value == pytest.approx(np.sum(truncated_normal(Y, 0.5, np.exp(0.1), low, high)), rel=1e-10)


def test_arguments_that_are_containers_each_have_a_normalizer():
    value, _ = value_and_gradient("0.2 ~ normal(mu * y, exp(log_s)) T[L, U];", [0.5, 0.1])
    assert value == pytest.approx(np.sum(truncated_normal(0.2, 0.5 * np.array(Y), np.exp(0.1), -0.5, 2)), rel=1e-10)


@pytest.mark.parametrize("data", [{"L": -0.3}, {"U": 1.1}, {"L": 3.0, "U": -3.0}])
def test_one_element_outside_is_enough(data):
    value, _ = value_and_gradient("y ~ normal(mu, exp(log_s)) T[L, U];", [0.5, 0.1], data)
    assert value == -np.inf


def test_outcomes_on_the_ends_are_inside():
    value, _ = value_and_gradient("y ~ normal(mu, exp(log_s)) T[L, U];", [0.5, 0.1], {"L": Y[0], "U": Y[-1]})
    assert value == pytest.approx(np.sum(truncated_normal(Y, 0.5, np.exp(0.1), Y[0], Y[-1])), rel=1e-10)


@pytest.mark.parametrize(
    ("data", "equal"),
    [
        ({"L": -np.inf, "U": 2.0}, "T[, U]"),
        ({"L": -0.5, "U": np.inf}, "T[L, ]"),
        ({"L": -np.inf, "U": np.inf}, "T[, ]"),
    ],
)
@pytest.mark.parametrize(
    "family", ["normal(mu, exp(log_s))", "skew_normal(mu, exp(log_s), 1)", "gumbel(mu, exp(log_s))"]
)
def test_an_end_at_infinity_is_none(family, data, equal):
    value, gradient = value_and_gradient(f"y ~ {family} T[L, U];", [0.5, 0.1], data)
    expected, expected_gradient = value_and_gradient(f"y ~ {family} {equal};", [0.5, 0.1], data)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-10)


@pytest.mark.parametrize("sign", [1, -1])
def test_tails_keep_their_digits_on_both_sides(sign):
    """Both ends are ten to twelve standard deviations away, where cdfs are next to zero or to one."""
    low, high = sorted((sign * 10.0, sign * 12.0))
    value, gradient = value_and_gradient("mu ~ normal(0, exp(log_s)) T[L, U];", [sign * 10.5, 0], {"L": low, "U": high})
    assert value == pytest.approx(truncated_normal(10.5, 0, 1, 10, 12), rel=1e-9)
    assert np.all(np.isfinite(gradient))
    assert gradient[0] == pytest.approx(-sign * 10.5)


def test_integers_include_their_lower_end():
    value, _ = value_and_gradient("{1, 3, 2} ~ poisson(exp(mu)) T[1, 4];", [0.5, 0])
    rate = np.exp(0.5)
    mass = np.log(stats.poisson.cdf(4, rate) - stats.poisson.cdf(0, rate))
    assert value == pytest.approx(np.sum(stats.poisson.logpmf([1, 3, 2], rate)) - 3 * mass, rel=1e-10)


def test_gradient_at_the_end_of_the_support():
    value, gradient = value_and_gradient("[0.5, 1]' ~ exponential(exp(mu)) T[0, 3];", [0.2, 0])
    rate = np.exp(0.2)
    assert value == pytest.approx(np.sum(stats.truncexpon.logpdf([0.5, 1], 3 * rate, 0, 1 / rate)), rel=1e-10)
    step = 1e-6
    nearby = [np.sum(stats.truncexpon.logpdf([0.5, 1], 3 * r, 0, 1 / r)) for r in np.exp([0.2 + step, 0.2 - step])]
    assert gradient[0] == pytest.approx((nearby[0] - nearby[1]) / (2 * step), rel=1e-7)


USERS = """
  real tent_lpdf({outcome} y, {mu} mu, real s) {{ return normal_lpdf(y | mu, s); }}
  real tent_lcdf(real y, {mu} mu, real s) {{ return normal_lcdf(y | mu, s); }}
  real tent_lccdf(real y, {mu} mu, real s) {{ return normal_lccdf(y | mu, s); }}
"""


@pytest.mark.parametrize("bounds", ["T[L, U]", "T[L, ]", "T[, U]"])
@pytest.mark.parametrize(
    ("outcome", "kind", "y", "mu"),
    [
        ("real", "real", "y[1]", "mu"),
        ("vector", "real", "y", "mu"),
        ("vector", "vector", "y", "mu * y"),
        ("array[] real", "real", "{y[1], y[2]}", "mu"),
    ],
)
def test_users_distributions_of_containers_are_as_the_library_s(outcome, kind, y, mu, bounds):
    functions = USERS.format(outcome=outcome, mu=kind)
    position = [0.5, 0.1]
    value, gradient = value_and_gradient(f"{y} ~ tent({mu}, exp(log_s)) {bounds};", position, functions=functions)
    expected, expected_gradient = value_and_gradient(f"{y} ~ normal({mu}, exp(log_s)) {bounds};", position)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-10)


def test_a_user_s_outcome_outside():
    functions = USERS.format(outcome="vector", mu="real")
    assert value_and_gradient("y ~ tent(mu, 1) T[0, U];", [0.5, 0.1], functions=functions)[0] == -np.inf


def test_the_overload_with_the_right_types_is_called():
    functions = """
      real up_lpdf(real y, vector m) { return normal_lpdf(y | m[1], 1); }
      real up_lcdf(real y, vector m) { return normal_lcdf(y | m[1], 1); }
      real up_lccdf(real y, vector m) { return normal_lccdf(y | m[1], 1); }
      real up_lpdf(real y, real m) { return exponential_lpdf(y | m); }
      real up_lcdf(real y, real m) { return exponential_lcdf(y | m); }
      real up_lccdf(real y, real m) { return exponential_lccdf(y | m); }
    """
    value, _ = value_and_gradient("y[2] ~ up(exp(mu)) T[0.2, ];", [0.5, 0], functions=functions)
    assert value == pytest.approx(-np.exp(0.5) * (0.3 - 0.2) + 0.5, rel=1e-12)


def test_rows_in_a_recurrence():
    """A statement in a loop that runs one iteration after another."""
    statements = """
      real level = mu;
      for (n in 1:3) {
        level = 0.5 * level + y[n];
        y ~ normal(level, exp(log_s)) T[level - 3, U];
      }
    """
    value, _ = value_and_gradient(statements, [0.5, 0.1])
    level, expected = 0.5, 0.0
    for each in Y:
        level = 0.5 * level + each
        expected += np.sum(truncated_normal(Y, level, np.exp(0.1), level - 3, 2))
    assert value == pytest.approx(expected, rel=1e-10)


def test_arguments_of_other_sizes_are_arguments_of_every_element():
    functions = """
      real bent_lpdf(vector y, vector c) { return normal_lpdf(y | c[1], c[2]); }
      real bent_lcdf(real y, vector c) { return normal_lcdf(y | c[1], c[2]); }
      real bent_lccdf(real y, vector c) { return normal_lccdf(y | c[1], c[2]); }
    """
    value, _ = value_and_gradient("y ~ bent([mu, exp(log_s)]') T[L, U];", [0.5, 0.1], functions=functions)
    assert value == pytest.approx(np.sum(truncated_normal(Y, 0.5, np.exp(0.1), -0.5, 2)), rel=1e-10)


def test_users_distributions_of_slices_of_many_lengths():
    functions = USERS.format(outcome="vector", mu="vector")
    statements = "vector[3] m = mu * y; for (n in 2:3) y[1:n] ~ tent(m[1:n], exp(log_s)) T[L, U];"
    value, _ = value_and_gradient(statements, [0.5, 0.1], functions=functions)
    each = truncated_normal(Y, 0.5 * np.array(Y), np.exp(0.1), -0.5, 2)
    assert value == pytest.approx(each[:2].sum() + each.sum(), rel=1e-10)
