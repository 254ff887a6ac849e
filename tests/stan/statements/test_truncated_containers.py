"""Truncated statements against SciPy, quadrature, and the same statements as loops over scalars."""

import jax
import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from pathfinder.stan import StanTypeError, check, parse
from tests.stan.running import bound, values_and_gradients


Y = np.array([0.3, 1.2, 2.5, 0.8])
X = np.array([0.4, -0.5, 2.0, 1.0])
COUNTS = np.array([1, 2, 4, 3])
M = np.stack([Y, Y[::-1], Y + 0.25, 2 * Y])
DATA = {"N": 4, "y": Y, "x": X, "k": COUNTS, "size": COUNTS + 2, "m": M, "z": 0.7}
POSITION = np.array([0.3, 0.2])
P, S = POSITION[0], np.exp(POSITION[1])
HEAD = """
data { int N; vector[N] y; vector[N] x; array[N] int k; array[N] int size; matrix[N, N] m; real z; }
parameters { real p; real<lower=0> s; }
"""


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def log_density(statement: str, functions: str = "") -> float:
    """What a statement adds at `POSITION`."""
    program = bound(f"{functions}{HEAD}model {{ {statement} }}", DATA)
    return float(program.log_density(POSITION, jacobian=False))


def truncated(distribution, y, lower=-np.inf, upper=np.inf) -> float:
    """The same by SciPy, at outcomes inside."""
    if hasattr(distribution.dist, "logpmf"):
        return np.sum(distribution.logpmf(y) - np.log(distribution.cdf(upper) - distribution.cdf(lower - 1)))
    return np.sum(distribution.logpdf(y) - np.log(distribution.cdf(upper) - distribution.cdf(lower)))


STATEMENTS = {
    "y ~ normal(p, s) T[0, ];": truncated(stats.norm(P, S), Y, 0),
    "y ~ normal(p, s) T[ , 3];": truncated(stats.norm(P, S), Y, upper=3),
    "y ~ normal(p, s) T[0, 3];": truncated(stats.norm(P, S), Y, 0, 3),
    "y ~ normal(p, s) T[0.3, 2.5];": truncated(stats.norm(P, S), Y, 0.3, 2.5),  # the outcomes at the ends are inside
    "y ~ normal(p, s) T[ , ];": truncated(stats.norm(P, S), Y),
    "y[1:0] ~ normal(p, s) T[0, 3];": 0.0,
    "y' ~ normal(p + x, s) T[0, 3];": truncated(stats.norm(P + X, S), Y, 0, 3),
    "to_array_1d(y) ~ normal(x, x + 1) T[0, ];": truncated(stats.norm(X, X + 1), Y, 0),
    "z ~ normal(p + x, s) T[0, 1];": truncated(stats.norm(P + X, S), 0.7, 0, 1),
    "2 * y + p ~ student_t(3, x, s) T[p - 5, s + 9];": truncated(stats.t(3, X, S), 2 * Y + P, P - 5, S + 9),
    "y[{4, 2}] ~ gamma(s, exp(p)) T[0, 4];": truncated(stats.gamma(S, scale=np.exp(-P)), Y[[3, 1]], 0, 4),
    "y ~ exponential(s) T[0, 3];": truncated(stats.expon(scale=1 / S), Y, 0, 3),
    "y ~ normal(p, s) T[negative_infinity(), 3];": truncated(stats.norm(P, S), Y, upper=3),
    "k ~ poisson(s) T[1, ];": truncated(stats.poisson(S), COUNTS, 1),
    "k ~ poisson(s) T[ , 4];": truncated(stats.poisson(S), COUNTS, upper=4),
    "k ~ poisson(exp(x)) T[1, 4];": truncated(stats.poisson(np.exp(X)), COUNTS, 1, 4),
    "k[2] ~ poisson(exp(x)) T[2, 2];": 0.0,
    "k ~ poisson(s) T[0, ];": truncated(stats.poisson(S), COUNTS),
    "k ~ binomial(size, inv_logit(x)) T[1, ];": truncated(stats.binom(COUNTS + 2, 1 / (1 + np.exp(-X))), COUNTS, 1),
    "k ~ normal(p, s) T[1, 4];": truncated(stats.norm(P, S), COUNTS, 1, 4),  # integers, but a continuous distribution
    "for (n in 1:N) m[n] ~ normal(p, s) T[0, n + 5];": sum(
        truncated(stats.norm(P, S), row, 0, n + 6) for n, row in enumerate(M)
    ),
    "for (n in 1:N) col(m, n) ~ normal(p + x, s) T[0, ];": truncated(stats.norm(P + X, S), M.T, 0),
    "for (n in 1:N) y[1:n] ~ normal(p * x[1:n], s) T[0, n + 3];": sum(
        truncated(stats.norm(P * X[:n], S), Y[:n], 0, n + 3) for n in range(1, 5)
    ),
    "for (n in 1:N) if (p > 0) m[n] ~ normal(p, s) T[0, ]; else m[n] ~ std_normal() T[0, 0];": truncated(
        stats.norm(P, S), M, 0
    ),
    "for (n in 1:N) z ~ normal(p, s) T[-n, ];": sum(truncated(stats.norm(P, S), 0.7, -n) for n in range(1, 5)),
}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_each_element_is_truncated(statement):
    np.testing.assert_allclose(log_density(statement), STATEMENTS[statement], rtol=1e-12, atol=1e-13)


