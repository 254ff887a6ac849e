"""Gamma and beta functions, factorials, incomplete gamma and beta functions.

Source: Stan functions reference, "Combinatorial functions"; DLMF chapters 5 and 8.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import betainc, gammainc, gammaincc, gammasgn
from scipy import special

from pathfinder.stan.functions._function import Function, elementwise, known, real, real_numpy


_HALF_LOG_TWO_PI = 0.5 * float(np.log(2.0 * np.pi))
_STIRLING_FROM = 10.0  # where seven terms of the series reach double precision
# DLMF 5.11.1: B_2k / (2k (2k - 1))
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


def lgamma(x: Any) -> jax.Array:
    """Logarithm of the absolute value of the gamma function."""
    return jax.lax.lgamma(real(x))


def tgamma(x: Any) -> jax.Array:
    """Gamma function, with its sign."""
    x = real(x)
    return gammasgn(x) * jnp.exp(jax.lax.lgamma(x))


def trigamma(x: Any) -> jax.Array:
    """Second derivative of `lgamma`, for negative arguments by reflection (DLMF 5.15.6)."""
    x = real(x)
    negative = x <= 0
    reflected = jnp.where(negative, 1 - x, x)
    value = jax.lax.polygamma(jnp.ones_like(reflected), reflected)
    angle = jnp.where(negative, x, 0.5)
    return jnp.where(negative, (jnp.pi / jnp.sin(jnp.pi * angle)) ** 2 - value, value)


def _trigamma_numpy(x: Any) -> Any:
    x = real_numpy(x)
    value = special.polygamma(1, np.where(x <= 0, 1 - x, x))
    return np.where(x <= 0, (np.pi / np.sin(np.pi * x)) ** 2 - value, value)[()]


def _stirling_rest(x: Any) -> Any:
    """What `lgamma(x)` has over Stirling's formula, for x >= 10."""
    square = 1 / (x * x)
    series = 0.0
    for coefficient in reversed(_STIRLING):
        series = series * square + coefficient
    return series / x


def lbeta(a: Any, b: Any) -> jax.Array:
    """Logarithm of the beta function without the cancellation of `lgamma` differences at large arguments.

    Didonato and Morris (1992), "Algorithm 708", section 2.2 (`BETALN`).
    """
    a, b = jnp.broadcast_arrays(real(a), real(b))
    x, y = jnp.minimum(a, b), jnp.maximum(a, b)
    # harmless arguments where a form is not used keep its derivative finite
    large_y, large_x = y >= _STIRLING_FROM, x >= _STIRLING_FROM
    direct_y = jnp.where(large_y, 1.0, y)
    direct_x = jnp.where(large_x, 1.0, x)
    series_y = jnp.where(large_y, y, _STIRLING_FROM)
    series_x = jnp.where(large_x, x, _STIRLING_FROM)
    small = jnp.where(large_y, 1.0, x)
    direct = jax.lax.lgamma(small) + jax.lax.lgamma(direct_y) - jax.lax.lgamma(small + direct_y)

    def tail(x, y):
        return _stirling_rest(y) - _stirling_rest(x + y) - (y - 0.5) * jnp.log1p(x / y)

    positive_x = jnp.where(direct_x >= 0, direct_x, 0.0)
    one_large = (
        jax.lax.lgamma(direct_x) + tail(positive_x, series_y) + positive_x * (1 - jnp.log(positive_x + series_y))
    )
    both_large = (
        _HALF_LOG_TWO_PI
        + _stirling_rest(series_x)
        + tail(series_x, series_y)
        - (series_x - 0.5) * jnp.log1p(series_y / series_x)
        - 0.5 * jnp.log(series_x + series_y)
    )
    value = jnp.where(large_y, jnp.where(large_x, both_large, one_large), direct)
    return jnp.where(x >= 0, value, jnp.nan)


def lchoose(n: Any, k: Any) -> jax.Array:
    """Logarithm of the binomial coefficient, for real arguments with -1 <= k <= n + 1."""
    n, k = jnp.broadcast_arrays(real(n), real(k))
    return -lbeta(n - k + 1, k + 1) - jnp.log1p(n)


