"""Programs with data: what they compute beside the density, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan import parse
from pathfinder.stan._checking.programs import check
from pathfinder.stan._program.program import bind
from pathfinder.stan._state.errors import StanEvaluationError, StanRejectError, UntraceableError
from tests.stan.running import bound, how


def density(program, data, position):
    return float(jax.jit(bound(program, data).log_density)(jnp.asarray(position)))


def test_jacobian_can_be_left_out():
    program = bound("parameters { real<lower=0> s; } model { target += -s; }", {})
    free = jnp.array([0.3])
    np.testing.assert_allclose(program.log_density(free), 0.3 - np.exp(0.3))
    np.testing.assert_allclose(program.log_density(free, jacobian=False), -np.exp(0.3))


def test_transformed_parameters():
    program = bound(
        """
        data { int N; }
        parameters { vector[N] x; real<upper=2> b; }
        transformed parameters { vector[N] cumulated; for (n in 1:N) cumulated[n] = sum(x[1:n]) * b; }
        """,
        {"N": 3},
    )
    assert program.dim == 4
    found = program.transformed(jnp.array([1.0, 2.0, 3.0, 0.0]))
    assert list(found) == ["x", "b", "cumulated"]
    np.testing.assert_allclose(found["b"], 1)
    np.testing.assert_allclose(found["cumulated"], [1, 3, 6])


def test_loops_without_iterations_use_no_index():
    program = """
    data { int N; array[N] int counts; vector[N] y; }
    parameters { vector[N] x; }
    model { for (n in 1:N) for (i in 1:counts[n]) target += i * x[n + 1] * y[n + 1]; }
    """
    data = {"N": 3, "counts": [2, 1, 0], "y": [1.0, 2.0, 4.0]}
    assert density(program, data, [1.0, 10.0, 100.0]) == 3 * 2 * 10 + 4 * 100


def test_transformed_data_do_not_change_data():
    data = {"y": np.array([1.0, 2.0])}
    program = bound(
        """
        data { vector[2] y; }
        transformed data { vector[2] z = y; z[1] = 5; while (z[1] > 1) z[1] /= 2; z[2] = 0; }
        """,
        data,
    )
    np.testing.assert_allclose(program.data["z"], [0.625, 0])
    np.testing.assert_allclose(program.data["y"], [1, 2])


@pytest.mark.parametrize(("x", "rejected"), [(0.5, False), (-0.5, True)])
@pytest.mark.parametrize(
    "statement",
    [
        'if (x[1] < 0) reject("negative: ", x);',
        'for (n in 1:2) if (x[n] < 0) reject("negative");',
        'for (n in 2:4) { s = s + x[1] * s; if (s < 1) reject("small"); }',
        'for (n in 1:2) if (n == 1) { if (x[1] < 0) fatal_error("negative"); }',
    ],
)
def test_reject(statement, x, rejected):
    program = f"parameters {{ vector[2] x; }} model {{ real s = 1; {statement} target += x[1]; }}"
    assert density(program, {}, [x, 1.0]) == (-np.inf if rejected else x)


@pytest.mark.parametrize(("x", "rejected"), [(0.5, False), (-0.5, True), (3.0, True)])
def test_transformed_parameters_outside_of_their_constraints(x, rejected):
    program = """
    parameters { real x; }
    transformed parameters { array[2] vector<lower=0, upper=2>[2] z = {[1, x]', [1, 1]'}; }
    model { target += x; }
    """
    assert density(program, {}, [x]) == (-np.inf if rejected else x)


def test_reject_in_transformed_data_is_an_error_at_once():
    program = 'data { int N; } transformed data { if (N > 2) reject("N is ", N, "!"); }'
    bound(program, {"N": 2})
    with pytest.raises(StanRejectError, match="rejected: N is 3!"):
        bound(program, {"N": 3})


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("target += x[4];", "4"),
        ("for (n in 1:3) target += x[n + 1];", "4"),
        ("for (n in 1:3) x2[n - 1] = x[n];", "0"),
        ("for (n in 2:3) x2[n] = x2[n - 1] + x[n + 1];", "4"),
        ("x2[2:4] = x;", "4"),
    ],
)
def test_indices_out_of_range(statement, why):
    program = f"parameters {{ vector[3] x; }} model {{ vector[3] x2 = x; {statement} }}"
    with pytest.raises(StanEvaluationError, match=f"line 1.*{why}"):
        density(program, {}, np.zeros(3))


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("while (x[1] > 0) s += 1;", "condition of a `while` loop depends on parameters"),
        ("for (n in 1:(x[1] > 0)) s += 1;", "bounds of a loop have to be known"),
        ("for (n in 1:100) { s = sin(s); if (s < 0) break; }", "100 iterations cannot be compiled.*break"),
    ],
)
def test_what_cannot_be_compiled(statement, why):
    program = f"parameters {{ vector[3] x; }} model {{ real s = x[1]; {statement} target += s; }}"
    with pytest.raises(UntraceableError, match=why):
        density(program, {}, np.zeros(3))


def test_what_is_never_assigned_is_not_a_number():
    program = "parameters { real x; } model { vector[3] z; z[2] = x; target += %s; }"
    assert density(program % "z[2]", {}, [0.5]) == 0.5
    assert np.isnan(density(program % "z[1]", {}, [0.5]))


def test_reports_say_how_loops_ran():
    program = bound(
        """
        data { int N; vector[N] y; }
        parameters { vector[N] x; }
        model {
          vector[N] z = x;
          for (n in 1:N) y[n] ~ normal(x[n], 1);
          for (n in 2:N) z[n] += sin(z[n - 1]);
          for (n in 1:2) { z[n + 1] = z[n] * 2; }
          target += sum(z);
        }
        """,
        {"N": 30, "y": np.zeros(30)},
    )
    program.log_density(jnp.zeros(30))
    assert how(program) == ["lanes", "scan", "unrolled"]
    reasons = {report.how: report.reason for report in program.reports.values()}
    assert not reasons["lanes"]
    assert "`z` is read in one iteration and added to in another" in reasons["scan"]


def test_each_loop_is_reported_once():
    """Also where what is known from the data is computed beforehand by a part of its body."""
    program = bound(
        """
        parameters { vector[4] x; }
        model {
          int k = 0;
          for (n in 1:4) {
            for (m in 1:n) k += m;
            target += square(x[n]) * k;
          }
        }
        """,
        {},
    )
    program.log_density(jnp.zeros(4))
    assert sorted(report.line for report in program.reports.values()) == [5, 6]


def test_densities_of_many_positions_at_once():
    program = bound(
        """
        data { int N; }
        parameters { vector[N] x; }
        model {
          real s = 0;
          for (n in 1:N) { if (x[n] > 0) s = s + sqrt(x[n]); else s *= 0.5; }
          target += s - dot_self(x);
        }
        """,
        {"N": 6},
    )
    positions = np.cos(np.arange(24.0)).reshape(4, 6)
    together = jax.vmap(jax.grad(program.log_density))(positions)
    each = [jax.grad(program.log_density)(position) for position in jnp.asarray(positions)]
    np.testing.assert_allclose(together, each, rtol=1e-12)


def test_indices_into_arrays_of_many_sizes_are_checked():
    program = """
    data { int K; array[K] int n; }
    parameters { real x; }
    model { for (k in 1:K) { vector[n[k]] v; v[n[k] + (k == 7)] = x; target += v[n[k]]; } }
    """
    with pytest.raises(StanEvaluationError, match="index 8 is out of range; expected 1 to 7"):
        density(program, {"K": 20, "n": 1 + np.arange(20)}, [1.0])


def test_while_that_parameters_end_inside_of_a_loop_is_refused():
    program = """
    data { int N; array[N] int c; }
    parameters { real x; }
    model {
      int k = 0;
      for (n in 1:N) { int m = 2; while (m > 1) { if (x > n) m = 1; if (c[n]) continue; k += 1; } }
      target += x * k;
    }
    """
    with pytest.raises(UntraceableError, match="the condition of a `while` loop depends on parameters"):
        density(program, {"N": 3, "c": [1, 1, 0]}, [1.0])


def test_what_is_added_is_evaluated_once():
    program = """
    functions { real f_lp(real x) { target += x; return 10 * x; } }
    parameters { vector[3] x; }
    model {
      vector[3] scratch;
      for (n in 1:3) {
        real m = 0;
        m += f_lp(x[n]);
        scratch[1] = 0;
        scratch[1] = scratch[1] - f_lp(x[n]);
        target += m - 2 * scratch[1];
      }
    }
    """
    np.testing.assert_allclose(density(program, {}, [1.0, 2.0, 4.0]), (2 + 30) * 7)


def test_printing_from_functions_is_in_the_order_of_the_iterations():
    said = []
    program = """
    functions { int f(int n) { print("n = ", n); return n; } }
    transformed data { array[3] int x; for (n in 1:3) { x[n] = f(n); } }
    """
    bind(check(parse(program)), {}, print_line=said.append)
    assert said == ["n = 1", "n = 2", "n = 3"]


def test_recursion_that_parameters_end_has_a_place():
    program = """
    functions { real f(real x) { if (x < 1) return x; return f(x - 1); } }
    parameters { real x; }
    model { target += f(x); }
    """
    with pytest.raises(UntraceableError, match=r"line 2, column \d+: `f` calls itself too many times"):
        jax.make_jaxpr(bound(program, {}).log_density)(jnp.array([1.1]))


def test_bounds_of_inner_loops_are_functions_of_the_iteration():
    """Residuals of a moving average, as in the user's guide of Stan, and with the number of lags in the data."""
    program = """
    data { int T; int Q; vector[T] y; array[T] int lags; }
    parameters { vector[Q] theta; }
    model {
      vector[T] e;
      matrix[T, Q] earlier = rep_matrix(0, T, Q);
      vector[T] f;
      for (t in 1:T) {
        e[t] = y[t];
        for (q in 1:min(t - 1, Q)) e[t] = e[t] - theta[q] * e[t - q];
      }
      for (t in 1:T) {
        f[t] = y[t] - earlier[t] * theta;
        for (q in 1:lags[t]) earlier[t + 1, q] = f[t + 1 - q];
      }
      target += sum(e .* e) + 10 * sum(f .* f);
    }
    """
    rng = np.random.default_rng(0)
    length, order = 40, 3
    y, theta = rng.normal(size=length), np.array([0.5, -0.3, 0.2])
    lags = np.minimum(np.arange(length) % 10 + 1, order)
    lags[-1] = 0
    e, f = np.zeros(length), np.zeros(length)
    for t in range(length):
        e[t] = y[t] - sum(theta[q] * e[t - 1 - q] for q in range(min(t, order)))
        f[t] = y[t] - sum(theta[q] * f[t - 1 - q] for q in range(lags[t - 1] if t else 0))
    data = {"T": length, "Q": order, "y": y, "lags": lags}
    compiled = bound(program, data)
    found = jax.jit(compiled.log_density)(jnp.asarray(theta))
    np.testing.assert_allclose(found, np.sum(e**2) + 10 * np.sum(f**2), rtol=1e-12)
    assert "scan" in how(compiled)
    assert "unrolled" not in how(compiled)


