"""Explicit Runge-Kutta methods against the exponential, whose steps are polynomials of known terms."""

from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan._library.solvers.runge_kutta import DOP853, DORMAND_PRINCE, explicit_step


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def growth(time, state, rate):
    return rate * state


@pytest.mark.parametrize(("tableau", "order"), [(DORMAND_PRINCE, 5), (DOP853, 8)])
def test_order_of_the_step_and_of_its_error_estimates(tableau, order):
    """A step of y' = y is the exponential series up to the order; both the rest and the estimates are of the next."""
    sizes = jnp.array([0.5, 0.25, 0.125])
    state = jnp.ones((1, 3))
    new, slope, errors = explicit_step(tableau, growth, jnp.zeros(3), sizes, state, state, 1.0)
    series = sum(np.asarray(sizes) ** k / factorial(k) for k in range(order + 1))
    rest = np.asarray(new[0]) - series
    assert np.all(np.abs(rest) < 2 * np.asarray(sizes) ** (order + 1) / factorial(order + 1))
    np.testing.assert_array_equal(slope, new)
    for error, power in zip(errors, [order if order == 5 else 6, 4], strict=False):
        rates = np.log2(np.abs(error[0, :-1] / error[0, 1:]))
        np.testing.assert_allclose(rates, power, atol=0.35)


@pytest.mark.parametrize("tableau", [DORMAND_PRINCE, DOP853])
def test_quadrature_of_polynomials_in_time(tableau):
    """With slopes that depend on time only a step is a quadrature rule, which pins the nodes."""
    power = tableau.exponent - 1
    start = jnp.zeros((1, 1))
    new, _, _ = explicit_step(
        tableau, lambda time, state, _: (time**power)[None], jnp.ones(1), jnp.ones(1) * 2, start, start + 1, ()
    )
    np.testing.assert_allclose(new[0, 0], (3.0 ** (power + 1) - 1) / (power + 1), rtol=1e-13)


@pytest.mark.parametrize("tableau", [DORMAND_PRINCE, DOP853])
def test_stages_are_consistent(tableau):
    """Each stage is at its node: y' = 1 makes the state the time."""
    seen = []

    def rhs(time, state, _):
        seen.append((float(time[0]), float(state[0, 0])))
        return jnp.ones_like(state)

    zero = jnp.zeros((1, 1))
    explicit_step(tableau, rhs, jnp.zeros(1), jnp.ones(1), zero, zero + 1, ())
    times, states = np.array(seen).T
    np.testing.assert_allclose(states, times, atol=1e-13)
