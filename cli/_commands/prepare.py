"""Programs compiled before they are run, for data that are known from a run before."""

import os
import sys

from pathfinder._cache.folders import JAX_VARIABLE, models_folder
from pathfinder_cli._arguments.grammar import Engine
from pathfinder_cli._commands.backend import start_jax
from pathfinder_cli._console.streams import write_stdout
from pathfinder_cli._errors import InputError, RunError
from pathfinder_cli._models.known_runs import KnownRun, KnownRuns
from pathfinder_cli._models.source import ModelOptions, ModelSource


def prepare(source: ModelSource) -> None:
    """Compile a Stan program for the data of the last runs, or without any if it takes none, and say what was done.

    A program is traced with data, whose sizes and often values it is made of: before any are known, it is checked and
    nothing can be compiled.
    """
    folder = models_folder(sys.platform, os.environ)
    if folder is None:
        write_stdout(f"Nothing is compiled before the first run, since {JAX_VARIABLE} is empty.\n")
        return
    runs = KnownRuns(source, folder).all() or [KnownRun("", source.simplex, "double")]
    prepared = [run for run in runs if run.simplex == source.simplex and _prepared(source, run)]
    for run in prepared:
        write_stdout(f"Compiled for {run.data_file or 'a run without data'}; runs with such data will start fast.\n")
    if not prepared:
        write_stdout("No data are known from a run of this program before: the first run will compile it.\n")


def _prepared(source: ModelSource, run: KnownRun) -> bool:
    """Compile what a run needs; tells whether that is kept now."""
    from pathfinder_cli._inputs.input_file import read_input_file
    from pathfinder_cli._models.kept_program import kept_program

    kept = kept_program(source, run.data_file, ModelOptions(simplex=run.simplex), run.precision, os.environ)
    if kept is None:
        return False
    start_jax(Engine(precision=run.precision), 1)
    from pathfinder._fitting.prepare import compile_for_fits

    try:
        with source.module.running(source):
            compile_for_fits(kept.model(read_input_file(run.data_file)))
    except (InputError, RunError):
        return False  # a run will tell
    return kept.is_there
