"""The fit of a run: what the engine is given, and what is printed of it."""

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

from pathfinder import Model, PathfinderError, PathfinderResult, Settings, Status
from pathfinder._draws.verdict import chains_in_words
from pathfinder._fitting.fit import fit_model
from pathfinder_cli._arguments.grammar import Configuration
from pathfinder_cli._console import texts
from pathfinder_cli._console.progress import PathPrinter
from pathfinder_cli._console.streams import print_error_line, print_line
from pathfinder_cli._errors import RunError
from pathfinder_cli._inputs.inits import Inits, read_inits
from pathfinder_cli._outputs.fitted import Fitted
from pathfinder_cli._outputs.names import OutputNames
from pathfinder_cli._outputs.run_info import RunInfo


MOST_DIMENSIONS_DRAWN = 1000


def fit(model: Model, config: Configuration, info: RunInfo, names: OutputNames, devices: Sequence[Any]) -> Fitted:
    """Fit a model and print the progress.

    Args:
        model: The model with its data.
        config: The configuration.
        info: The run, for its seed.
        names: The files to be written, which say whether trajectories are wanted.
        devices: The JAX devices to compute on.

    Raises:
        UsageError: If a file of initial values is missing.
        InputError: If such a file cannot be read.
        RunError: If no path succeeds, or an option is not possible for this model.
    """
    options = config.pathfinder
    inits = read_inits(config, model, print_error_line)
    if options.num_psis_draws > options.num_draws * options.num_paths:
        print_line(texts.more_psis_draws_than_draws())
    printer = PathPrinter(
        options.num_paths,
        first_id=config.id,
        refresh=config.output.refresh,
        num_elbo_draws=options.num_elbo_draws,
        init_failures=inits.failures,
        radius=config.init.radius,
        num_attempts=inits.points.max_tries.tolist(),
        out=print_line,
        error=print_error_line,
    )
    if config.engine.chains == "auto" and not config.engine.refine:
        print_line(texts.chains_need_refinement())
    begin = time.perf_counter()
    try:
        if len(inits.failures) == options.num_paths:
            raise PathfinderError("", [Status.INITIALIZATION_FAILED] * options.num_paths)
        result = fit_model(
            model,
            inits.points,
            info.seed,
            _settings(config, names, model),
            devices=devices,
            driver=config.engine.driver,
            begin=begin,
            max_time=config.engine.time_limit,
            progress=config.engine.progress,
            report=printer.update,
            first_path=config.id - 1,
        )
    except PathfinderError as error:
        printer.finish(error.statuses)
        if options.num_paths > 1:
            print_line(texts.no_path_succeeded())
        raise RunError(_failure(error, inits, config.id)) from error
    except ValueError as error:
        raise RunError(f"Error: {error}") from error
    if not (result.settings.resamples_paths or result.uses_chains):
        result = result.weighted()  # CmdStan's files hold every draw once, with the densities to weigh it by
    psis_seconds = time.perf_counter() - begin - result.seconds["total"]
    printer.finish([path.status for path in result.paths])
    _print_end(result, config)
    return Fitted(result, psis_seconds)


def _settings(config: Configuration, names: OutputNames, model: Model) -> Settings:
    # Positions and approximations of all iterations: for a picture of two parameters only where they are few.
    draws_paths = names.report is not None and model.dim <= MOST_DIMENSIONS_DRAWN
    options = dataclasses.asdict(config.pathfinder)
    del options["save_single_paths"]
    engine = config.engine
    return Settings(
        **options,
        weights=engine.weights,
        resample=engine.resample,
        optimizer=engine.optimizer,
        schedule=engine.schedule,
        refine=engine.refine,
        chains=engine.chains,
        max_chain_gradients=engine.max_chain_gradients,
        save_trajectory=bool(names.trajectories) or draws_paths,
    )


def _print_end(result: PathfinderResult, config: Configuration) -> None:
    if result.interrupted:
        cut = sum(path.status in (Status.INTERRUPTED, Status.INTERRUPTED_AT_START) for path in result.paths)
        what = "the refinement" if result.refinement else f"{cut} of {len(result.paths)} paths"
        what = what if result.chain_budget is None else "the chains"
        print_line(f"Warning: engine time_limit={config.engine.time_limit:g} ended {what} early.")
    if config.output.refresh and len(result.paths) > 1:
        print_line(texts.total_evaluations(result.num_gradients + result.num_densities))
    said = chains_in_words(result.chains, result.chain_budget, result.settings, interrupted=result.interrupted)
    if said:
        print_line(said)
    if result.chains is None and result.is_resampled and result.pareto_k > result.pareto_k_threshold:
        print_line(texts.pareto_k_warning(result.pareto_k, result.pareto_k_threshold))
    if result.settings.calculate_lp and (config.output.refresh or not result.is_reliable):
        print_line(result.reliability)


def _failure(error: PathfinderError, inits: Inits, first_id: int) -> str:
    """Why no path succeeded, path by path; nothing of those whose initial values have been reported."""
    if all(status.succeeded for status in error.statuses):
        return f"Error: {error}"
    reasons: dict[str, list[str]] = {}
    for path, reason in enumerate(error.reasons):
        if path not in inits.failures:
            reasons.setdefault(reason, []).append(str(first_id + path))
    lines = [f"  path {', '.join(paths)}: {reason}" for reason, paths in reasons.items()]
    return "\n".join(["Error: no path produced an approximation.", *lines])
