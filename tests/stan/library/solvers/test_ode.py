"""ODE solvers against closed forms and scipy."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pathfinder import Model
from pathfinder._density.work import operations
from pathfinder.stan._library.solvers.ode import ODE_METHODS, solve_ode
from pathfinder.stan._library.solvers.ode_steps import DerivativeLimits


TIMES = np.array([0.5, 1.0, 3.0])


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


# the ways to the derivative; the last computes the steps of all segments but one again
WAYS = {
    "forwards": DerivativeLimits(),
    "backwards": DerivativeLimits(most_directions=0),
    "backwards in segments": DerivativeLimits(most_directions=0, segment=16),
}
each_way = pytest.mark.parametrize("limits", WAYS.values(), ids=WAYS)


def oscillator(t, y, theta, shift):
    return jnp.array([y[1], -y[0] - theta * y[1] + 0.0 * shift[0]])


def exact(theta, t):
    """Damped oscillator from (1, 0)."""
    rate = jnp.sqrt(1 - theta * theta / 4)
    decay = jnp.exp(-theta / 2 * t)
    position = decay * (jnp.cos(rate * t) + theta / (2 * rate) * jnp.sin(rate * t))
    return jnp.stack([position, -decay * jnp.sin(rate * t) / rate], -1)


@pytest.mark.parametrize("name", ["rk45", "adams", pytest.param("bdf", marks=pytest.mark.slow)])
def test_states_and_derivatives_of_an_oscillator(name):
    """The derivative is that of the closed form, under jit, vmap and grad together."""
    tolerance = ODE_METHODS[name].tolerance

    def final(theta):
        states = solve_ode(name, oscillator, jnp.array([1.0, 0.0]), 0.0, TIMES, args=(theta, np.array([1])))
        return states[-1, 0], states

    thetas = jnp.array([0.15, 0.6])
    (_, states), slopes = jax.jit(jax.vmap(jax.value_and_grad(final, has_aux=True)))(thetas)
    for theta, found, slope in zip(thetas, states, slopes, strict=True):
        np.testing.assert_allclose(found, exact(theta, TIMES), atol=30 * tolerance)
        np.testing.assert_allclose(slope, jax.grad(lambda v: exact(v, 3.0)[0])(theta), atol=100 * tolerance)


def test_states_by_ckrk():
    states = solve_ode("ckrk", oscillator, [1, 0], 0, TIMES, args=(0.6, np.array([1])))
    np.testing.assert_allclose(states, exact(0.6, TIMES), atol=30 * ODE_METHODS["ckrk"].tolerance)


def logistic(t, y, theta):
    """Growth whose rate falls with time: y' = a y (1 - y / k) / (1 + t)."""
    return theta["rate"] / (1 + t) * y * (1 - y / theta["capacity"])


def logistic_states(y0, t0, ts, theta):
    """Closed form: the logistic curve in log(1 + t)."""
    grown = y0 * jnp.exp(theta["rate"] * (jnp.log1p(ts) - jnp.log1p(t0)))[:, None]
    return grown / (1 + (grown - y0) / theta["capacity"])


@each_way
def test_derivatives_in_everything(limits):
    """Initial state, initial time, times, and arguments that are shared by all instances or not."""
    weights = np.array([[0.3, -1.0], [0.7, 0.4], [-0.2, 1.1]])
    theta = {"rate": 1.3, "capacity": jnp.array([2.0, 5.0])}
    starts = jnp.array([[0.5, 0.1], [1.0, 2.0], [0.3, 7.0]])

    def derivatives(states):
        total = jax.value_and_grad(lambda *given: jnp.sum(weights * jnp.cos(states(*given))), (0, 1, 2, 3))
        return jax.jit(jax.vmap(total, in_axes=(0, None, None, None)))(starts, 0.25, jnp.asarray(TIMES), theta)

    found = derivatives(
        lambda y0, t0, ts, theta: solve_ode("rk45", logistic, y0, t0, ts, 1e-10, 1e-10, 999, (theta,), limits)
    )
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-7), found, derivatives(logistic_states))


