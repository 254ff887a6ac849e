"""ODE solvers against closed forms and scipy."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pathfinder.stan._ode import ODE_METHODS, solve


pytest.importorskip("diffrax")
TIMES = np.array([0.5, 1.0, 3.0])


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def oscillator(t, y, theta, shift):
    return jnp.array([y[1], -y[0] - theta * y[1] + 0.0 * shift[0]])


def exact(theta, t):
    """Damped oscillator from (1, 0)."""
    rate = jnp.sqrt(1 - theta * theta / 4)
    decay = jnp.exp(-theta / 2 * t)
    position = decay * (jnp.cos(rate * t) + theta / (2 * rate) * jnp.sin(rate * t))
    return jnp.stack([position, -decay * jnp.sin(rate * t) / rate], -1)


@pytest.mark.parametrize("name", ["rk45", pytest.param("bdf", marks=pytest.mark.slow)])
def test_states_and_derivatives_of_an_oscillator(name):
    """The derivative is that of the closed form, under jit, vmap and grad together."""
    tolerance = ODE_METHODS[name].tolerance

    def final(theta):
        states = solve(name, oscillator, jnp.array([1.0, 0.0]), 0.0, TIMES, args=(theta, np.array([1])))
        return states[-1, 0], states

    thetas = jnp.array([0.15, 0.6])
    (_, states), slopes = jax.jit(jax.vmap(jax.value_and_grad(final, has_aux=True)))(thetas)
    for theta, found, slope in zip(thetas, states, slopes, strict=True):
        np.testing.assert_allclose(found, exact(theta, TIMES), atol=30 * tolerance)
        np.testing.assert_allclose(slope, jax.grad(lambda v: exact(v, 3.0)[0])(theta), atol=100 * tolerance)


@pytest.mark.parametrize("name", ["ckrk", "adams"])
def test_states_of_the_other_methods(name):
    states = solve(name, oscillator, [1, 0], 0, TIMES, args=(0.6, np.array([1])))
    np.testing.assert_allclose(states, exact(0.6, TIMES), atol=30 * ODE_METHODS[name].tolerance)


def test_stiff_equation():
    """Robertson's kinetics, over five orders of magnitude of time."""

    def kinetics(t, y, rate):
        first, second = -rate * y[0] + 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]
        return [first, -first - second, second]

    def rhs(t, y, rate):
        return jnp.stack(kinetics(t, y, rate))

    def states(rate):
        return solve("bdf", rhs, [1.0, 0.0, 0.0], 0.0, times, 1e-8, 1e-10, 10_000, (rate,))

    times = np.array([0.4, 40.0])
    expected = solve_ivp(lambda t, y: kinetics(t, y, 0.04), (0, 40), [1, 0, 0], "Radau", times, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(jax.jit(states)(0.04), expected.y.T, rtol=1e-6)


def test_too_few_steps_give_nan():
    states = solve("rk45", oscillator, jnp.array([1.0, 0.0]), 0.0, TIMES, 1e-8, 1e-8, 3, (0.1, np.array([1])))
    assert np.all(np.isnan(states))


def test_no_times():
    assert solve("rk45", oscillator, jnp.array([1.0, 0.0]), 0.0, np.zeros(0)).shape == (0, 2)


def test_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "diffrax", None)
    with pytest.raises(ModuleNotFoundError, match=r"`ode_bdf` needs diffrax.*pathfinder-vi\[stan\]"):
        solve("bdf", oscillator, jnp.ones(2), 0.0, TIMES)