def choose(n: Any, k: Any) -> jax.Array:
    """Binomial coefficient of integers, rounded to one."""
    n, k = jnp.broadcast_arrays(jnp.asarray(n), jnp.asarray(k))
    inside = (k >= 0) & (k <= n)
    coefficient = jnp.exp(lchoose(jnp.where(inside, n, 1), jnp.where(inside, k, 0)))
    return jnp.where(inside, jnp.round(coefficient), 0.0).astype(jnp.result_type(int))


def _choose_numpy(n: Any, k: Any) -> Any:
    coefficient = np.where(np.asarray(k) >= 0, np.round(special.binom(n, np.maximum(k, 0))), 0.0)
    return np.where(np.asarray(k) > n, 0.0, coefficient).astype(np.int64)[()]


def _product(x: Any, n: Any, sign: int) -> jax.Array:
    """Product of the `n` factors x, x + sign, x + 2 sign, ..., of the kind of number that `x` is.

    Factors beyond the number that is known while tracing cost nothing; a traced number gives NaN beyond 64 factors.
    """
    x, n = jnp.broadcast_arrays(jnp.asarray(x), n if known(n) else jnp.asarray(n))
    longest = int(np.max(n, initial=0)) if known(n) else 64
    result = jnp.ones_like(x)
    for j in range(longest):
        result = result * jnp.where(j < n, x + sign * j, jnp.ones_like(x))
    if known(n) or not jnp.issubdtype(x.dtype, jnp.floating):
        return result
    return jnp.where(n <= longest, result, jnp.nan)


def lmgamma(k: Any, x: Any) -> jax.Array:
    """Logarithm of the multivariate gamma function of the dimension `k`, which must be known while tracing."""
    x = real(x)
    if not known(k):
        raise ValueError("The first argument of `lmgamma` must not depend on parameters.")
    k = np.asarray(k)
    constant = k * (k - 1) / 4 * float(np.log(np.pi))
    terms = [
        jnp.where(k >= j, jax.lax.lgamma(jnp.where(k >= j, x + (1 - j) / 2, 1.0)), 0.0)
        for j in range(1, int(k.max(initial=0)) + 1)
    ]
    return jnp.asarray(constant, x.dtype) + sum(terms, jnp.zeros_like(x))


_FRACTION_STEPS = 300  # enough for parameters up to about 1e4, as the number needed grows with their square root


def _continued_fraction(a: Any, b: Any, x: Any) -> Any:
    """The continued fraction of DLMF 8.17.22 by Lentz's method; converges fast for x < (a + 1) / (a + b + 2)."""
    tiny = jnp.finfo(x.dtype).tiny * 1e20

    def away_from_zero(value):
        return jnp.where(jnp.abs(value) < tiny, tiny, value)

    def step(m, state):
        numerator, denominator, value = state
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for coefficient in (even, odd):
            denominator = 1 / away_from_zero(1 + coefficient * denominator)
            numerator = away_from_zero(1 + coefficient / numerator)
            value = value * numerator * denominator
        return numerator, denominator, value

    first = 1 / away_from_zero(1 - (a + b) * x / (a + 1))
    start = (jnp.ones_like(x), first, first)
    return jax.lax.fori_loop(1, _FRACTION_STEPS, lambda m, state: step(jnp.asarray(m, x.dtype), state), start)[2]


def _lower_tail(a: Any, b: Any, x: Any) -> Any:
    """Regularised incomplete beta function for x < (a + 1) / (a + b + 2)."""
    return jnp.exp(a * jnp.log(x) + b * jnp.log1p(-x) - lbeta(a, b)) / a * _continued_fraction(a, b, x)