def test_all_ways_to_the_derivative_agree():
    """The discretised solution has one derivative, whatever the way and the batch."""

    def gradient(limits):
        def total(y0, theta):
            states = solve_ode("rk45", oscillator, y0, 0.0, TIMES, 1e-6, 1e-6, 999, (theta, np.array([1])), limits)
            return jnp.sum(jnp.sin(states))

        return jax.grad(total, (0, 1))

    def derivatives(limits):
        return jax.jit(jax.vmap(jax.vmap(gradient(limits), (0, None)), (None, 0)))(y0, thetas)

    y0, thetas = jnp.array([[1.0, 0.0], [0.3, -5.0], [0.0, 40.0]]), jnp.array([0.1, 1.2])
    expected = derivatives(DerivativeLimits())
    for segment in (512, 8):
        found = derivatives(DerivativeLimits(0, segment))
        jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-13), found, expected)
    single = jax.jit(gradient(DerivativeLimits(0, 8)))(y0[2], thetas[1])
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y[1, 2], rtol=1e-11, atol=1e-13), single, expected)


def test_values_do_not_depend_on_what_is_differentiated():
    def states(theta):
        return solve_ode("rk45", oscillator, jnp.array([1.0, 0.0]), 0.0, TIMES, args=(theta, np.array([1])))

    (value, _), _ = jax.value_and_grad(lambda theta: (states(theta)[-1, 0], 0.0), has_aux=True)(0.3)
    assert value == states(0.3)[-1, 0]


