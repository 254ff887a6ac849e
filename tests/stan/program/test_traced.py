"""Data are arguments: what was traced with some data computes with others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder import Model
from pathfinder.stan._program.traced import trace


ODE = """\
functions {
  vector rhs(real t, vector y, real k, vector d) { return -k * y + d * t; }
}
data { int T; array[T] real ts; vector[2] d; vector[2] y0; vector[T] y; }
parameters { real<lower=0> k; real shift; }
model {
  array[T] vector[2] z = ode_rk45(rhs, y0 + shift, 0, ts, k, d);
  y ~ normal(to_vector(z[ : , 1]), 1);
  k ~ normal(0, 1);
}
"""
ALGEBRA = """\
functions {
  vector residuals(vector y, real k, vector d) { return y .* exp(y) - k * d; }
}
data { vector[2] d; vector[2] y; }
parameters { real<lower=0> k; }
model {
  y ~ normal(solve_newton(residuals, d, k, d), 1);
  k ~ normal(0, 1);
}
"""
CASES = {
    "ode": (
        ODE,
        {"T": 3, "ts": [1, 2, 3], "d": [1, 0.5], "y0": [1, 2], "y": [1, 2, 3]},
        {"T": 3, "ts": [1.5, 2, 3.5], "d": [2, 0.7], "y0": [2, 1], "y": [1, 0, 3]},
    ),
    "algebra": (ALGEBRA, {"d": [1, 0.5], "y": [1, 2]}, {"d": [2, 0.7], "y": [1, 0]}),
}


SCALARS = """\
functions {
  real twice(real x, real a) { return a > 0 ? 2 * a * x : a * x; }
}
data {
  int N; vector[N] y; real<lower=0> s; real low; real high; real nu; complex z; tuple(real, real) t; array[N] real w;
}
transformed data {
  real m = mean(y);
  real total = 0;
  for (n in 1:N) total += w[n] * s;
  array[2] real pair = {s, m};
}
parameters {
  real<lower=low, upper=high> a;
  real<offset=m, multiplier=s> b;
  real<lower=nu> c;
  vector[N] x;
}
transformed parameters {
  real copy = s / 2;
  vector[3] v;
  v[1] = m;
  v[2] = a * pair[2];
  v[3] = 1;
}
model {
  real last = x[1];
  a ~ normal(m, s);
  b ~ student_t(nu, low, high - low);
  c ~ gamma(s + 1, t.1);
  target += normal_lpdf(m | 0, s) + twice(c, t.2) + total * b + get_real(z) * a + get_imag(z * 2) * c;
  for (n in 2 : N) {
    last = y[n] > 100 ? last : nu * last + x[n];
  }
  for (n in 1 : N) x[n] ~ normal(w[n] * s, nu);
  if (s > 100) target += 1;
  target += last * y[2] + v[1] * b + pow(c, -t.1);
}
generated quantities {
  real r = normal_rng(m, s);
  real q = s * t.2;
}
"""
SCALAR_DATA = {
    "N": 3, "y": [0.3, -1.2, 0.7], "s": 1.5, "low": -1.0, "high": 2.0, "nu": 3.5, "z": [0.5, 1.5], "t": (0.7, 1.1),
    "w": [1.0, 0.1, -0.4],
}  # fmt: skip
OTHER_SCALAR_DATA = {
    "N": 3, "y": [0.1, 0.2, -0.7], "s": 0.4, "low": -2.0, "high": 2.5, "nu": 4.5, "z": [1.5, 0.25], "t": (0.3, 2.1),
    "w": [1.5, 0.2, 0.4],
}  # fmt: skip


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("case", CASES)
def test_solvers_and_their_derivatives_take_data_as_arguments(case):
    """Their rules of differentiation are no part of the text by which functions are compared."""
    program, data, other_data = CASES[case]
    model, other = Model.from_stan(program, data), Model.from_stan(program, other_data)
    assert model.density == other.density
    position = np.linspace(-0.5, 0.7, model.dim)
    shared = jax.value_and_grad(model.density)(position, other.data)
    own = jax.value_and_grad(other.density)(position, other.data)
    for one, two in zip(shared, own, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)
    assert not np.allclose(shared[1], jax.grad(model.density)(position, model.data))


def test_numbers_of_the_data_are_arguments_wherever_they_come_in():
    model, other = Model.from_stan(SCALARS, SCALAR_DATA), Model.from_stan(SCALARS, OTHER_SCALAR_DATA)
    assert model.density == other.density
    assert model.constrain_fn == other.constrain_fn
    assert model.generate_fn == other.generate_fn
    position = np.linspace(-0.5, 0.7, model.dim)
    np.testing.assert_allclose(model.density(position, other.data), other.density(position, other.data), rtol=1e-13)
    assert not np.isclose(model.log_density(position), other.log_density(position))
    np.testing.assert_allclose(model.constrain_fn(position, other.data)["copy"], 0.2, rtol=1e-15)
    quantities = model.generate_fn(jax.random.key(1), position, other.data)
    np.testing.assert_allclose(quantities["q"], 0.4 * 2.1, rtol=1e-15)


@pytest.mark.parametrize("changed", [{"s": 101.0}, {"high": np.inf}, {"y": [0.3, 200.0, 0.7]}])
def test_what_decides_about_the_structure_makes_another_function(changed):
    assert Model.from_stan(SCALARS, SCALAR_DATA).density != Model.from_stan(SCALARS, {**SCALAR_DATA, **changed}).density


def test_constants_of_the_program_stay_in_it():
    program = """\
data { real s; }
transformed data { real half = 0.5; real a = log(2) * pi(); }
parameters { real x; }
model { target += half * x ^ 2 + a * x + s * x; }"""
    model = Model.from_stan(program, {"s": 3.0})
    assert [array.tolist() for array in model.data["density"]] == [[3.0]]


def test_data_are_hoisted():
    first, second = np.arange(3.0), np.arange(3.0) + 1
    traced, data = trace(lambda x: jnp.sum(x * first), jnp.zeros(3))
    again, other_data = trace(lambda x: jnp.sum(x * second), jnp.zeros(3))
    assert traced == again
    assert hash(traced) == hash(again)
    assert traced(other_data, jnp.ones(3))[0] == 6
    assert traced(data, jnp.ones(3))[0] == 3
    assert traced != trace(lambda x: jnp.sum(x + first), jnp.zeros(3))[0]


def test_numbers_are_part_of_the_function():
    one, two = (trace(lambda x, c=c: x * c, jnp.zeros(()))[0] for c in (1.0, 1.0 + 1e-15))
    assert one != two
