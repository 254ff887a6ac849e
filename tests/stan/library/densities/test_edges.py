"""The edges of every univariate density: outside the support, invalid parameters, single precision, slopes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan._library.densities import DISTRIBUTIONS


# name: (valid arguments, outcomes outside the support, invalid parameters)
EDGES = {
    "normal": ((0.3, 1.2, 0.7), [], [(1.0, -0.7), (1.0, 0.0), (np.inf, 1.0), (0.0, np.inf)]),
    "lognormal": ((0.3, 1.2, 0.7), [-1.0, 0.0], [(1.0, -0.7)]),
    "skew_normal": ((0.3, 1.2, 0.7, 2.0), [], [(1.0, -0.7, 1.0), (0.0, 1.0, np.inf)]),
    "exp_mod_normal": ((0.3, 1.2, 0.7, 2.0), [], [(1.0, -0.7, 1.0), (1.0, 0.7, 0.0)]),
    "cauchy": ((0.3, 1.2, 0.7), [], [(1.0, -0.7)]),
    "student_t": ((0.3, 4.0, 1.2, 0.7), [], [(-1.0, 0.0, 1.0), (4.0, 0.0, -1.0)]),
    "double_exponential": ((0.3, 1.2, 0.7), [], [(1.0, -0.7)]),
    "skew_double_exponential": ((0.3, 1.2, 0.7, 0.4), [], [(1.0, -0.7, 0.4), (1.0, 0.7, 1.4)]),
    "logistic": ((0.3, 1.2, 0.7), [], [(1.0, -0.7)]),
    "gumbel": ((0.3, 1.2, 0.7), [], [(1.0, -0.7)]),
    "exponential": ((0.3, 1.2), [-0.1], [(-1.0,), (0.0,)]),
    "weibull": ((0.3, 1.2, 0.7), [-0.1], [(-1.0, 1.0), (1.0, 0.0)]),
    "frechet": ((0.3, 1.2, 0.7), [-0.1, 0.0], [(-1.0, 1.0), (1.0, 0.0)]),
    "rayleigh": ((0.3, 1.2), [-0.1], [(-1.0,)]),
    "loglogistic": ((0.3, 1.2, 0.7), [-0.1], [(-1.0, 1.0), (1.0, 0.0)]),
    "gamma": ((0.3, 1.2, 0.7), [-0.1], [(-1.0, 1.0), (1.0, 0.0)]),
    "inv_gamma": ((0.3, 1.2, 0.7), [-0.1, 0.0], [(-1.0, 1.0), (1.0, 0.0)]),
    "chi_square": ((0.3, 1.2), [-0.1], [(-1.0,)]),
    "inv_chi_square": ((0.3, 1.2), [-0.1], [(-1.0,)]),
    "scaled_inv_chi_square": ((0.3, 1.2, 0.7), [-0.1], [(-1.0, 1.0), (1.0, -1.0)]),
    "pareto": ((1.3, 1.2, 0.7), [1.1], [(-1.0, 1.0), (1.0, 0.0)]),
    "pareto_type_2": ((1.3, 1.2, 0.7, 2.0), [1.1], [(0.0, -1.0, 1.0), (0.0, 1.0, 0.0)]),
    "beta": ((0.3, 1.2, 0.7), [-0.1, 1.1], [(-1.0, 1.0), (1.0, 0.0)]),
    "beta_proportion": ((0.3, 0.2, 0.7), [-0.1, 1.1], [(1.5, 1.0), (0.5, 0.0)]),
    "uniform": ((0.3, -1.2, 0.7), [-1.3, 0.8], [(1.0, 1.0), (2.0, 1.0)]),
    "von_mises": ((0.3, 1.2, 0.7), [], [(1.0, -1.0), (np.inf, 1.0)]),
    "wiener": ((0.9, 1.3, 0.2, 0.4, 0.7), [0.1], [(-1.0, 0.2, 0.4, 0.7), (1.0, 0.2, 1.4, 0.7)]),
    "bernoulli": ((1, 0.3), [2, -1], [(1.2,), (-0.1,)]),
    "bernoulli_logit": ((1, 0.3), [2, -1], [(np.nan,)]),
    "binomial": ((3, 10, 0.3), [-1, 11], [(10, 1.2), (-1, 0.2)]),
    "binomial_logit": ((3, 10, 0.3), [-1, 11], [(-1, 0.2)]),
    "beta_binomial": ((3, 10, 0.7, 1.4), [-1, 11], [(10, -1.0, 1.0), (10, 1.0, 0.0)]),
    "hypergeometric": ((3, 10, 8, 20), [-1, 9], [(30, 8, 20), (-1, 8, 20)]),
    "discrete_range": ((3, 1, 7), [0, 8], [(4, 3)]),
    "poisson": ((3, 2.5), [-1], [(-1.0,), (np.inf,)]),
    "poisson_log": ((3, 1.1), [-1], [(np.nan,)]),
    "neg_binomial": ((3, 2.5, 1.3), [-1], [(-1.0, 1.0), (1.0, 0.0)]),
    "neg_binomial_2": ((3, 2.5, 1.3), [-1], [(-1.0, 1.0), (1.0, 0.0)]),
    "neg_binomial_2_log": ((3, 1.1, 1.3), [-1], [(np.inf, 1.0), (1.0, 0.0)]),
    "beta_neg_binomial": ((3, 2.0, 3.0, 1.3), [-1], [(-1.0, 1.0, 1.0), (1.0, 0.0, 1.0)]),
    "yule_simon": ((3, 1.3), [0], [(-1.0,)]),
}


def _cases(name):
    valid, outside, invalid = EDGES[name]
    rows = [valid, *[(y, *valid[1:]) for y in outside], *[(valid[0], *parameters) for parameters in invalid]]
    if isinstance(valid[0], float):
        rows.append((np.nan, *valid[1:]))
    return [np.array(column) for column in zip(*rows, strict=True)], len(outside), len(invalid)


@pytest.fixture(scope="module")
def evaluated():
    """Values and slopes of all densities at their edges, compiled at once."""

    def evaluate(name, arguments):
        density = DISTRIBUTIONS[name].log_density
        reals = tuple(i for i, column in enumerate(arguments) if column.dtype.kind == "f")
        value, pull = jax.vjp(lambda *r: density(*_put(arguments, reals, r)), *[arguments[i] for i in reals])
        return value, pull(jnp.ones_like(value))

    with jax.enable_x64():
        arguments = {name: _cases(name)[0] for name in EDGES}
        return jax.jit(lambda cases: {name: evaluate(name, case) for name, case in cases.items()})(arguments)


def _put(arguments, positions, values):
    arguments = list(arguments)
    for i, value in zip(positions, values, strict=True):
        arguments[i] = value
    return arguments


@pytest.mark.parametrize("name", EDGES)
def test_outside_the_support_is_minus_infinity_and_invalid_is_nan(evaluated, name):
    _, num_outside, num_invalid = _cases(name)
    values = np.asarray(evaluated[name][0])
    assert np.isfinite(values[0])
    assert np.all(values[1 : 1 + num_outside] == -np.inf)
    assert np.all(np.isnan(values[1 + num_outside :][:num_invalid]))


@pytest.mark.parametrize("name", EDGES)
def test_slopes_are_finite_inside_and_outside_the_support(evaluated, name):
    _, num_outside, _ = _cases(name)
    for slope in evaluated[name][1]:
        assert np.all(np.isfinite(np.asarray(slope)[: 1 + num_outside]))


@pytest.mark.parametrize("name", [name for name, (valid, _, _) in EDGES.items() if isinstance(valid[0], float)])
def test_a_missing_outcome_is_nan(evaluated, name):
    assert np.isnan(evaluated[name][0][-1])


def test_single_precision_is_kept(evaluated):
    with jax.enable_x64():
        arguments = {
            name: [jnp.asarray(v, jnp.float32 if isinstance(v, float) else jnp.int32) for v in valid]
            for name, (valid, _, _) in EDGES.items()
            if any(isinstance(v, float) for v in valid)
        }
        single = jax.jit(lambda a: {n: DISTRIBUTIONS[n].log_density(*v) for n, v in a.items()})(arguments)
    assert {name for name, value in single.items() if value.dtype != jnp.float32} == set()
    for name, value in single.items():
        np.testing.assert_allclose(value, evaluated[name][0][0], rtol=2e-5, err_msg=name)


def test_boundaries_of_the_support():
    cases = {
        "exponential": ((0.0, 2.0), np.log(2.0)),
        "gamma": ((0.0, 1.0, 2.0), np.log(2.0)),
        "weibull": ((0.0, 1.0, 2.0), -np.log(2.0)),
        "loglogistic": ((0.0, 2.0, 1.0), -np.log(2.0)),
        "beta": ((0.0, 1.0, 2.0), np.log(2.0)),
        "binomial": ((0, 4, 0.0), 0.0),
        "poisson": ((0, 0.0), 0.0),
        "uniform": ((2.0, 1.0, 2.0), 0.0),
        "bernoulli": ((1, 1.0), 0.0),
    }
    with jax.enable_x64():
        values = jax.jit(lambda: {n: DISTRIBUTIONS[n].log_density(*a) for n, (a, _) in cases.items()})()
    for name, (_, expected) in cases.items():
        np.testing.assert_allclose(values[name], expected, atol=1e-14, err_msg=name)


def test_cdfs_beyond_the_support_are_zero_and_one():
    below = {"gamma": -1.0, "lognormal": -1.0, "beta": -0.5, "weibull": 0.0, "inv_gamma": -1.0, "pareto": 1.0}
    below |= {"poisson": -1, "binomial": -1, "neg_binomial": -1, "beta_binomial": -1, "uniform": -2.0, "frechet": 0.0}
    above = {"beta": 1.5, "binomial": 10, "beta_binomial": 11, "uniform": 1.0, "discrete_range": 7}

    def tails(name, y):
        distribution, rest = DISTRIBUTIONS[name], EDGES[name][0][1:]
        return [distribution.cdf(y, *rest), distribution.lcdf(y, *rest), distribution.lccdf(y, *rest)]

    with jax.enable_x64():
        at_below, at_above = jax.jit(lambda: [{n: tails(n, y) for n, y in t.items()} for t in (below, above)])()
    for name, values in at_below.items():
        assert [float(v) for v in values] == [0.0, -np.inf, 0.0], name
    for name, values in at_above.items():
        assert [float(v) for v in values] == [1.0, 0.0, -np.inf], name


@pytest.mark.parametrize("name", ["normal", "exponential", "logistic", "gamma"])
def test_cdfs_of_invalid_arguments_known_when_compiling_are_nan_in_single_precision(name):
    """XLA evaluates its float32 exponential of a constant NaN to anything."""
    distribution = DISTRIBUTIONS[name]
    invalid = [-1.0] * (len(distribution.arguments) - 1)
    with jax.enable_x64(False):
        cdf = jax.jit(lambda x: distribution.cdf(x, *invalid))
        assert np.all(np.isnan(cdf(np.full(9, 0.3, np.float32))))
