"""Bessel functions of integer order, and the logarithm of I for real order.

Source: Stan functions reference, "Special functions"; DLMF chapter 10. Each is a series, an asymptotic expansion or a
quadrature with a fixed number of terms, so that it runs under `jax.vmap` for any order and argument.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from pathfinder.stan._library.functions.function import Function, elementwise, real
from pathfinder.stan._library.numerics.quadrature import gauss_legendre


_SERIES_TERMS = 140  # of I: the largest are near x / 2
_SERIES_UNTIL = 50.0
_HANKEL_TERMS = 24
_DEBYE_FROM = 15.0  # order
_NODES = 512  # resolve the oscillation of J and Y for |x| + order up to about 350
_HANKEL_FROM = 300.0


def _debye_polynomials(number: int) -> list[np.ndarray]:
    """Coefficients of the polynomials u_k, by the recurrence of DLMF 10.41.9."""
    polynomial = np.polynomial.Polynomial
    half_t2 = polynomial([0, 0, 0.5, 0, -0.5])
    u = [polynomial([1.0])]
    for _ in range(number):
        u.append(half_t2 * u[-1].deriv() + (polynomial([1, 0, -5]) * u[-1]).integ() / 8)
    return [each.coef for each in u]


_DEBYE = _debye_polynomials(10)


def _log_series(v: Any, x: Any) -> Any:
    """`log I_v(x)` by its power series (DLMF 10.25.2), all of whose terms are positive."""
    k = jnp.arange(_SERIES_TERMS, dtype=x.dtype)
    log_half = jnp.log(jnp.where(x > 0, 0.5 * x, 1.0))[..., None]
    order = v[..., None]
    terms = 2 * k * log_half - jax.lax.lgamma(k + 1) - jax.lax.lgamma(order + k + 1)
    value = v * log_half[..., 0] + jax.scipy.special.logsumexp(terms, axis=-1)
    return jnp.where(x > 0, value, jnp.where(v == 0, 0.0, -jnp.inf))


def _log_debye(v: Any, x: Any) -> Any:
    """`log I_v(x)` by the expansion that is uniform in x / v (DLMF 10.41.3)."""
    z = x / v
    root = jnp.sqrt(1 + z * z)
    t = 1 / root
    series = sum(
        (jnp.polyval(jnp.asarray(coefficients[::-1], x.dtype), t) / v**k for k, coefficients in enumerate(_DEBYE)),
        jnp.zeros_like(x),
    )
    eta = root + jnp.log(z / (1 + root))
    return v * eta - 0.5 * jnp.log(2 * np.pi * v * root) + jnp.log(series)


def _log_hankel(v: Any, x: Any) -> Any:
    """`log I_v(x)` for an argument that is large beside the order (DLMF 10.40.1)."""
    term, series = jnp.ones_like(x), jnp.ones_like(x)
    for k in range(1, _HANKEL_TERMS):
        term = -term * (4 * v * v - (2 * k - 1) ** 2) / (8 * k * x)
        series = series + term
    return x - 0.5 * jnp.log(2 * np.pi * x) + jnp.log(series)


def log_modified_bessel_first_kind(v: Any, x: Any) -> jax.Array:
    """`log I_v(x)` for real v >= 0 and x >= 0."""
    v, x = jnp.broadcast_arrays(real(v), real(x))
    dtype = jnp.result_type(v, x)
    v, x = v.astype(dtype), x.astype(dtype)
    large = x > _SERIES_UNTIL
    high = large & (v > _DEBYE_FROM)
    low = large & ~high
    value = _log_series(jnp.where(large, 0.0, v), jnp.where(large, 1.0, x))
    value = jnp.where(high, _log_debye(jnp.where(high, v, 20.0), jnp.where(high, x, 60.0)), value)
    value = jnp.where(low, _log_hankel(jnp.where(low, v, 0.0), jnp.where(low, x, 60.0)), value)
    return jnp.where((v >= 0) & (x >= 0), value, jnp.nan)


def _parity(n: Any) -> Any:
    return jnp.where(n % 2 == 0, 1.0, -1.0)


@jax.custom_jvp
def modified_bessel_first_kind(n: Any, x: Any) -> jax.Array:
    """`I_n(x)` for an integer order and real x."""
    x = real(x)
    sign = jnp.where(x < 0, _parity(n), 1.0)
    return sign * jnp.exp(log_modified_bessel_first_kind(jnp.abs(n), jnp.abs(x)))


@modified_bessel_first_kind.defjvp
def _modified_first_jvp(primals, tangents):
    (n, x), (_, dx) = primals, tangents
    slope = 0.5 * (modified_bessel_first_kind(jnp.abs(n - 1), x) + modified_bessel_first_kind(n + 1, x))
    return modified_bessel_first_kind(n, x), slope * dx


def modified_bessel_second_kind(n: Any, x: Any) -> jax.Array:
    """`K_n(x)` by the trapezoidal rule on DLMF 10.32.9, which converges exponentially."""
    n, x = jnp.broadcast_arrays(real(n), real(x))
    positive = jnp.where(x > 0, x, 1.0)
    step = 0.2 / jnp.sqrt(1 + positive / 10)
    t = step[..., None] * jnp.arange(200, dtype=x.dtype)
    log_terms = -positive[..., None] * jnp.cosh(jnp.minimum(t, 700.0)) + n[..., None] * t
    # cosh(n t) = exp(n t) (1 + exp(-2 n t)) / 2
    log_terms = log_terms + jnp.log1p(jnp.exp(-2 * n[..., None] * t)) - np.log(2.0)
    log_terms = log_terms.at[..., 0].add(-np.log(2.0))
    value = step * jnp.exp(jax.scipy.special.logsumexp(log_terms, axis=-1))
    return jnp.where(x > 0, value, jnp.where(x == 0, jnp.inf, jnp.nan))


def _hankel_terms(n: Any, x: Any) -> tuple[Any, Any]:
    """The two sums of the expansion of J and Y for large arguments (DLMF 10.17.3)."""
    term, even, odd = jnp.ones_like(x), jnp.ones_like(x), jnp.zeros_like(x)
    for k in range(1, _HANKEL_TERMS):
        term = term * (4 * n * n - (2 * k - 1) ** 2) / (8 * k * x)
        sign = (-1.0) ** (k // 2)
        even, odd = (even, odd + sign * term) if k % 2 else (even + sign * term, odd)
    return even, odd


def _large_argument(n: Any, x: Any, of_even: Any, of_odd: Any, sign: float) -> Any:
    omega = x - (0.5 * n + 0.25) * np.pi
    even, odd = _hankel_terms(n, x)
    return jnp.sqrt(2 / (np.pi * x)) * (of_even(omega) * even + sign * of_odd(omega) * odd)


@jax.custom_jvp
def bessel_first_kind(n: Any, x: Any) -> jax.Array:
    """`J_n(x)` for an integer order and real x.

    By its power series for small arguments, Bessel's integral (DLMF 10.9.1) and Hankel's expansion for large ones.
    """
    n, x = jnp.broadcast_arrays(real(n), real(x))
    sign = jnp.where(x < 0, _parity(n), 1.0) * jnp.where(n < 0, _parity(n), 1.0)
    n, x = jnp.abs(n), jnp.abs(x)
    small = x * x < 4 * (n + 1)
    series_x = jnp.where(small, x, 1.0)
    log_first = jnp.where(series_x > 0, n * jnp.log(jnp.where(series_x > 0, 0.5 * series_x, 1.0)), -jnp.inf)
    term = jnp.where((series_x == 0) & (n == 0), 1.0, jnp.exp(log_first - jax.lax.lgamma(n + 1)))
    series = term
    for k in range(1, 30):
        term = -term * (0.25 * series_x * series_x) / (k * (n + k))
        series = series + term
    theta = np.pi * (np.arange(_NODES) + 0.5) / _NODES
    angle = n[..., None] * jnp.asarray(theta, x.dtype) - x[..., None] * jnp.asarray(np.sin(theta), x.dtype)
    integral = jnp.mean(jnp.cos(angle), axis=-1)
    large = (x > _HANKEL_FROM) & (x > n * n)
    expansion = _large_argument(n, jnp.where(large, x, _HANKEL_FROM), jnp.cos, jnp.sin, -1.0)
    return sign * jnp.where(small, series, jnp.where(large, expansion, integral))


@bessel_first_kind.defjvp
def _bessel_first_jvp(primals, tangents):
    (n, x), (_, dx) = primals, tangents
    return bessel_first_kind(n, x), 0.5 * (bessel_first_kind(n - 1, x) - bessel_first_kind(n + 1, x)) * dx


@jax.custom_jvp
def bessel_second_kind(n: Any, x: Any) -> jax.Array:
    """`Y_n(x)` for an integer order and x > 0, by the integrals of DLMF 10.9.7 and Hankel's expansion."""
    n, x = jnp.broadcast_arrays(real(n), real(x))
    order, positive = jnp.abs(n), jnp.where(x > 0, x, 1.0)
    nodes, weights = (jnp.asarray(each, x.dtype) for each in gauss_legendre(400))
    theta = np.pi * nodes
    angle = positive[..., None] * jnp.sin(theta) - order[..., None] * theta
    oscillating = jnp.sin(angle) @ weights
    # The second integrand has its bulk where x sinh t is about the order; beyond `end` it vanishes.
    end = jnp.arcsinh((order + 45) / positive * (1 + jnp.log1p(order)))
    t = end[..., None] * nodes
    decay = -positive[..., None] * jnp.sinh(t)
    growing, falling = jnp.exp(order[..., None] * t + decay), jnp.exp(-order[..., None] * t + decay)
    monotone = end * ((growing + _parity(order)[..., None] * falling) @ weights) / np.pi
    large = (positive > _HANKEL_FROM) & (positive > order * order)
    expansion = _large_argument(order, jnp.where(large, positive, _HANKEL_FROM), jnp.sin, jnp.cos, 1.0)
    value = jnp.where(n < 0, _parity(n), 1.0) * jnp.where(large, expansion, oscillating - monotone)
    return jnp.where(x > 0, value, jnp.where(x == 0, -jnp.inf, jnp.nan))


@bessel_second_kind.defjvp
def _bessel_second_jvp(primals, tangents):
    (n, x), (_, dx) = primals, tangents
    return bessel_second_kind(n, x), 0.5 * (bessel_second_kind(n - 1, x) - bessel_second_kind(n + 1, x)) * dx


BESSEL: dict[str, Function] = {
    "bessel_first_kind": elementwise(lambda n, x: bessel_first_kind(real(n), real(x)), special.jv),
    "bessel_second_kind": elementwise(lambda n, x: bessel_second_kind(real(n), real(x)), special.yv),
    "modified_bessel_first_kind": elementwise(lambda n, x: modified_bessel_first_kind(real(n), real(x)), special.iv),
    "modified_bessel_second_kind": elementwise(modified_bessel_second_kind, special.kv),
    "log_modified_bessel_first_kind": elementwise(
        log_modified_bessel_first_kind, lambda v, x: np.log(special.ive(v, x)) + x
    ),
}
