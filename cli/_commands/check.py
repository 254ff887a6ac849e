"""`pathfinder check`: what a Stan program declares and calls, or what is wrong with it."""

import json
from collections.abc import Sequence

from pathfinder_cli._arguments.options import INCLUDE_PATHS, include_paths, listed, split_options, wants_help
from pathfinder_cli._console.streams import write_stdout
from pathfinder_cli._errors import UsageError
from pathfinder_cli._models import stan_program
from pathfinder_cli._models.source import ModelSource


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
    from pathfinder_cli._models.stan_info import program_info

    checked = stan_program.checked_program(source)
    stan_program.check_model(source)
    write_stdout(f"{json.dumps(program_info(checked, stan_program.included(source)), indent=2)}\n")
    return 0
