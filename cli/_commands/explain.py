"""`pathfinder explain`: how the loops of a Stan program are compiled."""

from collections.abc import Sequence

from pathfinder_cli._arguments.options import INCLUDE_PATHS, include_paths, split_options, wants_help
from pathfinder_cli._arguments.parse import Page, parse
from pathfinder_cli._commands.backend import start_jax
from pathfinder_cli._console.streams import write_stdout
from pathfinder_cli._errors import UsageError
from pathfinder_cli._inputs.input_file import read_input_file
from pathfinder_cli._models import stan_program
from pathfinder_cli._models.source import ModelSource


HELP = """\
Usage: pathfinder explain MODEL.stan [data file=DATA] [--include-paths FOLDER,...]

Tell for each loop of a Stan program whether its iterations run all at once, one after another, or
one after another with each compiled, which is slow to compile, and why not in a faster way.
"""


def main(words: Sequence[str]) -> int:
    """Run the command with the words after its name."""
    if wants_help(words):
        write_stdout(HELP)
        return 0
    others, options = split_options("explain", words, INCLUDE_PATHS, HELP)
    if not others:
        raise UsageError(f"Error: pathfinder explain takes a Stan program, but none was given.\n\n{HELP}")
    model, *arguments = others
    config = parse(["pathfinder", *arguments], program=f"pathfinder explain {model}")
    if isinstance(config, Page):
        write_stdout(HELP)
        return 0
    source = ModelSource.read_stan("explain", model, include_paths(options))
    start_jax(config.engine, 1)
    with stan_program.running(source):
        write_stdout(f"{stan_program.explained(source, read_input_file(config.data.file))}\n")
    return 0
