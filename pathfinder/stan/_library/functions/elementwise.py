"""Elementwise functions with a direct formula.

Source: Stan functions reference, "Real-valued basic functions". Those that need a series, an integral or an iteration
are in `special`. Forms are chosen for their accuracy at the ends of the range, and derivatives are given where
automatic ones would be 0/0.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from pathfinder.stan._library.functions.function import Function, both, elementwise, quiet, real, real_in, real_numpy
from pathfinder.stan._library.numerics.logarithms import LOG_2, log1m_exp, log_diff_exp, softplus, xlogy


def _real_argument(jax_form: Any, numpy_form: Any) -> Function:
    """A function of one real argument that is wanted of integers, too."""
    return elementwise(lambda x: jax_form(real(x)), lambda x: numpy_form(real_numpy(x)))


def _formula(formula: Any) -> Function:
    """A formula `formula(xp, *arguments)` of real arguments in a namespace `xp`."""

    def build(xp):
        as_real = real_in(xp)
        return lambda *arguments: formula(xp, *map(as_real, arguments))

    return both(build, elementwise=True)


def _round(xp: Any, x: Any) -> Any:
    """Nearest integer; halves go away from zero, where NumPy rounds them to even."""
    whole = xp.trunc(x)
    return xp.where(abs(x - whole) >= 0.5, whole + xp.sign(x), whole)


def _log1p_exp(xp: Any, x: Any) -> Any:
    return softplus(x) if xp is jnp else np.logaddexp(x, 0.0)


def log1m_exp_numpy(x: Any) -> Any:
    """`log(1 - exp(x))`, by Maechler (2012), "Accurately computing log(1 - exp(-|a|))", equation 7."""
    x = real_numpy(x)
    return np.where(x > -LOG_2, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))[()]


def _log_inv_logit_diff(xp: Any, x: Any, y: Any) -> Any:
    log1m_exp_of = log1m_exp if xp is jnp else log1m_exp_numpy
    return x - _log1p_exp(xp, x) + log1m_exp_of(y - x) - _log1p_exp(xp, y)


def log_diff_exp_numpy(x: Any, y: Any) -> Any:
    """`log(exp(x) - exp(y))`; minus infinity where both are equal and finite or no more."""
    x, y = real_numpy(x), real_numpy(y)
    return np.where((x == y) & (x < np.inf), -np.inf, x + log1m_exp_numpy(y - x))[()]


def _binary_log_loss(xp: Any, y: Any, probability: Any) -> Any:
    return -xp.where(y != 0, xp.log(probability), xp.log1p(-probability))


def _phi_approx(xp: Any, x: Any) -> Any:
    return _inv_logit(xp, 0.07056 * x**3 + 1.5976 * x)


def _inv_logit(xp: Any, x: Any) -> Any:
    return jax.nn.sigmoid(x) if xp is jnp else special.expit(x)


def _proj(z: Any) -> jax.Array:
    """Projection on the Riemann sphere: all infinities are one."""
    z = jnp.asarray(z, complex)
    infinite = jnp.isinf(z.real) | jnp.isinf(z.imag)
    return jnp.where(infinite, jax.lax.complex(jnp.inf * jnp.ones_like(z.real), jnp.copysign(0.0, z.imag)), z)


def _as_int(xp: Any, truth: Any) -> Any:
    if xp is jnp:
        return jnp.asarray(truth).astype(jnp.result_type(int))
    return truth.astype(np.int64) if isinstance(truth, np.ndarray) else int(truth)


def _to_int(x: Any) -> Any:
    return jnp.trunc(x).astype(jnp.result_type(int))


def _to_complex(xp: Any, *parts: Any) -> Any:
    """Complex number of its real and imaginary parts, either of which may be left out."""
    if not parts:
        return xp.asarray(0.0 + 0.0j)
    if len(parts) == 1:
        return parts[0] + 0j
    if xp is jnp:
        return jax.lax.complex(*jnp.broadcast_arrays(*map(real, parts)))
    return parts[0] + 1j * parts[1]


ELEMENTWISE: dict[str, Function] = {
    # absolute value, rounding, steps
    "abs": elementwise(jnp.abs, np.abs),
    "fabs": _formula(lambda xp, x: abs(x)),
    "floor": _formula(lambda xp, x: xp.floor(x)),
    "ceil": _formula(lambda xp, x: xp.ceil(x)),
    "round": _formula(_round),
    "trunc": _formula(lambda xp, x: xp.trunc(x)),
    "step": _formula(lambda xp, x: xp.where(x < 0, 0.0, 1.0)),
    "int_step": _formula(lambda xp, x: _as_int(xp, x > 0)),
    "is_inf": _formula(lambda xp, x: _as_int(xp, xp.isinf(x))),
    "is_nan": _formula(lambda xp, x: _as_int(xp, xp.isnan(x))),
    "to_int": elementwise(_to_int, lambda x: _as_int(np, np.trunc(x))),
    # powers, exponentials, logarithms
    "sqrt": _real_argument(jnp.sqrt, np.sqrt),
    "cbrt": _real_argument(jnp.cbrt, np.cbrt),
    "square": _formula(lambda xp, x: x * x),
    "inv": _formula(lambda xp, x: 1.0 / x),
    "inv_sqrt": _real_argument(jax.lax.rsqrt, lambda x: 1.0 / np.sqrt(x)),
    "inv_square": _formula(lambda xp, x: 1.0 / (x * x)),
    "exp": _real_argument(jnp.exp, np.exp),
    "exp2": _real_argument(jnp.exp2, np.exp2),
    "expm1": _real_argument(jnp.expm1, np.expm1),
    "log": _real_argument(jnp.log, np.log),
    "log10": _real_argument(jnp.log10, np.log10),
    "log2": _real_argument(jnp.log2, np.log2),
    "log1p": _real_argument(jnp.log1p, np.log1p),
    "log1m": _formula(lambda xp, x: xp.log1p(-x)),
    "log1p_exp": _formula(_log1p_exp),
    "log1m_exp": _real_argument(log1m_exp, log1m_exp_numpy),
    "log_diff_exp": elementwise(lambda x, y: log_diff_exp(real(x), real(y)), log_diff_exp_numpy),
    # logistic function and other links
    "logit": _formula(lambda xp, x: xp.log(x) - xp.log1p(-x)),
    "inv_logit": _formula(_inv_logit),
    "log_inv_logit": _formula(lambda xp, x: -_log1p_exp(xp, -x)),
    "log1m_inv_logit": _formula(lambda xp, x: -_log1p_exp(xp, x)),
    "log_inv_logit_diff": _formula(_log_inv_logit_diff),
    "inv_cloglog": _formula(lambda xp, x: -xp.expm1(-xp.exp(x))),
    "Phi": _real_argument(jax.scipy.special.ndtr, special.ndtr),
    "Phi_approx": _formula(_phi_approx),
    "inv_Phi": _real_argument(jax.scipy.special.ndtri, special.ndtri),
    "std_normal_qf": _real_argument(jax.scipy.special.ndtri, special.ndtri),
    "erf": _real_argument(jax.lax.erf, special.erf),
    "erfc": _real_argument(jax.lax.erfc, special.erfc),
    "binary_log_loss": _formula(_binary_log_loss),
    # trigonometry
    **{
        name: _real_argument(getattr(jnp, numpy_name), getattr(np, numpy_name))
        for name, numpy_name in {
            "sin": "sin",
            "cos": "cos",
            "tan": "tan",
            "asin": "arcsin",
            "acos": "arccos",
            "atan": "arctan",
            "sinh": "sinh",
            "cosh": "cosh",
            "tanh": "tanh",
            "asinh": "arcsinh",
            "acosh": "arccosh",
            "atanh": "arctanh",
        }.items()
    },
    "atan2": _formula(lambda xp, y, x: xp.arctan2(y, x)),
    "hypot": _formula(lambda xp, x, y: xp.hypot(x, y)),
    # of two and three arguments
    "fmin": _formula(lambda xp, x, y: xp.fmin(x, y)),
    "fmax": _formula(lambda xp, x, y: xp.fmax(x, y)),
    "fmod": _formula(lambda xp, x, y: xp.fmod(x, y)),
    "fdim": _formula(lambda xp, x, y: xp.where(x <= y, 0.0, x - y)),
    "fma": _formula(lambda xp, x, y, z: x * y + z),
    "ldexp": elementwise(lambda x, n: jnp.ldexp(real(x), n), np.ldexp),
    "lmultiply": elementwise(lambda x, y: xlogy(real(x), real(y)), special.xlogy),
    # complex numbers
    "get_real": both(lambda xp: xp.real, elementwise=True),
    "get_imag": both(lambda xp: xp.imag, elementwise=True),
    "conj": both(lambda xp: xp.conj, elementwise=True),
    "arg": both(lambda xp: xp.angle, elementwise=True),
    "norm": both(lambda xp: lambda z: xp.real(z) ** 2 + xp.imag(z) ** 2, elementwise=True),
    "proj": elementwise(_proj),
    "polar": _formula(lambda xp, r, theta: r * (xp.cos(theta) + 1j * xp.sin(theta))),
    "to_complex": both(lambda xp: lambda *parts: _to_complex(xp, *parts), elementwise=True),
}
ELEMENTWISE["multiply_log"] = ELEMENTWISE["lmultiply"]  # its name before Stan 2.33

CONSTANTS: dict[str, float] = {
    "pi": float(np.pi),
    "e": float(np.e),
    "sqrt2": float(np.sqrt(2.0)),
    "not_a_number": float("nan"),
    "positive_infinity": float("inf"),
    "negative_infinity": float("-inf"),
    "machine_precision": float(np.finfo(float).eps),
}


def _constant(value: float) -> Function:
    def evaluate():
        return value

    return Function(evaluate, elementwise=True, numpy=evaluate)


def _with_constant(name: str, value: float) -> Function:
    """`log2()` and `log10()` are constants, with an argument they are logarithms."""
    logarithm = ELEMENTWISE[name]

    def evaluate(*arguments):
        return logarithm.evaluate(*arguments) if arguments else value

    def numpy(*arguments):
        return logarithm.numpy(*arguments) if arguments and logarithm.numpy else value

    return Function(evaluate, elementwise=True, numpy=quiet(numpy))


ELEMENTWISE |= {name: _constant(value) for name, value in CONSTANTS.items()}
ELEMENTWISE |= {"log2": _with_constant("log2", LOG_2), "log10": _with_constant("log10", float(np.log(10.0)))}