def test_each_element_is_truncated_where_probabilities_are_of_several_trials():
    theta, n = np.array([0.2, 0.5, 0.8]), np.arange(4)
    masses = np.convolve(np.convolve([0.8, 0.2], [0.5, 0.5]), [0.2, 0.8])
    probabilities = masses / masses[1:3].sum()
    found = log_density(f"{{1, 2, 1}} ~ poisson_binomial({theta.tolist()}') T[1, 2];")
    np.testing.assert_allclose(found, np.log(probabilities[[1, 2, 1]]).sum(), rtol=1e-12)
    assert len(n) == len(masses)


@pytest.mark.parametrize(
    "statement",
    [
        "y ~ normal(p, s) T[0, 2];",
        "y ~ normal(p, s) T[0.5, ];",
        "y ~ normal(p, s) T[3, 1];",
        "z ~ normal(x, s) T[1, ];",
        "k ~ poisson(exp(x)) T[2, ];",
        "k ~ poisson(s) T[ , 3];",
        "for (n in 1:N) m[n] ~ normal(p, s) T[0, 3];",
        "for (n in 1:N) y[1:n] ~ normal(p, s) T[0, 2];",
    ],
)
def test_one_element_outside_is_enough(statement):
    assert log_density(statement) == -np.inf


# Far from its bulk the cdf of a normal distribution is 0 or 1 at both ends.
@pytest.mark.parametrize("mu", [-500.0, -50.0, -8.0, 60.0, 500.0])
def test_far_tails_keep_their_digits(mu):
    program = bound("parameters { real mu; } model { 0.5 ~ normal(mu, 1) T[0, 1]; }", {})
    value, gradient = jax.value_and_grad(program.log_density)(np.array([mu]))

    def relative(y):
        return np.exp(((0.5 - mu) ** 2 - (y - mu) ** 2) / 2)

    points = [0.001, 0.01, 0.05, 0.2, 0.8, 0.95, 0.99, 0.999]
    total = quad(relative, 0, 1, points=points, limit=500)[0]
    mean = quad(lambda y: y * relative(y), 0, 1, points=points, limit=500)[0] / total
    np.testing.assert_allclose(value, -np.log(total), rtol=1e-11)
    np.testing.assert_allclose(gradient, [0.5 - mean], rtol=1e-9)


def test_a_normalizer_that_underflows_is_no_infinite_density():
    program = bound("parameters { real p; } model { 2000 ~ exponential(exp(p)) T[1000, 1000]; }", {})
    assert program.log_density(np.array([3.0])) == -np.inf
    assert log_density("z ~ normal(p, s) T[0.7, 0.7];") == -np.inf


