"""One run: from the words of the command line to the files, in CmdStan's order of events."""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from pathfinder_cli._arguments.grammar import Configuration
from pathfinder_cli._arguments.parse import Page, parse
from pathfinder_cli._commands.backend import available_cores, compilation_cache, start_jax
from pathfinder_cli._commands.loading import loading
from pathfinder_cli._console.streams import print_error_line, print_line, write_stdout
from pathfinder_cli._errors import UsageError
from pathfinder_cli._models.source import ModelOptions, ModelSource
from pathfinder_cli._outputs.atomic_files import check_writable
from pathfinder_cli._outputs.echo import configuration_lines
from pathfinder_cli._outputs.names import OutputNames, output_names
from pathfinder_cli._outputs.run_info import RunInfo


def run(words: Sequence[str], program: str, read_model: Callable[[], ModelSource]) -> int:
    """Answer a command line of a model, which mostly means to run it.

    Args:
        words: The words after the model.
        program: How the program was called, for help pages.
        read_model: Gives the model; called once the words are understood.

    Returns:
        The exit status.
    """
    parsed = parse(words, program=program, environ=os.environ, cores=available_cores())
    if isinstance(parsed, Page):
        write_stdout(parsed.text)
        return 0
    source = read_model()
    names = output_names(parsed)
    _check_resampling(parsed)
    info = RunInfo.now(parsed, source.model_name)
    options = _model_options(parsed, source, info.seed)
    # Here and below, since a command line that is wrong needs nothing of this.
    from pathfinder_cli._inputs.input_file import input_warnings, read_input_file
    from pathfinder_cli._models.kept_program import kept_program

    kept = kept_program(source, parsed.data.file, options, parsed.engine.precision, os.environ)
    is_known = kept is not None and kept.is_there
    if not is_known:
        source.module.check(source)
    for line in (*configuration_lines(parsed, seed=info.seed), ""):
        print_line(line)
    for warning in input_warnings(parsed.data.file):
        print_error_line(warning)
    data = None if is_known else read_input_file(parsed.data.file)
    _check_outputs(names)
    threads = parsed.num_threads if parsed.num_threads > 0 else available_cores()
    with loading():
        devices = start_jax(parsed.engine, threads)
        from pathfinder_cli._commands.fit import fit
        from pathfinder_cli._outputs.results import write_results

    with ExitStack() as stack:
        stack.enter_context(compilation_cache())
        stack.enter_context(source.module.running(source))
        if kept is not None:
            model = kept.model(data)
        else:
            assert data is not None
            model = source.module.bind(source, data, options)
        fitted = fit(model, parsed, info, names, devices)
        write_results(fitted, parsed, names, info)
    return 0


def _model_options(config: Configuration, source: ModelSource, seed: int) -> ModelOptions:
    simplex = config.engine.simplex if "engine.simplex" in config.given else source.simplex
    return ModelOptions(seed, simplex, config.engine.print)


def _check_resampling(config: Configuration) -> None:
    options = config.pathfinder
    available = options.num_paths * options.num_draws
    resamples = options.num_paths > 1 and options.psis_resample and options.calculate_lp
    if resamples and config.engine.resample == "without_replacement" and options.num_psis_draws > available:
        raise UsageError(
            f"Error: engine resample=without_replacement cannot choose num_psis_draws={options.num_psis_draws} of "
            f"num_paths * num_draws = {available} draws.\n"
        )


def _check_outputs(names: OutputNames) -> None:
    for name in names.all():
        check_writable(name)
