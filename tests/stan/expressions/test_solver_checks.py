"""Solvers given what Stan refuses: points are rejected, and in transformed data it is an error with its place."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pathfinder
from pathfinder import Model
from pathfinder.stan import StanError


FUNCTIONS = """functions {
  vector decay(real t, vector y, real k) { return -k * y; }
  vector late(real t, vector y, real k) { if (t > 1.5) reject("too late: ", t); return -k * y; }
  vector wide(real t, vector y, real k) { return [1, 2]'; }
  array[] real old(real t, array[] real y, array[] real theta, array[] real x_r, array[] int x_i) {
    return {-theta[1] * y[1]};
  }
  vector square(vector y, real k) { return y .* y - k; }
  vector pair(vector y, real k) { return [y[1], k]'; }
  vector old_square(vector y, vector theta, array[] real x_r, array[] int x_i) { return y .* y - theta; }
  real integrand(real x, real xc, real k) { return exp(-k * x); }
  real old_integrand(real x, real xc, array[] real theta, array[] real x_r, array[] int x_i) {
    return exp(-theta[1] * x);
  }
}
"""
PARAMETER = "parameters { real k; } model { target += "
ADJOINT = "1e-8, [1e-8]', 1e-8, [1e-8]', 1e-8, 1e-8, 1000, 100, 1, 1, 1"


def log_density(expression):
    """At any value of the parameter, compiled once."""
    model = Model.from_stan(f"{FUNCTIONS}{PARAMETER}{expression}; }}")
    density, rejection = jax.jit(model.log_density), model.rejection_fn
    assert rejection is not None

    def at(k):
        return float(density(jnp.array([k]))), rejection(np.array([k]))

    return at


# expression, value at k = 0.5, and a value of k at which Stan throws, for this reason
AT_POINTS = {
    "times in disorder": ("ode_rk45(decay, [1]', 0, {0.5, 4 * k - 1}, k)[2, 1]", np.exp(-0.5), 0.2, "one before"),
    "ckrk": ("ode_ckrk(decay, [1]', 0, {0.5, 4 * k - 1}, k)[2, 1]", np.exp(-0.5), 0.2, "one before"),
    "adams": ("ode_adams(decay, [1]', 0, {0.5, 4 * k - 1}, k)[2, 1]", np.exp(-0.5), 0.2, "one before"),
    "old": (
        "integrate_ode_rk45(old, {1}, 0, {0.5, 4 * k - 1}, {k}, rep_array(0.0, 0), rep_array(0, 0))[2, 1]",
        np.exp(-0.5), 0.2, "one before",
    ),
    "adjoint": (
        f"ode_adjoint_tol_ctl(decay, [1]', 0, {{0.5, 4 * k - 1}}, {ADJOINT}, k)[2, 1]", np.exp(-0.5), 0.2, "one before",
    ),
    "equal times": ("ode_rk45(decay, [1]', 0, {1, 2 * k}, k)[2, 1]", np.exp(-0.5), 0.2, "one before"),
    "start": ("ode_rk45(decay, [1]', k, {1.0}, k)[1, 1]", np.exp(-0.25), 1.0, "less than the first"),
    "state": ("ode_rk45(decay, [1 / k]', 0, {1.0}, k)[1, 1]", 2 * np.exp(-0.5), 0.0, "initial state"),
    "arguments": ("ode_rk45(decay, [1]', 0, {1.0}, 0.25 / k)[1, 1]", np.exp(-0.5), 0.0, "arguments"),
    "time": ("ode_rk45(decay, [1]', 0, {0.5 / k}, k)[1, 1]", np.exp(-0.5), 0.0, "times have to be finite"),
    "reject": ("ode_rk45(late, [1]', 0, {2 * k}, k)[1, 1]", np.exp(-0.5), 1.0, "no solution"),
    "no root": ("solve_newton(square, [1]', k)[1]", np.sqrt(0.5), -1.0, "no solution"),
    "no root by dogleg": ("solve_powell(square, [1]', k)[1]", np.sqrt(0.5), -1.0, "no solution"),
    "old root": (
        "algebra_solver(old_square, [1]', [k]', rep_array(0.0, 0), rep_array(0, 0))[1]",
        np.sqrt(0.5), -1.0, "no solution",
    ),
    "guess": ("solve_newton(square, [0.5 / k]', 0.5)[1]", np.sqrt(0.5), 0.0, "initial guess"),
    "limits": (
        "integrate_1d_double_exponential(integrand, 0, k, k)", (1 - np.exp(-0.25)) / 0.5, -0.5, "exceed the upper",
    ),
    "old integral": (
        "integrate_1d(old_integrand, 0, k, {k}, rep_array(0.0, 0), rep_array(0, 0))",
        (1 - np.exp(-0.25)) / 0.5, -0.5, "exceed the upper",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AT_POINTS)
def test_points_are_rejected(name):
    expression, expected, wrong, reason = AT_POINTS[name]
    with jax.enable_x64(True):
        at = log_density(expression)
        np.testing.assert_allclose(at(0.5)[0], expected, rtol=1e-5)
        value, said = at(wrong)
        assert not np.isfinite(value)
        assert reason in said
        assert "model, line 16, column" in said


@pytest.mark.slow
def test_implicit_solver_is_not_ended_by_times():
    with jax.enable_x64(True):
        at = log_density("ode_bdf(late, [1]', 0, {0.5, 4 * k - 1}, k)[2, 1]")
        np.testing.assert_allclose(at(0.5)[0], np.exp(-0.5), rtol=1e-8)
        for k, reason in [(0.2, "one before"), (0.7, "no solution")]:
            value, said = at(k)
            assert not np.isfinite(value)
            assert reason in said


@pytest.mark.slow
def test_a_fit_goes_around_rejected_points():
    """The posterior is a normal distribution below 1.25, from where on the times are in disorder."""
    program = (
        FUNCTIONS + "parameters { real k; } transformed parameters { real y = ode_bdf(\n"
        "decay, [1]', 0, {2.0, 0.75 + k}, 0.1)[2, 1]; } model { k ~ normal(2, 0.1); }"
    )
    with jax.enable_x64(True):
        result = pathfinder.fit(Model.from_stan(program), seed=1, num_paths=2, progress=False)
    np.testing.assert_allclose(np.mean(result.draws["k"]), 2, atol=0.02)
    np.testing.assert_allclose(result.draws["y"], np.exp(-0.1 * (0.75 + result.draws["k"])), rtol=1e-6)


# what is wrong stands behind an @
KNOWN = {
    "times": ("ode_rk45(decay, [1]', 0, {2, 1}, k)[1, 1]", "one before, but given is 2, 1"),
    "start": ("ode_bdf(decay, [1]', 1, {1, 2}, k)[1, 1]", "but given is 1 and 1, 2"),
    "infinite time": ("ode_adams(decay, [1]', 0, {1, positive_infinity()}, k)[1, 1]", "times have to be finite"),
    "no state": ("ode_rk45(decay, rep_vector(0, 0), 0, {1.0}, k)[1, 1]", "the initial state has size 0"),
    "no times": ("ode_rk45(decay, [1]', 0, rep_array(0.0, 0), k)[1, 1]", "the array of times has size 0"),
    "size": ("ode_ckrk(wide, [1]', 0, {1.0}, k)[1, 1]", "returns 2 numbers, but has to return 1"),
    "size of implicit": ("ode_bdf(wide, [1]', 0, {1.0}, k)[1, 1]", "returns 2 numbers, but has to return 1"),
    "relative": ("ode_rk45_tol(decay, [1]', 0, {1.0}, @0, 1e-6, 10, k)[1, 1]", "positive and finite, but is 0"),
    "absolute": ("ode_bdf_tol(decay, [1]', 0, {1.0}, 1e-6, @-1, 10, k)[1, 1]", "absolute tolerance has to be"),
    "steps": ("ode_adams_tol(decay, [1]', 0, {1.0}, 1e-6, 1e-6, @0, k)[1, 1]", "number of steps has to be positive"),
    "adjoint": (
        f"ode_adjoint_tol_ctl(decay, [1]', 0, {{1.0}}, {ADJOINT.replace('1, 1, 1', '1, 1, @3')}, k)[1, 1]",
        "the method backwards has to be 1 (Adams) or 2 (BDF), but is 3",
    ),
    "adjoint sizes": (
        f"ode_adjoint_tol_ctl(decay, [1, 2]', 0, {{1.0}}, 1e-8, @{ADJOINT[6:]}, k)[1, 1]",
        "these tolerances have size 1, but the initial state has size 2",
    ),
    "root": ("solve_newton_tol(square, [1]', @-1, 1e-6, 10, k)[1]", "has to be zero or positive, but is -1"),
    "root steps": ("solve_powell_tol(square, [1]', 1e-6, 1e-6, @0, k)[1]", "number of steps has to be positive"),
    "equations": ("solve_newton(pair, [1]', k)[1]", "returns 2 numbers, but has to return 1"),
    "no unknowns": ("solve_powell(square, rep_vector(0, 0), k)[1]", "the initial guess has size 0"),
    "limits": ("integrate_1d_gauss_kronrod(integrand, 1, 0, k)", "exceed the upper one, but given is 1 and 0"),
    "tolerance": ("integrate_1d_gauss_kronrod_tol(integrand, 0, 1, 1e-6, @-1, 3, k)", "absolute tolerance"),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_known_from_the_data_is_an_error_with_its_place(name):
    marked, words = KNOWN[name]
    column = max(marked.find("@"), 0)
    before = "transformed data { real k = 1; real y = "
    with pytest.raises(StanError) as caught:
        Model.from_stan(f"{FUNCTIONS}{before}{marked.replace('@', '')}; }} parameters {{ real x; }}")
    diagnostic = caught.value.diagnostic
    assert words in diagnostic.message
    assert (diagnostic.span.line, diagnostic.span.column) == (16, len(before) + column + 1)


NOT_SIZES = [name for name, (_, words) in KNOWN.items() if "size" not in words and "returns" not in words]


@pytest.mark.parametrize("name", NOT_SIZES)
def test_what_is_known_from_the_data_rejects_all_points_elsewhere(name):
    marked, words = KNOWN[name]
    model = Model.from_stan(f"{FUNCTIONS}{PARAMETER}{marked.replace('@', '')}; }}")
    assert model.rejection_fn is not None
    said = model.rejection_fn(np.array([0.5]))
    assert words in said
    assert f"model, line 16, column {len(PARAMETER) + max(marked.find('@'), 0) + 1}" in said
    if "bdf" not in marked and "adjoint" not in marked:  # which take long to compile
        assert not np.isfinite(model.log_density(jnp.array([0.5])))


@pytest.mark.parametrize("solver", ["rk45", "ckrk", "adams", "bdf"])
def test_times_in_disorder_are_evaluated(solver):
    model = Model.from_stan(f"{FUNCTIONS}{PARAMETER}sum(ode_{solver}(decay, [1]', 0, {{2, 1}}, k)[1]); }}")
    assert not np.isfinite(jax.jit(model.log_density)(jnp.array([0.5])))


@pytest.mark.parametrize(
    "call",
    [
        "ode_rk45(late, [1]', 0, {2.0}, 1)[1, 1]",
        "solve_newton(square, [1]', -1)[1]",
        "integrate_1d_double_exponential(integrand, 0, 1, not_a_number())",
    ],
)
def test_failure_on_data_is_an_error_with_its_place(call):
    with pytest.raises(StanError, match="finds no solution"):
        Model.from_stan(f"{FUNCTIONS}transformed data {{ real y = {call}; }} parameters {{ real x; }}")


def test_only_the_branch_that_is_run_is_checked():
    with jax.enable_x64(True):
        at = log_density("k > 0 ? 1 : ode_rk45(decay, [1]', 0, {2, 1}, k)[1, 1]")
        assert at(0.5)[0] == 1.0
        assert at(-0.5)[0] == -np.inf
