"""The command `pathfinder`: its commands, and what becomes of errors."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence

from pathfinder._close_names import did_you_mean
from pathfinder_cli._console.signals import Stopped, stoppable
from pathfinder_cli._console.streams import write_stderr, write_stdout
from pathfinder_cli._errors import InputError, RunError, UsageError
from pathfinder_cli._models.source import KINDS, ModelSource
from pathfinder_cli._outputs.atomic_files import OutputError


PROGRAM = "pathfinder"
TRACEBACK_VARIABLE = "PATHFINDER_TRACEBACK"
DISTRIBUTION = "pathfinder-vi"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command `pathfinder`.

    Args:
        argv: The words after the program's name; those of this process if None.

    Returns:
        The exit status.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    return exit_status(lambda: _dispatch(words))


def run_executable(
    path: str,
    text: bytes,
    argv: Sequence[str] | None = None,
    *,
    included: Mapping[str, str] | None = None,
    simplex: str = "ilr",
) -> int:
    """Run a model that was made executable by `pathfinder compile`.

    Args:
        path: File that the model was read from.
        text: Its content.
        argv: The words after the program's name; those of this process if None.
        included: Texts that it includes, by name.
        simplex: How simplexes are unconstrained unless the command line says otherwise.

    Returns:
        The exit status.
    """
    from pathfinder_cli._commands.run import run

    words = sys.argv[1:] if argv is None else list(argv)
    source = ModelSource(path, text, included=tuple((included or {}).items()), simplex=simplex)
    return exit_status(lambda: run(words, sys.argv[0], lambda: source))


def _dispatch(words: Sequence[str]) -> int:
    if not words:
        raise UsageError(_usage(), stream="stdout")
    first, *rest = words
    if first in _COMMANDS:
        return _COMMANDS[first](rest)
    if "." not in first and not os.path.exists(first):
        question = did_you_mean(first, (name for name in _COMMANDS if not name.startswith("-")))
        if question:
            raise UsageError(f"Error: there is no command {first!r}{question}\n")
    from pathfinder_cli._commands.run import run

    return run(rest, f"{PROGRAM} {first}", lambda: ModelSource.read(first))


def _usage() -> str:
    kinds = "; ".join(f"{suffix}, {kind.description}" for suffix, kind in KINDS.items())
    return f"""\
Usage: {PROGRAM} MODEL pathfinder [CmdStan's arguments]    run a model
       {PROGRAM} compile MODEL [-o NAME]                   make it an executable that takes the same arguments
       {PROGRAM} check MODEL.stan                          print the variables and functions of a Stan program as JSON
       {PROGRAM} explain MODEL.stan data file=DATA.json    tell how its loops are compiled
       {PROGRAM} summary FILE.csv                          print a table of the draws in an output file
       {PROGRAM} plot FILE.csv                             draw pictures of what a run wrote
       {PROGRAM} inits FILE.csv                            write what CmdStan's sampler goes on with from a run
       {PROGRAM} cache [--clear]                           tell where compiled programs are kept, or remove them
       {PROGRAM} MODEL help                                explain the arguments; help-all explains all of them

MODEL is a file: {kinds}.

Example: {PROGRAM} bernoulli.stan pathfinder num_paths=8 data file=bernoulli.data.json output file=draws.csv
"""


def _help(words: Sequence[str]) -> int:
    write_stdout(_usage())
    return 0


def _info(words: Sequence[str]) -> int:
    from pathfinder_cli._arguments.help import info

    write_stdout(info())
    return 0


def _version(words: Sequence[str]) -> int:
    from importlib.metadata import version

    from pathfinder_cli._arguments.stan_version import STAN_VERSION

    stan = ".".join(map(str, STAN_VERSION))
    write_stdout(f"{PROGRAM} ({DISTRIBUTION}) {version(DISTRIBUTION)}, with the interface of CmdStan {stan}\n")
    return 0


def _compile(words: Sequence[str]) -> int:
    from pathfinder_cli._commands.compile import main as compile_model

    return compile_model(words)


def _check(words: Sequence[str]) -> int:
    from pathfinder_cli._commands.check import main as check

    return check(words)


def _explain(words: Sequence[str]) -> int:
    from pathfinder_cli._commands.explain import main as explain

    return explain(words)


def _summary(words: Sequence[str]) -> int:
    from pathfinder_cli._commands.summary import main as summary

    return summary(words)


def _plot(words: Sequence[str]) -> int:
    from pathfinder_cli._commands.plot import main as plot

    return plot(words)


def _inits(words: Sequence[str]) -> int:
    from pathfinder_cli._commands.inits import main as inits

    return inits(words)


def _cache(words: Sequence[str]) -> int:
    from pathfinder_cli._commands.cache import main as cache

    return cache(words)


_COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "help": _help,
    "--help": _help,
    "-h": _help,
    "--version": _version,
    "info": _info,
    "compile": _compile,
    "check": _check,
    "explain": _explain,
    "summary": _summary,
    "plot": _plot,
    "inits": _inits,
    "cache": _cache,
}


def exit_status(action: Callable[[], int]) -> int:
    """Run an action; print what goes wrong on the stream where it belongs."""
    try:
        with stoppable():
            return action()
    except UsageError as error:
        (write_stdout if error.stream == "stdout" else write_stderr)(error.text)
        return error.exit_code
    except (InputError, OutputError, RunError) as error:
        if _wants_traceback():
            write_stderr("".join(traceback.format_exception(error)))
        write_stderr(f"{error}\n")
    except (Stopped, KeyboardInterrupt) as error:
        stopped = error if isinstance(error, Stopped) else Stopped(signal.SIGINT)
        write_stderr(f"{stopped}\n")
        return stopped.exit_code
    except Exception as error:
        write_stderr(_unexpected(error))
    return 1


def _wants_traceback() -> bool:
    return os.environ.get(TRACEBACK_VARIABLE, "0") not in ("", "0")


def _unexpected(error: Exception) -> str:
    """What to say of an exception that nobody foresaw."""
    if _wants_traceback():
        return "".join(traceback.format_exception(error))
    text = " ".join(str(error).split()) or "no details"
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in text:
        return f"Error: not enough memory for this run ({text}); ask for fewer draws or paths, or a shorter history.\n"
    return (
        f"Error: {type(error).__name__}: {text}\n"
        f"This is a defect of {PROGRAM}. Please report it to the developers of {DISTRIBUTION}, with the command line "
        f"and with what it prints when the environment variable {TRACEBACK_VARIABLE} is set to 1.\n"
    )
