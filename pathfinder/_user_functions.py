"""Functions that users give, called so that their mistakes are told in words about their code, not about ours."""

import linecache
import sys
from collections.abc import Iterator, Mapping
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
def explained(role: str, parameters: Any = None, data: Any = None) -> Iterator[None]:
    """Say which rule of JAX the user's code broke, in which line, and what to use instead.

    Args:
        role: What the function is to the user, for instance "The log density".
        parameters: What it was called with, for mistakes in names.
        data: Likewise; None if there are none.

    Raises:
        ValueError: In place of the errors of JAX about values that are not known while it traces, and of those about
            names and lists in the parameters and data.
    """
    try:
        yield
    except Exception as error:
        found = _broken_rule(error)
        if found is None:
            mistaken = _mistaken(error, parameters, data)
            if mistaken:
                place = _place(error.__traceback__)
                raise ValueError(f"{role} raised {type(error).__name__}: {error}.{place}\n{mistaken}") from error
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


def _mistaken(error: Exception, parameters: Any, data: Any) -> str:
    """What to say of a name that the parameters and data do not have, and of a list in place of an array; or ""."""
    text = str(error)
    if parameters is None:
        return ""
    if isinstance(error, KeyError) or isinstance(error, AttributeError) and "'dict' object has no" in text:
        if error.args and isinstance(parameters, Mapping) and error.args[0] in {*parameters, *_keys(data)}:
            return ""  # of a dictionary of the user's own
        said = f"The parameters are {_listed(parameters)}" + ("" if data is None else f"; the data are {_listed(data)}")
        return f'{said}. A dictionary is read as params["name"], with the names of `example` and `data`.'
    if isinstance(error, TypeError) and "list" in text:
        lists = [name for role, tree in (("example", parameters), ("data", data)) for name in _lists(role, tree)]
        if lists:
            return (
                f"{', '.join(lists)} is a list, which JAX takes for a container of separate numbers. Give an array, "
                "such as jnp.array([1.0, 2.0]); rows of different lengths are arrays of their own."
            )
    return ""


def _keys(tree: Any) -> tuple[Any, ...]:
    return tuple(tree) if isinstance(tree, Mapping) else ()


def _listed(tree: Any) -> str:
    return ", ".join(map(repr, tree)) if isinstance(tree, Mapping) else described(tree)


def _lists(name: str, tree: Any) -> Iterator[str]:
    if isinstance(tree, list):
        yield f"`{name}`"
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _lists(f"{name}[{key!r}]", value)


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
