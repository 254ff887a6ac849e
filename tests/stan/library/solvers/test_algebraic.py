"""Algebraic equations and integrals against closed forms."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pathfinder.stan._library.solvers.algebraic import solve_algebraic
from pathfinder.stan._library.solvers.quadrature import integrate_1d


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def circle_and_line(y, radius, slope):
    return jnp.stack([y[0] ** 2 + y[1] ** 2 - radius**2, y[1] - slope * y[0]])


@pytest.mark.parametrize("name", ["newton", "powell"])
def test_root_and_its_derivatives(name):
    pytest.importorskip("optimistix")

    def root(radius):
        return solve_algebraic(name, circle_and_line, jnp.array([1.0, 1.0]), args=(radius, 2.0))

    radii = jnp.array([1.5, 3.0])
    roots, slopes = jax.jit(jax.vmap(lambda radius: (root(radius), jax.jacrev(root)(radius))))(radii)
    direction = np.array([1.0, 2.0]) / np.sqrt(5)
    np.testing.assert_allclose(roots, radii[:, None] * direction, rtol=1e-8)
    np.testing.assert_allclose(slopes, np.stack([direction, direction]), rtol=1e-8)


def test_equation_without_root_is_nan():
    pytest.importorskip("optimistix")
    root = solve_algebraic("newton", lambda y: y * y + 1, jnp.array([0.5]), max_num_steps=20)
    assert np.all(np.isnan(root))


def test_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "optimistix", None)
    with pytest.raises(ModuleNotFoundError, match=r"`solve_powell` needs optimistix.*pathfinder-vi\[stan\]"):
        solve_algebraic("powell", lambda y: y, jnp.ones(1))


INTEGRALS = {
    "polynomial": (lambda x, xc, p: p * x**2, 0.0, 2.0, lambda p: 8 / 3 * p),
    "peak": (lambda x, xc, p: jnp.exp(-0.5 * ((x - p) / 0.05) ** 2), -3.0, 4.0, lambda p: 0.05 * jnp.sqrt(2 * jnp.pi)),
    "singular end": (lambda x, xc, p: 1 / jnp.sqrt(p * x), 0.0, 1.0, lambda p: 2 / jnp.sqrt(p)),
    "complement": (lambda x, xc, p: p / jnp.sqrt(jnp.where(xc > 0, xc, 1 - x)), 0.0, 1.0, lambda p: 2 * p),
    "half line": (lambda x, xc, p: jnp.exp(-p * x), 0.0, np.inf, lambda p: 1 / p),
    "left half line": (lambda x, xc, p: jnp.exp(p * x), -np.inf, 1.0, lambda p: jnp.exp(p) / p),
    "line": (lambda x, xc, p: jnp.exp(-0.5 * p * x * x), -np.inf, np.inf, lambda p: jnp.sqrt(2 * jnp.pi / p)),
}  # fmt: skip


@pytest.mark.parametrize("case", INTEGRALS)
def test_integrals_and_their_derivatives(case):
    integrand, a, b, exact = INTEGRALS[case]

    def integral(p):
        return integrate_1d(integrand, a, b, args=(p,))

    values = jnp.array([0.7, 1.3])
    found, slopes = jax.jit(jax.vmap(jax.value_and_grad(integral)))(values)
    np.testing.assert_allclose(found, jax.vmap(exact)(values), rtol=1e-11)
    np.testing.assert_allclose(slopes, jax.vmap(jax.grad(exact))(values), rtol=1e-9, atol=1e-11)


def test_derivatives_in_the_ends():
    slopes = jax.jit(jax.grad(lambda a, b: integrate_1d(lambda x, xc: jnp.exp(x), a, b), (0, 1)))(0.5, 2.0)
    np.testing.assert_allclose(slopes, [-np.exp(0.5), np.exp(2.0)], rtol=1e-11)


def test_a_missed_tolerance_is_nan():
    assert np.isnan(integrate_1d(lambda x, xc: jnp.sin(1e4 * x), 0.0, 1.0))


def test_precision_is_kept():
    value = integrate_1d(lambda x, xc, p: p * x, np.float32(0), np.float32(1), args=(np.float32(3),))
    assert value.dtype == np.float32
    np.testing.assert_allclose(value, 1.5, rtol=1e-5)
