"""First passage times: against simulation-free facts, and quadrature of what the variability averages over."""

import jax
import numpy as np
from scipy import integrate, stats

from pathfinder.stan._library.densities import DISTRIBUTIONS


density = DISTRIBUTIONS["wiener"].log_density


def test_mass_at_the_upper_boundary_is_the_probability_of_reaching_it():
    alpha, beta, delta = 1.3, 0.4, 0.7
    with jax.enable_x64():
        nodes, weights = np.polynomial.legendre.leggauss(400)
        times = np.exp(7 * nodes - 3.5)
        mass = np.sum(7 * weights * times * np.exp(jax.jit(density)(0.2 + times, alpha, 0.2, beta, delta)))
    # Cox and Miller (1965), the ruin probability of a diffusion with drift
    expected = np.expm1(-2 * delta * alpha * beta) / np.expm1(-2 * delta * alpha)
    np.testing.assert_allclose(mass, expected, rtol=1e-9)


def test_series_meet_where_they_change():
    """At the switch of series, and on either side, against both series with many terms."""
    x, w, k = np.array([0.05, 0.399999, 0.400001, 2.0])[:, None], 0.3, np.arange(-40, 41)
    small = np.sum((w + 2 * k) * np.exp(-((w + 2 * k) ** 2) / (2 * x)), axis=1) / np.sqrt(2 * np.pi * x[:, 0] ** 3)
    j = np.arange(1, 200)
    large = np.pi * np.sum(j * np.exp(-((j * np.pi) ** 2) * x / 2) * np.sin(j * np.pi * w), axis=1)
    with jax.enable_x64():
        value = jax.jit(density)(x[:, 0], 1.0, 0.0, 1 - w, 0.0)
    np.testing.assert_allclose(np.exp(value), small, rtol=1e-12)
    np.testing.assert_allclose(np.exp(value), large, rtol=1e-12)


def test_variability_averages_the_density():
    y, alpha, tau, beta, delta, sv, sw, st0 = 0.9, 1.3, 0.2, 0.4, 0.7, 0.5, 0.3, 0.25
    with jax.enable_x64():
        drift = jax.jit(density)(y, alpha, tau, beta, delta, sv)
        full = jax.jit(density)(y, alpha, tau, beta, delta, sv, sw, st0)
        plain = jax.jit(lambda tau, beta, v: np.e ** density(y, alpha, tau, beta, v))
        by_drift = jax.jit(lambda tau, beta: np.e ** density(y, alpha, tau, beta, delta, sv))
        expected_drift = integrate.quad(
            lambda v: float(plain(tau, beta, v)) * stats.norm.pdf(v, delta, sv), -4, 5, epsabs=1e-12
        )[0]
        nodes, weights = np.polynomial.legendre.leggauss(12)
        late, start = tau + st0 * (1 + nodes) / 2, beta + sw * nodes / 2
        grid = np.asarray(by_drift(late[:, None], start[None, :]))
    np.testing.assert_allclose(np.exp(drift), expected_drift, rtol=1e-9)
    np.testing.assert_allclose(np.exp(full), weights @ grid @ weights / 4, rtol=1e-9)


def test_widths_of_zero_change_nothing():
    arguments = (0.9, 1.3, 0.2, 0.4, 0.7)
    with jax.enable_x64():
        plain, full = density(*arguments), jax.jit(density)(*arguments, 0.0, 0.0, 0.0)
        slope = jax.jit(jax.grad(density, argnums=(0, 1, 2, 3, 4, 5)))(*arguments, 0.1)
    np.testing.assert_allclose(full, plain, rtol=1e-12)
    assert np.all(np.isfinite(slope))
