"""`pathfinder check`: what a Stan program declares and calls, or what is wrong with it."""

import json
from collections.abc import Sequence

from . import _stan_model
from ._compile import split_include_paths
from ._models import ModelSource
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
    if any(word in ("-h", "--help", "help") for word in words):
        write_stdout(HELP)
        return 0
    others, include_paths = split_include_paths(words)
    if len(others) != 1 or others[0].startswith("-") or not others[0].endswith(".stan"):
        raise UsageError(f"Error: pathfinder check takes one Stan program.\n\n{HELP}")
    source = ModelSource.read(others[0], include_paths)
    from ._stan_info import program_info

    checked = _stan_model.checked_program(source)
    _stan_model.check_model(source)
    write_stdout(f"{json.dumps(program_info(checked, _stan_model.included(source)), indent=2)}\n")
    return 0
