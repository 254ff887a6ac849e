"""The files of a run, in CmdStan's layout.

Each file appears complete or not at all, the one of the draws last: where it is, all are.
"""

import dataclasses
from typing import Any

import numpy as np

from pathfinder import PathfinderResult
from pathfinder._variables import flatten_draws
from pathfinder_cli._arguments.grammar import Configuration
from pathfinder_cli._outputs.atomic_files import atomic_file
from pathfinder_cli._outputs.csv import (
    NUM_CHAINS,
    write_comments,
    write_diagnostics,
    write_draws,
    write_multi_timing,
    write_single_timing,
)
from pathfinder_cli._outputs.echo import configuration_document, header_lines
from pathfinder_cli._outputs.fitted import Fitted
from pathfinder_cli._outputs.names import OutputNames
from pathfinder_cli._outputs.run_info import RunInfo
from pathfinder_cli._outputs.stan_json import json_document
from pathfinder_cli._outputs.trajectory import write_trajectory
from pathfinder_cli._outputs.trajectory_records import trajectory_records


def write_results(fitted: Fitted, config: Configuration, names: OutputNames, info: RunInfo) -> None:
    """Write all files.

    Raises:
        OutputError: If one cannot be written.
    """
    writer = _Writer(fitted, config, info)
    for path, name in enumerate(names.path_draws):
        writer.path_draws(path, name)
    for path, name in enumerate(names.trajectories):
        writer.trajectory(path, name)
    if names.configuration is not None:
        writer.configuration(names.configuration)
    if names.report is not None:
        writer.report(names.report)
    writer.draws(names.draws)


_UNASSIGNED = np.iinfo(np.int32).min


class _Writer:
    def __init__(self, fitted: Fitted, config: Configuration, info: RunInfo):
        self._fitted = fitted
        result = self._result = fitted.result
        self._config = config
        self._info = info._asdict()
        self._columns = ["lp_approx__", "lp__", *result.model.columns()]
        self._sig_figs = config.output.sig_figs

    def draws(self, name: str) -> None:
        """The draws of the run."""
        result = self._result
        matrix = _matrix(result)
        with atomic_file(name) as file:
            self._write(file, matrix, result.path_ids)
            if result.settings.calculate_lp:
                write_diagnostics(file, _diagnostics(result), result.reliability, sig_figs=self._sig_figs)
            if result.is_resampled:
                write_multi_timing(file, result.seconds["total"], self._fitted.psis_seconds)
            elif len(result.paths) > 1:
                write_multi_timing(file, result.seconds["total"], None)
            else:
                write_single_timing(file, result.seconds["total"])

    def path_draws(self, path: int, name: str) -> None:
        """All draws of one path."""
        rows = np.flatnonzero(self._result.pool.paths == path)
        own = dataclasses.replace(self._result, rows=rows, is_resampled=False, uses_chains=False)
        with atomic_file(name) as file:
            self._write(file, _matrix(own), own.path_ids)
            write_single_timing(file, self._result.seconds["total"])

    def trajectory(self, path: int, name: str) -> None:
        """The iterations of one path."""
        records = trajectory_records(self._result.paths[path], self._config.pathfinder.history_size)
        with atomic_file(name) as file:
            write_trajectory(file, records, self._sig_figs)

    def configuration(self, name: str) -> None:
        """The configuration as JSON."""
        document = configuration_document(self._config, **self._info)
        with atomic_file(name) as file:
            file.writelines(json_document(document, self._sig_figs))

    def report(self, name: str) -> None:
        """The page of HTML."""
        from pathfinder._results.report_page import report_page  # for those who want one

        with atomic_file(name) as file:
            file.write(report_page(self._result, first_id=self._config.id))

    def _write(self, file: Any, matrix: np.ndarray, paths: np.ndarray) -> None:
        write_comments(file, header_lines(self._config, **self._info))
        write_draws(file, self._columns, matrix, paths=self._config.id + paths, sig_figs=self._sig_figs)


def _diagnostics(result: PathfinderResult) -> dict[str, float]:
    """What tells how far the draws can be trusted: of the weights that they were chosen by, or of the chains."""
    chains = result.chains if result.uses_chains else None
    if chains is None:
        return {"pareto_k": result.pareto_k, "effective_sample_size": result.effective_sample_size}
    return {
        NUM_CHAINS: chains.num_chains,
        "num_superchains": chains.num_superchains,
        "nested_rhat": chains.nested_rhat,
        "effective_sample_size": chains.effective_sample_size,
    }


def _matrix(result: PathfinderResult) -> np.ndarray:
    """The densities and the variables of the draws, one row each."""
    if not result.num_draws:
        return np.zeros((0, 2 + len(result.model.columns())))
    values = flatten_draws(result.model.variables, {name: _real(draws) for name, draws in result.draws.items()})
    return np.column_stack([result.log_q, result.log_p, values]).astype(np.float64)


def _real(draws: np.ndarray) -> np.ndarray:
    """Draws as CmdStan writes them: NaN for integers that a Stan program left unassigned because it rejected them."""
    return np.where(draws == _UNASSIGNED, np.nan, draws) if draws.dtype.kind == "i" else draws
