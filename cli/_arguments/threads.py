"""How many threads to use: the argument `num_threads` and the variable `STAN_NUM_THREADS`."""

from collections.abc import Mapping

from pathfinder_cli._arguments.values import INTEGER, BadValue
from pathfinder_cli._errors import UsageError


_VARIABLE = "STAN_NUM_THREADS"


def environment_threads(environ: Mapping[str, str], cores: int) -> int:
    """The default of `num_threads`: what the environment asks for, or 1.

    Raises:
        UsageError: If the variable is set to something that is neither positive nor -1.
    """
    text = environ.get(_VARIABLE, "1")
    try:
        value = INTEGER.read(text)
    except BadValue:
        value = 0
    if value < 1 and value != -1:
        raise UsageError(f"Error: {_VARIABLE} is {text!r}, but it has to be a positive number, or -1 for all cores.\n")
    return cores if value == -1 else value


def resolve_threads(num_threads: int | None, environ: Mapping[str, str], cores: int) -> int:
    """The number of threads to use.

    Args:
        num_threads: The argument, -1 for all cores; None if it was not written.
        environ: The environment.
        cores: What -1 stands for.

    Raises:
        UsageError: If the environment asks for more than one thread, and for another number.
    """
    from_environment = environment_threads(environ, cores)
    if num_threads is None:
        return from_environment
    used = cores if num_threads == -1 else num_threads
    if from_environment not in (1, used):
        raise UsageError(
            f"{_VARIABLE}= {from_environment} but argument num_threads= {num_threads}. "
            "Set only one of them, or both to the same number.\n"
        )
    return used
