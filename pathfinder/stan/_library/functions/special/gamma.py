"""Gamma and beta functions, factorials, incomplete gamma and beta functions.

Source: Stan functions reference, "Combinatorial functions"; DLMF chapters 5 and 8.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammasgn
from scipy import special

from pathfinder.stan._library.functions.function import Function, elementwise, known, real, real_numpy
from pathfinder.stan._library.numerics.gamma_ratios import log_beta, log_choose, log_multivariate_gamma, log_rising
from pathfinder.stan._library.numerics.incomplete_beta import log_beta_tails
from pathfinder.stan._library.numerics.incomplete_gamma import log_gamma_tails
from pathfinder.stan._library.numerics.logarithms import xlog1py, xlogy


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


def lbeta(a: Any, b: Any) -> jax.Array:
    """Logarithm of the beta function."""
    a, b = jnp.broadcast_arrays(real(a), real(b))
    return jnp.where((a >= 0) & (b >= 0), log_beta(a, b), jnp.nan)


def lchoose(n: Any, k: Any) -> jax.Array:
    """Logarithm of the binomial coefficient, for real arguments with -1 <= k <= n + 1."""
    n, k = jnp.broadcast_arrays(real(n), real(k))
    return jnp.where((k >= -1) & (k <= n + 1), log_choose(n, k), jnp.nan)


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
    if not known(k):
        raise ValueError("The first argument of `lmgamma` must not depend on parameters.")
    return log_multivariate_gamma(k, real(x))


def gamma_p(a: Any, x: Any) -> jax.Array:
    """Lower regularised incomplete gamma function."""
    return jnp.where((a > 0) & (x >= 0), jnp.exp(log_gamma_tails(a, x)[0]), jnp.nan)


def gamma_q(a: Any, x: Any) -> jax.Array:
    """Upper regularised incomplete gamma function."""
    return jnp.where((a > 0) & (x >= 0), jnp.exp(log_gamma_tails(a, x)[1]), jnp.nan)


def inc_beta(a: Any, b: Any, x: Any) -> jax.Array:
    """Regularised incomplete beta function, differentiable in all three arguments (`jax.scipy`'s only in the last)."""
    valid = (a > 0) & (b > 0) & (x >= 0) & (x <= 1)
    return jnp.where(valid, jnp.exp(log_beta_tails(a, b, x, 1 - x)[0]), jnp.nan)


def inv_inc_beta_log_odds(a: Any, b: Any, p: Any) -> jax.Array:
    """The log odds of `inv_inc_beta`, by bisection."""
    a, b, p = jnp.broadcast_arrays(a, b, p)
    largest = -float(np.log(jnp.finfo(p.dtype).tiny))
    log_p = jnp.log(p)

    def halve(_, ends):
        low, high = ends
        middle = 0.5 * (low + high)
        below = log_beta_tails(a, b, jax.nn.sigmoid(middle), jax.nn.sigmoid(-middle))[0] < log_p
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.fori_loop(0, 70, halve, (jnp.full_like(p, -largest), jnp.full_like(p, largest)))
    log_odds = jnp.where(p == 0, -jnp.inf, jnp.where(p == 1, jnp.inf, 0.5 * (low + high)))
    return jnp.where((p >= 0) & (p <= 1), log_odds, jnp.nan)


@jax.custom_jvp
def inv_inc_beta(a: Any, b: Any, p: Any) -> jax.Array:
    """Inverse of `inc_beta` in its last argument."""
    return jax.nn.sigmoid(inv_inc_beta_log_odds(a, b, p))


@inv_inc_beta.defjvp
def _inv_inc_beta_jvp(primals, tangents):
    a, b, p = primals
    da, db, dp = tangents
    x = inv_inc_beta(a, b, p)
    _, at_x = jax.jvp(lambda a, b: inc_beta(a, b, x), (a, b), (da, db))
    density = jnp.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - log_beta(a, b))
    return x, (dp - at_x) / density


def _of_reals(jax_form: Any, numpy_form: Any = None) -> Function:
    return elementwise(
        lambda *x: jax_form(*map(real, x)),
        None if numpy_form is None else lambda *x: numpy_form(*map(real_numpy, x)),
    )


def _log_rising_factorial(x: Any, n: Any) -> Any:
    return jnp.where(n < 0, -1.0, 1.0) * log_rising(jnp.minimum(x, x + n), jnp.abs(n))


def _log_falling_factorial(x: Any, n: Any) -> Any:
    return _log_rising_factorial(x - n + 1, n)


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
    "log_rising_factorial": _of_reals(_log_rising_factorial),
    "log_falling_factorial": _of_reals(_log_falling_factorial),
    "lmgamma": elementwise(lmgamma),
    "gamma_p": _of_reals(gamma_p, special.gammainc),
    "gamma_q": _of_reals(gamma_q, special.gammaincc),
    "inc_beta": _of_reals(inc_beta, special.betainc),
    "inv_inc_beta": _of_reals(inv_inc_beta, special.betaincinv),
}
GAMMA_FUNCTIONS["binomial_coefficient_log"] = GAMMA_FUNCTIONS["lchoose"]  # its name before Stan 2.33
