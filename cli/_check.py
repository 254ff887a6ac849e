"""`pathfinder check`: what a Stan program declares and calls, or what is wrong with it."""

import json
from collections.abc import Sequence

from . import _stan_model
from ._models import ModelSource
from ._options import INCLUDE_PATHS, include_paths, listed, split_options, wants_help
from ._streams import write_stdout
from ._usage_error import UsageError


HELP = """\
Usage: pathfinder check MODEL.stan [--include-paths FOLDER,...]

Check a Stan program without data, and print its variables, the functions and distributions that it
uses and the files that it includes as JSON, in the form of stanc's option --info. Warnings and
errors are printed on stderr.
"""


def main(words: Sequence[str]) -> int:
    """Run the command with the words after its name."""
    if wants_help(words):
        write_stdout(HELP)
        return 0
    models, options = split_options("check", words, INCLUDE_PATHS, HELP)
    if len(models) != 1:
        raise UsageError(f"Error: pathfinder check takes one Stan program{listed(models)}.\n\n{HELP}")
    source = ModelSource.read_stan("check", models[0], include_paths(options))
    from ._stan_info import program_info

    checked = _stan_model.checked_program(source)
    _stan_model.check_model(source)
    write_stdout(f"{json.dumps(program_info(checked, _stan_model.included(source)), indent=2)}\n")
    return 0