def test_declarations_as_only_statements():
    """Accepted since Stan 2.30; what they declare is seen in their own statement only."""
    program = bound(
        """
        parameters { real a; }
        model {
          real s = 0;
          if (1) real z = a, y = 2 * z; else vector[2] z;
          for (i in 1:3) real z = i * a;
          for (each in {1, 2}) array[2] real z = {each, a};
          while (0) int k;
          if (a > 0) real z = log(a);
          target += s + a;
        }
        """,
        {},
    )
    assert program.log_density(np.array([1.5])) == 1.5


@pytest.mark.parametrize("y", [0.27392337, -1.5])
def test_a_variable_exists_unset_while_its_first_value_is_computed(y):
    program = bound(
        """
        functions { real f(real x) { array[3] real a = {x, 1, size(a)}; return a[3]; } }
        data { int N; }
        transformed data { vector[N] w = rep_vector(1, size(w)); array[2] int k = {num_elements(w), size(k)}; }
        parameters { real y; }
        transformed parameters {
          real unset = unset;
          matrix[N, 3] m = rep_matrix(y, rows(m), cols(m));
          vector[2] v = [is_nan(v[1]), y]';
        }
        model {
          real a = a;
          for (n in 1:2) { vector[n] b = rep_vector(f(y), size(b)); target += sum(b); }
          for (n in 1:30) { real s = is_nan(s) ? y : 0; target += s; }
          y ~ normal(0, 1);
          target += sum(w) + sum(k) + v[1] + sum(m);
        }
        """,
        {"N": 2},
    )
    expected = -0.5 * y**2 - 0.5 * np.log(2 * np.pi) + 9 + 30 * y + 2 + 4 + 1 + 6 * y
    assert program.log_density(np.array([y])) == pytest.approx(expected, rel=1e-12)
    assert np.isnan(program.transformed(np.array([y]))["unset"])
