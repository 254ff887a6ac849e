"""Programs that call solvers, against Stan's own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder import Model


stanli = pytest.importorskip("stanli")

PREDATORS = """
functions {
  vector both(real t, vector z, real alpha, vector rates, array[] int one) {
    return [(alpha - rates[1] * z[2]) * z[1], (-rates[2] + rates[3] * z[1]) * z[2] * one[1]]';
  }
  array[] real old(real t, array[] real z, array[] real theta, array[] real x_r, array[] int x_i) {
    return {(theta[1] - theta[2] * z[2]) * z[1], (-theta[3] + theta[4] * z[1]) * z[2] * x_r[1] * x_i[2]};
  }
}
data { array[3] real ts; array[4, 2] real late; }
parameters { real alpha; vector[3] rates; vector[2] z0; real t0; }
model {
"""
CALLS = {
    "variadic": """
        target += sum(log(ode_rk45_tol(both, 10 * exp(z0), 0, ts, 1e-10, 1e-10, 10000, alpha, rates, {1})[2]));""",
    "times of parameters": """
        target += sum(log(ode_adams(both, [10, 5]', t0, {t0 + 1, 2 * exp(t0)}, 0.5, rates, {1})[2]));""",
    "old": """
        target += log(integrate_ode_rk45(
          old, {10, 5}, 0, ts, {alpha, rates[1], rates[2], rates[3]}, {1.0}, {3, 1}, 1e-10, 1e-10, 1e5)[3, 1]);""",
    "lanes": """
        for (n in 1:4)
          target += n * ode_ckrk_tol(
            both, 5 * exp(z0), 0, late[n], 1e-10, 1e-10, 1000, n * alpha, rates, {1})[2, 1];""",
    "adjoint": """
        target += sum(log(ode_adjoint_tol_ctl(
          both, 10 * exp(z0), 0, ts, 1e-10, [1e-10, 1e-10]', 1e-10, [1e-10, 1e-10]', 1e-10, 1e-10, 10000, 100, 1, 1, 1,
          alpha, rates, {1})[3]));""",
}
DATA = {"ts": [0.5, 2.0, 4.0], "late": [[0.5, 1.0], [0.1, 2.0], [1.5, 1.6], [2.0, 3.0]]}


@pytest.mark.parametrize("call", CALLS)
def test_solutions_and_derivatives_are_those_of_stan(call):
    program = PREDATORS + CALLS[call] + "}"
    point = np.array([0.55, 0.028, 0.84, 0.026, 0.2, -0.4, 0.3])
    with jax.enable_x64(True):
        model = Model.from_stan(program, DATA)
        value, gradient = jax.jit(jax.value_and_grad(model.log_density))(jnp.asarray(point))
    expected, slopes = stanli.Model(stan_code=program, data=DATA).log_prob_grad(point)
    np.testing.assert_allclose(value, expected, rtol=1e-7)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-6 * np.abs(slopes).max())
