"""Data are arguments: what was traced with some data computes with others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder import Model
from pathfinder.stan._traced import trace


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