@pytest.mark.parametrize(
    "statement",
    [
        "exponential(s) T[0, 3]", "lognormal(p, s) T[0, 3]", "gamma(s, s) T[0, 3]", "beta(s, s) T[0, 1]",
        "normal(p, s) T[negative_infinity(), 3]", "normal(p, s) T[0, positive_infinity()]",
        "von_mises(p, s) T[0, pi()]", "weibull(s, s) T[ , positive_infinity()]", "pareto(0.5 * s, s) T[0.1, 8]",
    ],
)  # fmt: skip
def test_gradients_at_the_ends_of_the_support_are_finite(statement):
    program = bound(f"parameters {{ real p; real<lower=0> s; }} model {{ 0.75 ~ {statement}; }}", {})
    value, gradient = jax.value_and_grad(program.log_density)(POSITION)
    steps = 1e-5 * np.eye(2)
    slopes = [(program.log_density(POSITION + h) - program.log_density(POSITION - h)) / 2e-5 for h in steps]
    assert np.isfinite(value)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-7, atol=1e-7)


def users(outcome: str, location: str) -> str:
    """A normal distribution of the user."""
    return f"""functions {{
      real own_lpdf({outcome} y, {location} m, real s) {{ return normal_lpdf(y | m, s); }}
      real own_lcdf(real y, {location} m, real s) {{ return normal_lcdf(y | m, s); }}
      real own_lccdf(real y, {location} m, real s) {{ return normal_lccdf(y | m, s); }}
    }}"""


@pytest.mark.parametrize(
    ("outcome", "location", "statement", "equivalent"),
    [
        ("vector", "real", "y ~ own(p, s) T[0, ];", "y ~ normal(p, s) T[0, ];"),
        ("vector", "real", "y ~ own(p, s) T[ , 3];", "y ~ normal(p, s) T[ , 3];"),
        ("vector", "real", "y ~ own(p, s) T[0, 3];", "y ~ normal(p, s) T[0, 3];"),
        ("vector", "vector", "y ~ own(p + x, s) T[0, ];", "y ~ normal(p + x, s) T[0, ];"),
        ("vector", "vector", "y ~ own(p + x, s) T[0, 3];", "y ~ normal(p + x, s) T[0, 3];"),
        ("real", "real", "z ~ own(p, s) T[0, 3];", "z ~ normal(p, s) T[0, 3];"),
        ("row_vector", "real", "for (n in 1:N) m[n] ~ own(p, s) T[0, n + 6];",
         "for (n in 1:N) m[n] ~ normal(p, s) T[0, n + 6];"),
        ("vector", "vector", "for (n in 1:N) m[n]' ~ own(n * x, s) T[0, n + 6];",
         "for (n in 1:N) m[n]' ~ normal(n * x, s) T[0, n + 6];"),
        ("vector", "real", "for (n in 1:N) y[1:n] ~ own(p * n, s) T[0, 3];",
         "for (n in 1:N) y[1:n] ~ normal(p * n, s) T[0, 3];"),
        ("vector", "real", "for (n in 1:N) y[1:n] ~ own(p * n, s) T[0, 2];",
         "for (n in 1:N) y[1:n] ~ normal(p * n, s) T[0, 2];"),
        ("matrix", "real", "m[1:2] ~ own(p, s) T[0, ];".replace("m[1:2]", "m"), "to_vector(m) ~ normal(p, s) T[0, ];"),
    ],
)  # fmt: skip
def test_users_distributions_are_truncated_as_those_of_the_library(outcome, location, statement, equivalent):
    own = users(outcome, location)
    if outcome == "matrix":
        own = own.replace("normal_lpdf(y |", "normal_lpdf(to_vector(y) |")
    np.testing.assert_allclose(log_density(statement, own), log_density(equivalent), rtol=1e-12)


def test_containers_of_one_distribution_are_given_whole():
    """One outcome of a mixture whose weights are a vector."""
    functions = """functions {
      real mix_lpdf(real y, vector w) { return log_mix(w[1], normal_lpdf(y | 0, 1), normal_lpdf(y | 2, 1)); }
      real mix_lcdf(real y, vector w) { return log_mix(w[1], normal_lcdf(y | 0, 1), normal_lcdf(y | 2, 1)); }
      real mix_lccdf(real y, vector w) { return log_mix(w[1], normal_lccdf(y | 0, 1), normal_lccdf(y | 2, 1)); }
    }"""

    def mixed(f):
        return 0.3 * f(0.7, 0, 1) + 0.7 * f(0.7, 2, 1)

    mass = 0.3 * np.diff(stats.norm(0, 1).cdf([0, 3])) + 0.7 * np.diff(stats.norm(2, 1).cdf([0, 3]))
    found = log_density("z ~ mix([0.3, 0.7]') T[0, 3];", functions)
    np.testing.assert_allclose(found, np.log(mixed(stats.norm.pdf) / mass[0]), rtol=1e-12)


