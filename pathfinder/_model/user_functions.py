"""Functions that users give, called so that their mistakes are told in words about their code, not about ours."""

import linecache
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import jax


_IF = "use jnp.where(condition, a, b), or jax.lax.cond(condition, f, g, x), in place of `if`, `while`, `and` and `or`"
_NUMPY = (
    "use the function of jax.numpy (jnp), jax.scipy or numpyro.distributions of the same name; for random numbers "
    "jax.random, and for parts of arrays jnp.stack or x.at[i].set(value)"
)
_NUMBER = (
    "leave out float(), int(), .item() and functions of `math` (jax.numpy has them), and take loop bounds and shapes "
    "from constants or from x.shape"
)
_INDEX = "use jnp.where(condition, x, 0), whose shape does not depend on the values"
_COUNT = f"give the function `size=` (jnp.repeat: `total_repeat_length=`), or {_INDEX}"
_SHAPE = (
    "take shapes from constants or from x.shape. Numbers in `data` are traced too: leave those that shapes depend on "
    "out of `data`, and let the function know them as constants"
)
_SLICE = "use jax.lax.dynamic_slice, whose size is a constant, or jnp.where(jnp.arange(n) < bound, x, 0)"
_ASSIGN = "write x = x.at[i].set(value) in place of x[i] = value, and x.at[i].add(value) in place of x[i] += value"
_TEXT = 'print with jax.debug.print("{}", x), or outside of the function'
_KEY = "put the values into an array and index that, jnp.array(values)[i], or use jax.lax.switch"
_LEAK = "return what is needed later, and assign nothing to global variables, lists or attributes inside the function"

_CONDITION = "Python cannot branch on a value that depends on parameters or data"
_INTEGER = "a traced value cannot be a Python integer"
_IN_NUMPY = "NumPy cannot work on values that JAX traces"

# Kind, words in its message, rule, what to do. The first that fits; special ones come before those that they are
# derived from. Where a kind is none of JAX's own, the words are those of its messages.
_RULES: tuple[tuple[type[Exception], str, str, str], ...] = (
    (jax.errors.TracerBoolConversionError, "", _CONDITION, _IF),
    (jax.errors.TracerArrayConversionError, "", _IN_NUMPY, _NUMPY),
    (jax.errors.TracerIntegerConversionError, "", _INTEGER, _NUMBER),
    (jax.errors.NonConcreteBooleanIndexError, "", "the shape of x[condition] would depend on values", _INDEX),
    (
        jax.errors.ConcretizationTypeError,
        r"\bsize argument|total_repeat_length",
        "the number of elements of what a function returns would depend on values",
        _COUNT,
    ),
    (jax.errors.ConcretizationTypeError, "", "a traced value has no Python number", _NUMBER),
    (jax.errors.UnexpectedTracerError, "", "a traced value was kept from an earlier call of the function", _LEAK),
    (TypeError, "Only integer scalar arrays can be converted", _INTEGER, _NUMBER),
    (TypeError, "Shapes must be 1D sequences of concrete values", "a shape would depend on values", _SHAPE),
    (IndexError, "Slice entries must be static integers", "the bounds of a slice would depend on values", _SLICE),
    (TypeError, "JAX arrays are immutable", "elements of arrays of JAX cannot be assigned to", _ASSIGN),
    (TypeError, r"[fF]ormat.*Tracer", "a traced value has no digits to be written as text", _TEXT),
    (TypeError, r"unhashable type: '\w*Tracer", "a traced value cannot be the key of a dictionary or a set", _KEY),
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


def _broken_rule(error: BaseException | None) -> tuple[str, str] | None:
    """The rule that was broken, and what to do; of the cause, if other libraries made their own error of it."""
    while error is not None:
        if isinstance(error.__cause__, jax.errors.JAXTypeError) and "setting an array element" in str(error):
            return _IN_NUMPY, _NUMPY
        for kind, words, rule, advice in _RULES:
            if isinstance(error, kind) and re.search(words, str(error)):
                return rule, advice
        error = error.__cause__
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
    """The innermost line of the user's own code; that of a package of theirs if they call nothing from elsewhere."""
    own = installed = ""
    while trace is not None:
        code, line = trace.tb_frame.f_code, trace.tb_lineno
        if str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0] not in _NOT_THE_USERS:
            text = linecache.getline(code.co_filename, line, trace.tb_frame.f_globals).strip()
            place = f'\n  In "{code.co_filename}", line {line}, in {code.co_name}' + (f":\n    {text}" if text else "")
            if re.search(r"[\\/](site|dist)-packages[\\/]", code.co_filename):
                installed = place
            else:
                own = place
        trace = trace.tb_next
    return own or installed


def described(value: Any) -> str:
    """What a value is, for messages: `a pandas.DataFrame`, `an int`, `None`."""
    if value is None:
        return "None"
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    name = kind.__name__ if package in ("builtins", "__main__") else f"{package}.{kind.__name__}"
    return f"{'an' if name[0] in 'aeiouAEIO' else 'a'} {name}"
