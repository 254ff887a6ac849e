"""Functions that users give, called so that their mistakes are told in words about their code, not about ours."""

import linecache
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import jax


_IF = "use jnp.where(condition, a, b), or jax.lax.cond(condition, f, g, x), in place of `if`, `while`, `and` and `or`"
_NUMPY = "use the function of jax.numpy (jnp) or jax.scipy of the same name"
_NUMBER = (
    "leave out float(), int(), .item() and functions of `math` (jax.numpy has them), and take loop bounds and shapes "
    "from constants or from x.shape"
)
_INDEX = "use jnp.where(condition, x, 0), whose shape does not depend on the values"
_LEAK = "return what is needed later, and assign nothing to global variables, lists or attributes inside the function"

# The first that fits; special ones come before those that they are derived from.
_RULES: tuple[tuple[type[Exception], str, str], ...] = (
    (jax.errors.TracerBoolConversionError, "Python cannot branch on a value that depends on parameters or data", _IF),
    (jax.errors.TracerArrayConversionError, "NumPy cannot work on values that JAX traces", _NUMPY),
    (jax.errors.TracerIntegerConversionError, "a traced value cannot be a Python integer", _NUMBER),
    (jax.errors.NonConcreteBooleanIndexError, "the shape of x[condition] would depend on values", _INDEX),
    (jax.errors.ConcretizationTypeError, "a traced value has no Python number", _NUMBER),
    (jax.errors.UnexpectedTracerError, "a traced value was kept from an earlier call of the function", _LEAK),
)
_NOT_THE_USERS = {"jax", "jaxlib", "jaxtyping", "beartype", "numpy", "numpyro", "pathfinder", *sys.stdlib_module_names}
_NOT_THE_USERS -= {"__main__"}


@contextmanager
def explained(role: str) -> Iterator[None]:
    """Say which rule of JAX the user's code broke, in which line, and what to use instead.

    Args:
        role: What the function is to the user, for instance "The log density".

    Raises:
        ValueError: In place of the errors of JAX about values that are not known while it traces.
    """
    try:
        yield
    except Exception as error:
        found = _broken_rule(error)
        if found is None:
            raise
        rule, advice = found
        # Without the chain, whose frames are those of JAX and of this package.
        place = _place(error.__traceback__)
        raise ValueError(f"{role} cannot be traced by JAX: {rule}.{place}\nTo do: {advice}.") from None


def _broken_rule(error: Exception) -> tuple[str, str] | None:
    for kind, rule, advice in _RULES:
        if isinstance(error, kind):
            return rule, advice
    # What JAX raises for range(x) and [..][x] of a traced floating-point number has no type of its own.
    if isinstance(error, TypeError) and "Only integer scalar arrays can be converted" in str(error):
        return "a traced value cannot be a Python integer", _NUMBER
    return None


def _place(trace: TracebackType | None) -> str:
    """The innermost line of the user's own code."""
    place = ""
    while trace is not None:
        code, line = trace.tb_frame.f_code, trace.tb_lineno
        if str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0] not in _NOT_THE_USERS:
            text = linecache.getline(code.co_filename, line, trace.tb_frame.f_globals).strip()
            place = f'\n  In "{code.co_filename}", line {line}, in {code.co_name}' + (f":\n    {text}" if text else "")
        trace = trace.tb_next
    return place


def described(value: Any) -> str:
    """What a value is, for messages: `a pandas.DataFrame`, `a str`."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    return f"a {kind.__name__}" if package in ("builtins", "__main__") else f"a {package}.{kind.__name__}"