OVERLOADS = """functions {
  real own_lpmf(array[] int n, vector rate) { return poisson_lpmf(n | rate); }
  real own_lcdf(data int n, vector rate) { return poisson_lcdf(n | rate); }
  real own_lcdf(real n, real rate) { return not_a_number(); }
  real own_lcdf(int n, real rate) { return poisson_lcdf(n | rate); }
  real own_lccdf(int n, vector rate) { return poisson_lccdf(n | rate); }
}"""


def test_overloads_of_users_functions_are_told_apart_by_the_types_of_the_ends():
    found = log_density("k ~ own(exp(x)) T[1, 4];", OVERLOADS)
    np.testing.assert_allclose(found, truncated(stats.poisson(np.exp(X)), COUNTS, 1, 4), rtol=1e-12)


def test_distribution_functions_of_the_user_complete_one_of_the_library():
    functions = """functions {
      real poisson_log_lcdf(int n, real eta) { return poisson_lcdf(n | exp(eta)); }
      real poisson_log_lccdf(int n, real eta) { return poisson_lccdf(n | exp(eta)); }
    }"""
    found = log_density("k ~ poisson_log(p) T[1, ];", functions)
    np.testing.assert_allclose(found, truncated(stats.poisson(np.exp(P)), COUNTS, 1), rtol=1e-12)


def test_complex_outcomes_cannot_be_truncated():
    functions = users("complex", "real").replace("normal_lpdf(y |", "normal_lpdf(get_real(y) |")
    program = f"{functions} parameters {{ real p; }} model {{ to_complex(p) ~ own(p, 1) T[0, 1]; }}"
    with pytest.raises(StanTypeError, match="truncated distribution must be made of `int` or `real`, found `complex`"):
        check(parse(program))


FAMILIES = {  # parameters, ends, and integers or not
    "normal({a}, {b})": False,
    "logistic({a}, {b})": False,
    "weibull({b}, 1 + {b})": False,
    "poisson({b})": True,
    "binomial({size}, inv_logit({a}))": True,
}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_containers_mean_loops_over_scalars(family):
    """With gradients, for containers and scalars in all places, bounds of parameters, and loops over rows."""
    outcome, row, of_row = ("k", "rows[i]", "rows[i, n]") if FAMILIES[family] else ("y", "m[i]", "m[i, n]")
    head = HEAD.replace("real z;", "real z; array[N, N] int rows;")
    data = DATA | {"rows": np.stack([COUNTS] * 4)}
    ends = (
        ("T[0, ]", "T[ , 6]", "T[0, 6]") if FAMILIES[family] else ("T[s * 0.1, ]", "T[ , s + 5]", "T[s * 0.1, s + 5]")
    )
    whole, scalar = [], []
    for i, (a, b, size) in enumerate([("p", "s", "8"), ("p * x", "s", "size"), ("p", "(s + square(x))", "8")]):
        one = {
            "a": a.replace("x", "x[n]"),
            "b": b.replace("x", "x[n]"),
            "size": size.replace("size", "size[n]"),
        }
        for end in (ends[i], ends[2]):
            whole += [f"{outcome} ~ {family.format(a=a, b=b, size=size)} {end};"]
            whole += [f"for (i in 1:N) {row} ~ {family.format(a=a, b=b, size=size)} {end};"]
            scalar += [f"for (n in 1:N) {outcome}[n] ~ {family.format(**one)} {end};"]
            scalar += [f"for (i in 1:N) for (n in 1:N) {of_row} ~ {family.format(**one)} {end};"]
    values, gradients = values_and_gradients(bound(f"{head} model {{ {' '.join(whole)} }}", data))
    expected, expected_gradients = values_and_gradients(bound(f"{head} model {{ {' '.join(scalar)} }}", data))
    assert np.all(np.isfinite(values))
    np.testing.assert_allclose(values, expected, rtol=1e-11)
    np.testing.assert_allclose(gradients, expected_gradients, rtol=1e-9, atol=1e-9)
