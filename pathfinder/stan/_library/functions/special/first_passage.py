"""Probabilities that a Wiener process has left, or will leave, through the upper of two boundaries by some time.

They are not conditional on the boundary, hence "unnormalized": at late times they tend to the probability of that
boundary, not to 1. Source: Stan functions reference, "Wiener First Passage Time Distribution".
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._library.functions.function import Function, real
from pathfinder.stan._library.numerics.logarithms import log1m_exp, log_diff_exp
from pathfinder.stan._library.numerics.normal_integral import log_ndtr
from pathfinder.stan._library.numerics.quadrature import gauss_legendre


_SWITCH = 0.4  # of time over squared separation, where both series need no more terms than these
_IMAGES = 4
_MODES = 6
_DRIFT_NODES, _START_NODES, _DELAY_NODES = 40, 20, 24


def _log_sinhc(x: Any) -> Any:
    """log(sinh(x) / x), which is even."""
    small = jnp.abs(x) < 0.01
    square = x * x
    size = jnp.abs(jnp.where(small, 1.0, x))
    return jnp.where(small, square / 6 - square * square / 180, size + log1m_exp(-2 * size) - jnp.log(2 * size))


def _log_reaches(a: Any, w: Any, v: Any) -> Any:
    """Log of the probability of ever reaching 0 before `a` from `w a`, with a drift `v` upwards."""
    return jnp.log1p(-w) - v * a * w + _log_sinhc(v * a * (1 - w)) - _log_sinhc(v * a)


def _log_image(x: Any, t: Any, v: Any) -> Any:
    """Log of what one starting point contributes: of reaching 0 from `x` without another boundary, times exp(v x)."""
    root = jnp.sqrt(t)
    return jnp.logaddexp(-v * x + log_ndtr((v * t - x) / root), v * x + log_ndtr((-v * t - x) / root))


def _log_early(t: Any, a: Any, w: Any, v: Any) -> Any:
    """Log probability of having reached 0, by images of the starting point (Blurton et al., 2012, equation 15)."""
    first = _log_image(w * a, t, v)
    total = -jnp.exp(_log_image((2 - w) * a, t, v) - first)
    for k in range(1, _IMAGES):
        total = total + jnp.exp(_log_image((w + 2 * k) * a, t, v) - first)
        total = total - jnp.exp(_log_image((2 + 2 * k - w) * a, t, v) - first)
    return first + jnp.log1p(total) - v * a * w


def _log_late(t: Any, a: Any, w: Any, v: Any) -> Any:
    """Log probability of reaching 0 later than `t`, in modes of the interval (the same, equation 3)."""
    base = v * v + (math.pi / a) ** 2
    total = jnp.zeros_like(t)
    for k in range(1, _MODES + 1):
        square = (k * math.pi / a) ** 2
        decay = jnp.exp(-0.5 * (square - (math.pi / a) ** 2) * t)
        total = total + k * jnp.sin(k * math.pi * w) * decay * base / (v * v + square)
    return math.log(2 * math.pi) - 2 * jnp.log(a) - jnp.log(base) - v * a * w - 0.5 * base * t + jnp.log(total)


def _log_tails(t: Any, a: Any, w: Any, v: Any) -> tuple[Any, Any]:
    """Log probabilities of having reached 0 by `t`, and of reaching it later."""
    early = t < _SWITCH * a * a
    reaches = _log_reaches(a, w, v)
    by_images = _log_early(jnp.where(early, t, 0.1 * a * a), a, w, v)
    by_modes = _log_late(jnp.where(early, a * a, t), a, w, v)
    other_late = log_diff_exp(reaches, jnp.minimum(by_images, reaches))
    other_early = log_diff_exp(reaches, jnp.minimum(by_modes, reaches))
    return jnp.where(early, by_images, other_early), jnp.where(early, other_late, by_modes)


def _average(log_function: Any, nodes: Any, log_weights: Any) -> Any:
    """Log of the weighted mean of exp(log_function), one node after the other."""
    values = jax.lax.map(log_function, nodes)
    return jax.nn.logsumexp(values + log_weights.reshape(-1, *(1,) * (values.ndim - 1)), axis=0)


def _with_variability(tail: int, t: Any, a: Any, w: Any, v: Any, sv: Any, sw: Any, st0: Any) -> Any:
    """The tail where drift is normal, start and delay are uniform between trials."""
    x, weights = np.polynomial.hermite_e.hermegauss(_DRIFT_NODES)
    drifts = jnp.asarray(x, t.dtype), jnp.log(jnp.asarray(weights / weights.sum(), t.dtype))
    starts, delays = (
        tuple(jnp.asarray(part, t.dtype) for part in gauss_legendre(count)) for count in (_START_NODES, _DELAY_NODES)
    )
    latest = jnp.minimum(st0, t)
    # The share of delays after which there was time
    log_share = jnp.log(jnp.where(st0 > 0, latest, 1.0)) - jnp.log(jnp.where(st0 > 0, st0, 1.0))

    def given(delay, start, drift):
        tails = _log_tails(t - latest * delay, a, w + sw * (start - 0.5), v + sv * drift)
        if tail == 0:
            return log_share + tails[0]
        # If the delay lasts until now, reaching it lies ahead.
        reaches = _log_reaches(a, w + sw * (start - 0.5), v + sv * drift)
        none = st0 <= t
        waiting = jnp.log1p(-jnp.where(none, 0.0, jnp.exp(log_share))) + reaches
        return jnp.logaddexp(log_share + tails[1], jnp.where(none, -jnp.inf, waiting))

    def over_delays(start, drift):
        return _average(lambda delay: given(delay, start, drift), delays[0], jnp.log(delays[1]))

    def over_starts(drift):
        return _average(lambda start: over_delays(start, drift), starts[0], jnp.log(starts[1]))

    return _average(over_starts, *drifts)


def _unnormalized(tail: int) -> Function:
    """The sum of log probabilities; after four or seven parameters there may be Stan's tolerance, of no use here."""

    def evaluate(y, *parameters):
        if len(parameters) in (5, 8):
            parameters = parameters[:-1]
        y, alpha, tau, beta, delta, *spread = jnp.broadcast_arrays(*map(real, (y, *parameters)))
        valid = (alpha > 0) & (tau >= 0) & (beta > 0) & (beta < 1) & jnp.isfinite(delta)
        if spread:
            sv, sw, st0 = spread
            half = 0.5 * sw
            valid = valid & (sv >= 0) & (sw >= 0) & (st0 >= 0) & (beta - half >= 0) & (beta + half <= 1)
        started = y > tau
        alpha, beta = jnp.where(valid, alpha, 1.0), jnp.where(valid, beta, 0.5)
        time = jnp.where(started, y - tau, 1e-6 * alpha * alpha)  # by then nothing has been reached
        # Towards the upper boundary is towards 0 from the other side.
        if spread:
            value = _with_variability(tail, time, alpha, 1 - beta, -delta, *spread)
        else:
            value = _log_tails(time, alpha, 1 - beta, -delta)[tail]
        if tail == 0:
            value = jnp.where(started, value, -jnp.inf)
        return jnp.sum(jnp.where(valid, value, jnp.nan))

    return Function(evaluate)


FIRST_PASSAGE: dict[str, Function] = {"wiener_lcdf_unnorm": _unnormalized(0), "wiener_lccdf_unnorm": _unnormalized(1)}
