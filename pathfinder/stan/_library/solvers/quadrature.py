"""One-dimensional integrals by double-exponential quadrature.

Source: Stan functions reference, "1D integrator"; Takahasi and Mori (1974), "Double exponential formulas for numerical
integration". The step is fixed and small, so that all nodes are evaluated at once; Stan refines it adaptively.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._library.functions.function import known


DEFAULT_TOLERANCE = float(np.sqrt(np.finfo(float).eps))
_STEP = 1 / 256
_END = {4: 3.0, 8: 6.0}  # by bytes of a number: nodes reach the ends to about 1e-275 of the interval
_FAR_END = {4: 3.0, 8: 4.5}  # to about 1e30, where powers must not yet overflow


def _infinite(end: Any, sign: float) -> bool:
    return known(end) and float(end) == sign * np.inf


def _nodes(dtype: Any, low: float, high: float) -> jax.Array:
    first, last = int(np.ceil(low / _STEP)), int(np.floor(high / _STEP))
    first -= first % 2  # every second node makes the rule of the doubled step
    return jnp.asarray(np.arange(first, last + 1) * _STEP, dtype)


def _finite_interval(a: Any, b: Any, dtype: Any) -> tuple[Any, Any, Any]:
    """Nodes by tanh-sinh, their distance from the nearer end (negative from `a`) and weights."""
    end = _END[np.dtype(dtype).itemsize]
    t = _nodes(dtype, -end, end)
    u = jnp.pi * jnp.abs(jnp.sinh(t))
    distance = (b - a) / (1 + jnp.exp(u))
    left = t < 0
    x = jnp.where(left, a + distance, b - distance)
    # cosh(u / 2)^-2 = 4 exp(-u) / (1 + exp(-u))^2
    weights = (b - a) / 2 * jnp.pi / 2 * jnp.cosh(t) * 4 * jnp.exp(-u) / (1 + jnp.exp(-u)) ** 2
    return x, jnp.where(left, -distance, distance), weights


def _half_line(a: Any, dtype: Any, sign: float) -> tuple[Any, Any, Any]:
    """Nodes by exp-sinh from `a` to infinity of the sign."""
    size = np.dtype(dtype).itemsize
    t = _nodes(dtype, -_END[size], _FAR_END[size])
    distance = jnp.exp(jnp.pi / 2 * jnp.sinh(t))
    return a + sign * distance, jnp.full_like(t, jnp.nan), jnp.pi / 2 * jnp.cosh(t) * distance


def _line(dtype: Any) -> tuple[Any, Any, Any]:
    """Nodes by sinh-sinh."""
    end = _FAR_END[np.dtype(dtype).itemsize]
    t = _nodes(dtype, -end, end)
    u = jnp.pi / 2 * jnp.sinh(t)
    return jnp.sinh(u), jnp.full_like(t, jnp.nan), jnp.pi / 2 * jnp.cosh(t) * jnp.cosh(u)


def integrate_1d(
    integrand: Callable[..., Any],
    a: Any,
    b: Any,
    rel_tol: float | None = None,
    args: tuple[Any, ...] = (),
) -> jax.Array:
    """Integral of `integrand(x, xc, *args)` from `a` to `b`, differentiable in the ends and the arguments.

    Args:
        integrand: The function; `xc` is `a - x` or `b - x`, whichever end is nearer, without cancellation, and NaN if
            an end is infinite.
        a: Lower end, also minus infinity, which must be known while tracing.
        b: Upper end, also infinity.
        rel_tol: Largest difference between the rules of one step and its double, relative to the integral of the
            absolute value; by default the root of the machine precision.
        args: Further arguments of the integrand.

    Returns:
        The integral; NaN where the tolerance is missed.
    """
    leaves = [leaf for leaf in jax.tree.leaves((a, b, args)) if jnp.issubdtype(jnp.result_type(leaf), jnp.floating)]
    dtype = jnp.result_type(*leaves) if leaves else jnp.result_type(float)
    if _infinite(a, -1.0):
        x, xc, weights = _line(dtype) if _infinite(b, 1.0) else _half_line(b, dtype, -1.0)
    elif _infinite(b, 1.0):
        x, xc, weights = _half_line(a, dtype, 1.0)
    else:
        x, xc, weights = _finite_interval(jnp.asarray(a, dtype), jnp.asarray(b, dtype), dtype)
    values = jax.vmap(lambda x, xc: jnp.asarray(integrand(x, xc, *args), dtype))
    # a singularity at an end counts for nothing at nodes that round to the end, nor does its derivative
    singular = ((x == a) | (x == b)) & ~jnp.isfinite(jax.lax.stop_gradient(values(x, xc)))
    middle = x.shape[0] // 2
    x, xc = jnp.where(singular, x[middle], x), jnp.where(singular, xc[middle], xc)
    terms = jnp.where(singular, 0.0, weights) * values(x, xc)
    integral, coarse, scale = jnp.sum(terms), 2 * jnp.sum(terms[::2]), jnp.sum(jnp.abs(terms))
    tolerance = DEFAULT_TOLERANCE if rel_tol is None else rel_tol
    tolerance = max(tolerance, 100 * float(jnp.finfo(dtype).eps))
    accurate = jax.lax.stop_gradient(jnp.abs(integral - coarse) <= tolerance * scale)
    return jnp.where(accurate, _STEP * integral, jnp.nan)
