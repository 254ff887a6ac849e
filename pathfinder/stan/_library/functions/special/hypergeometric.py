"""Hypergeometric functions by their power series, with derivatives in all arguments.

Source: Stan functions reference, "Hypergeometric functions"; DLMF chapters 15 and 16. Outside of the circle of
convergence they are NaN.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from pathfinder.stan._library.functions.function import Function, elementwise, real
from pathfinder.stan._library.numerics.gamma_ratios import log_beta
from pathfinder.stan._library.numerics.iteration import differentiable_by_forward_mode, iterate


def _series(num_upper: int) -> Any:
    """The series of scalars: the upper parameters, the lower ones, and z."""

    @differentiable_by_forward_mode
    def total(*arguments):
        upper, lower, z = arguments[:num_upper], arguments[num_upper:-1], arguments[-1]

        def step(n, state):
            term, total, bound, total_bound = state
            ratio, ratio_bound = z / n, jnp.abs(z) / n
            for a in upper:
                factor = a + (n - 1)
                # A factor of 0 ends the series, but not that of its derivative.
                ratio, ratio_bound = ratio * factor, ratio_bound * jnp.where(factor == 0, 1.0, jnp.abs(factor))
            for b in lower:
                ratio, ratio_bound = ratio / (b + (n - 1)), ratio_bound / jnp.abs(b + (n - 1))
            term, bound = term * ratio, bound * jax.lax.stop_gradient(ratio_bound)
            return term, total + term, bound, total_bound + bound

        one = jnp.ones_like(z)
        return iterate(step, (one, one, one, one), lambda state: state[3])[1]

    return total


def _sum_of_series(upper: tuple[Any, ...], lower: tuple[Any, ...], z: Any) -> jax.Array:
    arguments = jnp.broadcast_arrays(*upper, *lower, z)
    z = arguments[-1]
    # With as many parameters above as below, or fewer, it converges everywhere, with one more inside of the circle;
    # where an upper one is a nonpositive integer it ends.
    ends = jnp.any(jnp.stack([(a <= 0) & (a == jnp.floor(a)) for a in upper]), axis=0) if upper else jnp.asarray(False)
    inside = {0: z > -jnp.inf, 1: jnp.abs(z) < 1}.get(max(len(upper) - len(lower), 0), z == 0)
    converges = inside | ends
    return jnp.where(converges, _series(len(upper))(*arguments[:-1], jnp.where(converges, z, 0.0)), jnp.nan)


def hypergeometric_1f0(a: Any, z: Any) -> jax.Array:
    """`(1 - z)^-a`, for |z| < 1."""
    inside = jnp.abs(z) < 1
    return jnp.where(inside, jnp.exp(-a * jnp.log1p(-jnp.where(inside, z, 0.0))), jnp.nan)


def hypergeometric_2f1(a: Any, b: Any, c: Any, z: Any) -> jax.Array:
    """Gauss's function for z <= 1; Pfaff's transformation for z < 0 (DLMF 15.8.1), Gauss's sum at 1 (15.4.20)."""
    a, b, c, z = jnp.broadcast_arrays(a, b, c, z)
    negative, at_one = z < 0, z == 1
    w = jnp.where(negative, z / (z - 1), jnp.where(at_one, 0.0, z))
    value = _sum_of_series((jnp.where(negative, c - a, a), b), (c,), w)
    value = value * jnp.exp(-b * jnp.log1p(-jnp.where(negative, z, 0.0)))
    converges = at_one & (c > a + b) & (c > a) & (c > b) & (a > 0)
    first, second, third = (jnp.where(converges, each, one) for each, one in ((a, 1.0), (b, 1.0), (c, 3.0)))
    gauss = jnp.exp(log_beta(third, third - first - second) - log_beta(third - first, third - second))
    return jnp.where(at_one, jnp.where(converges, gauss, jnp.nan), value)


def hypergeometric_pfq(a: Any, b: Any, z: Any) -> jax.Array:
    """The generalized function of vectors of parameters; Kummer's transformation of 1F1 at z < 0 (DLMF 13.2.39)."""
    upper, lower = tuple(a[i] for i in range(a.shape[0])), tuple(b[i] for i in range(b.shape[0]))
    if len(upper) == len(lower) == 1:
        negative = z < 0
        value = _sum_of_series((jnp.where(negative, lower[0] - upper[0], upper[0]),), lower, jnp.abs(z))
        return value * jnp.exp(jnp.minimum(z, 0.0))
    if (len(upper), len(lower)) == (2, 1):
        return hypergeometric_2f1(upper[0], upper[1], lower[0], z)
    return _sum_of_series(upper, lower, z)


def _reals(function: Any) -> Any:
    return lambda *arguments: function(*map(real, arguments))


HYPERGEOMETRIC: dict[str, Function] = {
    "hypergeometric_1F0": elementwise(_reals(hypergeometric_1f0)),
    "hypergeometric_2F1": elementwise(_reals(hypergeometric_2f1)),
    "hypergeometric_3F2": Function(_reals(hypergeometric_pfq)),
    "hypergeometric_pFq": Function(_reals(hypergeometric_pfq)),
}