def _shape_derivatives(a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """Derivatives of the regularised incomplete beta function in `a` and in `b`."""
    a, b, x = jnp.broadcast_arrays(a, b, x)
    inside = (x > 0) & (x < 1)
    x = jnp.where(inside, x, 0.5)
    swapped = x >= (a + 1) / (a + b + 2)
    p, q, z = jnp.where(swapped, b, a), jnp.where(swapped, a, b), jnp.where(swapped, 1 - x, x)
    one, zero = jnp.ones_like(p), jnp.zeros_like(p)
    in_p = jax.jvp(_lower_tail, (p, q, z), (one, zero, zero))[1]
    in_q = jax.jvp(_lower_tail, (p, q, z), (zero, one, zero))[1]
    in_a, in_b = jnp.where(swapped, -in_q, in_p), jnp.where(swapped, -in_p, in_q)
    return jnp.where(inside, in_a, 0.0), jnp.where(inside, in_b, 0.0)


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return jnp.exp(jax.scipy.special.xlogy(a - 1, x) + jax.scipy.special.xlog1py(b - 1, -x) - lbeta(a, b))


@jax.custom_jvp
def inc_beta(a: Any, b: Any, x: Any) -> jax.Array:
    """Regularised incomplete beta function, differentiable in all three arguments (`jax.scipy`'s only in the last)."""
    return betainc(*jnp.broadcast_arrays(real(a), real(b), real(x)))


@inc_beta.defjvp
def _inc_beta_jvp(primals, tangents):
    a, b, x = map(real, primals)
    da, db, dx = tangents
    in_a, in_b = _shape_derivatives(a, b, x)
    return inc_beta(a, b, x), in_a * da + in_b * db + _beta_density(a, b, x) * dx


@jax.custom_jvp
def inv_inc_beta(a: Any, b: Any, p: Any) -> jax.Array:
    """Inverse of `inc_beta` in its last argument, by bisection of the log odds."""
    a, b, p = jnp.broadcast_arrays(real(a), real(b), real(p))
    largest = -float(np.log(jnp.finfo(p.dtype).tiny))

    def halve(_, ends):
        low, high = ends
        middle = 0.5 * (low + high)
        below = betainc(a, b, jax.nn.sigmoid(middle)) < p
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    ends = (jnp.full_like(p, -largest), jnp.full_like(p, largest))
    low, high = jax.lax.fori_loop(0, 70, halve, ends)
    x = jax.nn.sigmoid(0.5 * (low + high))
    x = jnp.where(p == 0, 0.0, jnp.where(p == 1, 1.0, x))
    return jnp.where((p >= 0) & (p <= 1), x, jnp.nan)


@inv_inc_beta.defjvp
def _inv_inc_beta_jvp(primals, tangents):
    a, b, p = map(real, primals)
    da, db, dp = tangents
    x = inv_inc_beta(a, b, p)
    in_a, in_b = _shape_derivatives(a, b, x)
    return x, (dp - in_a * da - in_b * db) / _beta_density(a, b, x)


def _of_reals(jax_form: Any, numpy_form: Any = None) -> Function:
    return elementwise(
        lambda *x: jax_form(*map(real, x)),
        None if numpy_form is None else lambda *x: numpy_form(*map(real_numpy, x)),
    )


def _log_rising_factorial(x: Any, n: Any) -> Any:
    return jax.lax.lgamma(x + n) - jax.lax.lgamma(x)


def _log_falling_factorial(x: Any, n: Any) -> Any:
    return jax.lax.lgamma(x + 1) - jax.lax.lgamma(x - n + 1)


GAMMA_FUNCTIONS: dict[str, Function] = {
    "lgamma": elementwise(lgamma, lambda x: special.gammaln(real_numpy(x))),
    "tgamma": elementwise(tgamma, lambda x: special.gamma(real_numpy(x))),
    "digamma": _of_reals(jax.lax.digamma, special.digamma),
    "trigamma": elementwise(trigamma, _trigamma_numpy),
    "lbeta": elementwise(lbeta),
    "beta": elementwise(lambda a, b: jnp.exp(lbeta(a, b))),
    "lchoose": elementwise(lchoose),
    "choose": elementwise(choose, _choose_numpy),
    "rising_factorial": elementwise(lambda x, n: _product(x, n, 1)),
    "falling_factorial": elementwise(lambda x, n: _product(x, n, -1)),
    "log_rising_factorial": _of_reals(_log_rising_factorial, lambda x, n: special.gammaln(x + n) - special.gammaln(x)),
    "log_falling_factorial": _of_reals(
        _log_falling_factorial, lambda x, n: special.gammaln(x + 1) - special.gammaln(x - n + 1)
    ),
    "lmgamma": elementwise(lmgamma),
    "gamma_p": _of_reals(lambda a, x: gammainc(*jnp.broadcast_arrays(a, x)), special.gammainc),
    "gamma_q": _of_reals(lambda a, x: gammaincc(*jnp.broadcast_arrays(a, x)), special.gammaincc),
    "inc_beta": elementwise(inc_beta, special.betainc),
    "inv_inc_beta": elementwise(inv_inc_beta, special.betaincinv),
}
GAMMA_FUNCTIONS["binomial_coefficient_log"] = GAMMA_FUNCTIONS["lchoose"]  # its name before Stan 2.33
