"""`pathfinder compile`: a model as an executable, called as CmdStan's executables are.

The executable is a short Python script for the interpreter that made it. It holds the text of the
model, so that it goes on running the program it was made of, as a compiled one would, whatever
becomes of the model's file; and the name of that file, for messages and for what the model
imports from its folder.
"""

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from pathfinder._close_names import did_you_mean
from pathfinder_cli._arguments.options import (
    INCLUDE_PATHS,
    include_paths,
    listed,
    only_value,
    split_options,
    wants_help,
)
from pathfinder_cli._commands.prepare import prepare
from pathfinder_cli._console.streams import write_stdout
from pathfinder_cli._errors import RunError, UsageError
from pathfinder_cli._models.source import ModelSource
from pathfinder_cli._outputs.atomic_files import OutputError, atomic_file


HELP = """\
Usage: pathfinder compile MODEL [-o NAME] [--include-paths FOLDER,...] [--simplex=stick_breaking]

Write an executable that runs MODEL. It takes the arguments of CmdStan's executables, for instance
    ./bernoulli pathfinder num_paths=8 data file=bernoulli.data.json output file=draws.csv
and works as the exe_file of CmdStanPy's CmdStanModel. Without -o it has the name of MODEL without
its suffix, in the same folder. It holds the text of MODEL: compile again after changing it. What a
Stan program includes is looked for in its folder, then in those of --include-paths, and held too.
A Stan program that was run before is compiled for the data of its last runs.
With --simplex=stick_breaking the executable unconstrains simplexes as Stan did until version 2.36.
"""
_SIMPLEXES = ("ilr", "stick_breaking")
_LONGEST_SHEBANG = 127  # of Linux before 5.1


def main(words: Sequence[str]) -> int:
    """Run the command with the words after its name."""
    if wants_help(words):
        write_stdout(HELP)
        return 0
    models, options = split_options("compile", words, {"-o": "", **INCLUDE_PATHS, "--simplex": ""}, HELP)
    if len(models) != 1:
        raise UsageError(f"Error: pathfinder compile takes one model{listed(models)}.\n\n{HELP}")
    model = models[0]
    name, simplex = (only_value("compile", option, options[option], HELP) for option in ("-o", "--simplex"))
    if simplex not in (None, *_SIMPLEXES):
        question = did_you_mean(simplex, _SIMPLEXES) or "."
        raise UsageError(f"Error: --simplex={simplex}: give {' or '.join(_SIMPLEXES)}{question}\n\n{HELP}")
    if simplex == "stick_breaking" and not model.endswith(".stan"):
        raise UsageError(f"Error: --simplex is for Stan programs, which {model} is not.\n\n{HELP}")
    source = ModelSource.read(model, include_paths(options), simplex or _SIMPLEXES[0])
    source.module.check(source)
    with source.module.running(source):
        source.module.check_model(source)
    target = name or os.path.join(os.path.dirname(model), source.stem)
    write_executable(source, target, sys.executable)
    if model.endswith(".stan"):
        prepare(source)
    return 0


def write_executable(source: ModelSource, target: str, interpreter: str) -> None:
    """Write the executable of a model.

    Args:
        source: The model.
        target: File to write.
        interpreter: Path of the Python interpreter to run it with.

    Raises:
        OutputError: If it cannot be written.
        RunError: If it would replace the model.
    """
    if os.path.exists(target) and os.path.samefile(target, source.path):
        raise RunError(f'Error: "{target}" is the model itself; give another name with -o.')
    with atomic_file(target) as file:
        file.write(_script(source, interpreter))
    try:
        mode = stat.S_IMODE(os.stat(target).st_mode)
        os.chmod(target, mode | (mode & 0o444) >> 2)  # whoever may read may execute
    except OSError as error:
        raise OutputError(target, f"cannot be made executable: {error.strerror}") from error


def _script(source: ModelSource, interpreter: str) -> str:
    path = str(Path(source.path).absolute())
    included = source.module.included(source)
    texts = f"INCLUDED = {included!a}\n" if included else ""
    arguments = "PATH, TEXT" + (", included=INCLUDED" if included else "")
    if source.simplex != "ilr":
        arguments += f", simplex={source.simplex!r}"
    return f"""\
{_shebang(interpreter)}
# An executable model, made by `pathfinder compile`.

import sys

from pathfinder_cli import run_executable


PATH = {ascii(path)}
TEXT = {source.text!r}
{texts}
if __name__ == "__main__":
    sys.exit(run_executable({arguments}))
"""


def _shebang(interpreter: str) -> str:
    if len(interpreter) <= _LONGEST_SHEBANG - 2 and not any(c.isspace() for c in interpreter):
        return f"#!{interpreter}"
    # The kernel would cut the line at a blank, or when it is too long; the shell reads the same lines another way.
    quoted = interpreter.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
    return f"#!/bin/sh\n'''exec' \"{quoted}\" \"$0\" \"$@\"\n' '''"
