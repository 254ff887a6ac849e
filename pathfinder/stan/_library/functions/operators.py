"""Operators, and the functions of the library that are their names (`add`, `logical_and`, ...).

Source: Stan functions reference, "Integer-valued basic functions" to "Matrix operations". Shapes alone do not tell
what `*` means (a vector and a row vector are both 1-d), so the linear algebra goes by the types of the operands.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder.stan._library.functions.function import Function, quiet, real, real_numpy
from pathfinder.stan._types.types import SCALARS, Type


Types = tuple[Type, ...]


def times(types: Types, x: Any, y: Any) -> Any:
    """`x * y`: scaling where one operand is a scalar, else the matrix product."""
    left, right = (type_.base.removeprefix("complex_") for type_ in types)
    if left in SCALARS or right in SCALARS:
        return x * y
    if (left, right) == ("vector", "row_vector"):
        return x[:, None] * y[None, :]
    if left == "vector":  # a matrix of one row
        return x[:, None] * y
    return x @ y


def _any_zero(y: Any) -> bool:
    return not y.all() if isinstance(y, np.ndarray) else y == 0


def int_quotient(x: Any, y: Any) -> Any:
    """`x %/% y` on NumPy integers, truncated toward zero.

    Raises:
        ValueError: If a denominator is zero, as in Stan.
    """
    if _any_zero(y):
        raise ValueError("Integer division by zero.")
    if isinstance(x, int) and isinstance(y, int):
        return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    return (x - np.fmod(x, y)) // y


def int_remainder(x: Any, y: Any) -> Any:
    """`x % y` on NumPy integers, with the sign of `x`.

    Raises:
        ValueError: If a denominator is zero, as in Stan.
    """
    if _any_zero(y):
        raise ValueError("Remainder of an integer division by zero.")
    return np.fmod(x, y)


def _traced_ints(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An integer operation on traced values, where a denominator of zero cannot raise and counts as one."""

    def evaluate(x, y):
        x, y = _aligned(x, y)
        return operation(x, jnp.where(y == 0, 1, y))

    return evaluate


def _aligned(x: Any, y: Any) -> list[jax.Array]:
    dtype = jnp.result_type(x, y)
    return jnp.broadcast_arrays(jnp.asarray(x, dtype), jnp.asarray(y, dtype))


traced_quotient = _traced_ints(jax.lax.div)
traced_remainder = _traced_ints(jax.lax.rem)


def _over(xp: ModuleType, quotient: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """`x / y` in the namespace, given the quotient of integers."""

    def evaluate(types, x, y):
        if types[0].base == types[1].base == "int":
            return quotient(x, y)
        if types[1].base.endswith("matrix") and types[0].base not in SCALARS:
            return xp.linalg.solve(y.T, x.T).T  # x y^-1
        return xp.true_divide(x, y)

    return evaluate


def left_division(a: Any, b: Any) -> jax.Array:
    r"""`a \\ b`, the solution x of a x = b, for a vector or a matrix b."""
    return jnp.linalg.solve(a, b)


def power(x: Any, y: Any) -> jax.Array:
    """`x ^ y`, elementwise and real even for integers.

    A known integer exponent of a traced base is multiplied out, which is exact and differentiable at zero.
    """
    x = real(x)
    if isinstance(y, int | np.integer) or (isinstance(y, np.ndarray) and y.ndim == 0 and y.dtype.kind == "i"):
        return jax.lax.integer_pow(x, int(y)) if abs(int(y)) <= 16 else jnp.power(x, real(y))
    return jnp.power(x, real(y))


def _truth(xp: ModuleType) -> Callable[[Any], Any]:
    """Truth values as the integers 0 and 1."""
    if xp is jnp:
        return lambda x: jnp.asarray(x).astype(jnp.result_type(int))
    return lambda x: x.astype(np.int64) if isinstance(x, np.ndarray) else int(x)


def _logical(build: Callable[..., Any]) -> Function:
    """A comparison or a logical operation."""

    def form(xp):
        truth = _truth(xp)
        return lambda *operands: truth(build(*operands))

    return Function(form(jnp), elementwise=True, numpy=form(np))


def _arithmetic(operation: Callable[..., Any]) -> Function:
    return Function(operation, elementwise=True, numpy=quiet(operation))


def _quotient_elementwise(types: Types, x: Any, y: Any) -> Any:
    return traced_quotient(x, y) if types[0].base == types[1].base == "int" else real(x) / y


def _quotient_elementwise_numpy(types: Types, x: Any, y: Any) -> Any:
    return int_quotient(x, y) if types[0].base == types[1].base == "int" else real_numpy(x) / y


def transpose(types: Types, x: Any) -> Any:
    """`x'`; vectors and row vectors are the same 1-d array."""
    return x.T if types[0].base.endswith("matrix") else x


def _positive(x: Any) -> Any:
    return x


OPERATORS: dict[str, Function] = {
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": Function(times, numpy=quiet(times), typed=True),
    "/": Function(_over(jnp, traced_quotient), numpy=quiet(_over(np, int_quotient)), typed=True),
    "\\": Function(left_division, numpy=np.linalg.solve),
    "%/%": Function(traced_quotient, elementwise=True, numpy=int_quotient),
    "%": Function(traced_remainder, elementwise=True, numpy=int_remainder),
    "^": Function(power, elementwise=True, numpy=quiet(lambda x, y: real_numpy(x) ** real_numpy(y))),
    ".*": _arithmetic(operator.mul),
    "./": Function(_quotient_elementwise, numpy=quiet(_quotient_elementwise_numpy), typed=True),
    "==": _logical(operator.eq),
    "!=": _logical(operator.ne),
    "<": _logical(operator.lt),
    "<=": _logical(operator.le),
    ">": _logical(operator.gt),
    ">=": _logical(operator.ge),
    "&&": _logical(lambda x, y: (x != 0) & (y != 0)),
    "||": _logical(lambda x, y: (x != 0) | (y != 0)),
    "u-": _arithmetic(operator.neg),
    "u+": Function(_positive, elementwise=True, numpy=_positive),
    "!": _logical(lambda x: x == 0),
    "'": Function(transpose, numpy=transpose, typed=True),
}
OPERATORS[".^"] = OPERATORS["^"]

NAMED_OPERATORS: dict[str, Function] = {
    "add": OPERATORS["+"],
    "subtract": OPERATORS["-"],
    "minus": OPERATORS["u-"],
    "plus": OPERATORS["u+"],
    "multiply": OPERATORS["*"],
    "divide": OPERATORS["/"],
    "modulus": OPERATORS["%"],
    "pow": OPERATORS["^"],
    "elt_multiply": OPERATORS[".*"],
    "elt_divide": OPERATORS["./"],
    "transpose": OPERATORS["'"],
    "mdivide_left": OPERATORS["\\"],
    "logical_eq": OPERATORS["=="],
    "logical_neq": OPERATORS["!="],
    "logical_lt": OPERATORS["<"],
    "logical_lte": OPERATORS["<="],
    "logical_gt": OPERATORS[">"],
    "logical_gte": OPERATORS[">="],
    "logical_and": OPERATORS["&&"],
    "logical_or": OPERATORS["||"],
    "logical_negation": OPERATORS["!"],
}