def test_stiff_equation():
    """Robertson's kinetics, over five orders of magnitude of time."""
    pytest.importorskip("diffrax")

    def kinetics(t, y, rate):
        first, second = -rate * y[0] + 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]
        return [first, -first - second, second]

    def rhs(t, y, rate):
        return jnp.stack(kinetics(t, y, rate))

    def states(rate):
        return solve_ode("bdf", rhs, [1.0, 0.0, 0.0], 0.0, times, 1e-8, 1e-10, 10_000, (rate,))

    times = np.array([0.4, 40.0])
    expected = solve_ivp(lambda t, y: kinetics(t, y, 0.04), (0, 40), [1, 0, 0], "Radau", times, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(jax.jit(states)(0.04), expected.y.T, rtol=1e-6)


@pytest.mark.parametrize("name", ["rk45", "bdf"])
def test_too_few_steps_give_nan(name):
    if name == "bdf":
        pytest.importorskip("diffrax")
    states = solve_ode(name, oscillator, jnp.array([1.0, 0.0]), 0.0, TIMES, 1e-8, 1e-8, 3, (0.1, np.array([1])))
    assert np.all(np.isnan(states))


@each_way
def test_steps_are_counted_between_times(limits):
    """Enough for each of the intervals is enough for all of them, as in Stan."""

    def states(limit, times):
        arguments = (0.6, np.array([1]))
        return jax.jit(
            lambda y0: jax.vjp(
                lambda y0: solve_ode("rk45", oscillator, y0, 0.0, times, 1e-9, 1e-9, limit, arguments, limits), y0
            )[0]
        )(jnp.array([1.0, 0.0]))

    times = np.linspace(0.1, 4.0, 40)
    np.testing.assert_allclose(states(12, times), exact(0.6, times), atol=1e-7)
    assert np.all(np.isnan(states(12, times[-1:])))


@pytest.mark.parametrize("name", ["rk45", "adams"])
def test_a_lane_without_solution_leaves_the_others_alone(name):
    """The solution of y' = y^2 from 2 ends at 1/2; a slope that is not a number ends it at once."""

    def final(y0, shift):
        return solve_ode(name, lambda t, y, shift: y * y + shift, y0[None], 0.0, np.array([0.25, 1.0]), args=(shift,))[
            :, 0
        ]

    y0, shift = jnp.array([0.5, 2.0, 0.5]), jnp.array([0.0, 0.0, jnp.nan])
    states = jax.jit(jax.vmap(final))(y0, shift)
    np.testing.assert_allclose(states[0], [0.5 / (1 - 0.125), 1.0], rtol=1e-5)
    assert np.all(np.isnan(states[1:]))


@pytest.mark.parametrize("times", [[0.0, 1.0], [2.0, 1.0], [-1.0, 1.0]])
def test_times_out_of_order_give_nan(times):
    assert np.all(np.isnan(solve_ode("rk45", oscillator, jnp.ones(2), 0.0, np.array(times), args=(0.6, np.array([1])))))


def test_the_same_time_twice():
    times = np.array([1.0, 1.0, 2.0, 2.0])
    states = solve_ode("rk45", oscillator, jnp.array([1.0, 0.0]), 0.0, times, args=(0.6, np.array([1])))
    np.testing.assert_allclose(states, exact(0.6, times), atol=3e-5)


def test_single_precision_is_kept():
    def states(theta):
        y0, times = jnp.array([1.0, 0.0], jnp.float32), TIMES.astype(np.float32)
        return solve_ode(
            "rk45",
            lambda t, y, theta: jnp.stack([y[1], -y[0] - theta * y[1]]),
            y0,
            0.0,
            times,
            1e-9,
            1e-9,
            args=(theta,),
        )

    found, slopes = jax.value_and_grad(lambda theta: jnp.sum(states(theta)))(np.float32(0.6))
    assert slopes.dtype == found.dtype == np.float32
    np.testing.assert_allclose(found, jnp.sum(exact(0.6, TIMES)), atol=1e-6)  # numbers about one that nearly cancel


def test_no_times():
    assert solve_ode("rk45", oscillator, jnp.array([1.0, 0.0]), 0.0, np.zeros(0)).shape == (0, 2)


def test_solutions_in_transformed_data():
    """Known values are evaluated at once, while the density may be traced already."""
    program = """
      functions { vector decay(real t, vector y, real rate) { return -rate * y; } }
      data { array[3] real ts; }
      transformed data { array[3] vector[1] y = ode_bdf_tol(decay, [2.0]', 0, ts, 1e-9, 1e-9, 10000, 0.7); }
      parameters { real x; }
      model { target += sum(y[1]) + sum(y[2]) + sum(y[3]) - square(x); }"""
    model = Model.from_stan(program, {"ts": [0.5, 1.0, 2.0]})
    expected = np.sum(2.0 * np.exp(-0.7 * np.array([0.5, 1.0, 2.0])))
    np.testing.assert_allclose(jax.jit(model.density)(jnp.zeros(1), model.data), expected, rtol=1e-7)
    assert model.rejection_fn(np.zeros(1)) == ""


def test_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "diffrax", None)
    with pytest.raises(ModuleNotFoundError, match=r"`ode_bdf` needs diffrax.*pathfinder-vi\[stan\]"):
        solve_ode("bdf", oscillator, jnp.ones(2), 0.0, TIMES)


def expected_operations(tolerance, initial, theta):
    """Of a solution, whose initial state and damping are known if they are given."""

    def total(traced):
        state, damping = (
            value if given is None else given for value, given in zip(traced, (initial, theta), strict=True)
        )
        args = (damping, np.zeros(1))
        return jnp.sum(solve_ode("rk45", oscillator, state, 0.0, TIMES, tolerance, tolerance, args=args))

    return operations(jax.make_jaxpr(total)((jnp.array([1.0, 0.0]), jnp.array(0.15))).jaxpr)


def test_finer_and_sensitive_solutions_are_expected_to_take_more():
    known, constant = np.array([1.0, 0.0]), np.float64(0.15)
    usual = expected_operations(1e-6, None, None)
    # Steps grow as the fifth root of the tolerance.
    np.testing.assert_allclose(expected_operations(1e-11, None, None) / usual, 10.0, rtol=0.1)
    # Derivatives are taken in the two states and the damping.
    np.testing.assert_allclose(usual / expected_operations(1e-6, None, constant), 4 / 3, rtol=0.05)
    np.testing.assert_allclose(usual / expected_operations(1e-6, known, None), 4 / 2, rtol=0.05)
