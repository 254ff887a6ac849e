"""The iterations of one path as JSON, one record each."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from pathfinder_cli._outputs.stan_json import stream_document


class ApproximationRecord(NamedTuple):
    """The normal approximation at a point; the letters are those of Zhang et al. (2022).

    Args:
        mean: Its mean, mu.
        log_det_cholesky: Log determinant of a Cholesky factor of its covariance.
        cholesky_factor: Upper triangular, of the covariance if `full`, else of the inner matrix.
        basis: Orthonormal columns, Q; empty if `full`.
        diagonal: Diagonal of the initial inverse Hessian, alpha.
        full: Whether the covariance was factored as a dense matrix.
    """

    mean: NDArray[np.float64]
    log_det_cholesky: float
    cholesky_factor: NDArray[np.float64]
    basis: NDArray[np.float64]
    diagonal: NDArray[np.float64]
    full: bool


class TrajectoryRecord(NamedTuple):
    """One iteration of a path.

    Args:
        iteration: Its number; 0 is the starting point, of which only the next two are written.
        position: The point on the unconstrained scale that this iteration arrived at.
        gradient: Gradient of the log density there (not of its negative).
        history_size: Number of update pairs in use.
        line_search_succeeded: Whether the optimiser made a step.
        approximation: The approximation at `position`; None if there is none.
        elbo: Its ELBO; NaN if there is none.
        note: What was reported by rejected evaluations.
        error: Why there is no approximation although the optimiser made a step.
    """

    iteration: int
    position: NDArray[np.float64]
    gradient: NDArray[np.float64]
    history_size: int = 0
    line_search_succeeded: bool = True
    approximation: ApproximationRecord | None = None
    elbo: float = float("nan")
    note: str = ""
    error: str = ""


def write_trajectory(file: TextIO, records: Iterable[TrajectoryRecord], sig_figs: int = -1) -> None:
    """Write the records of a path, beginning with the starting point.

    Args:
        file: Where to write.
        records: In the order of the iterations; may be a generator.
        sig_figs: Significant digits; -1 for CmdStan's default of 6.
    """
    members = ((str(record.iteration), dict(_members(record))) for record in records)
    file.writelines(stream_document(members, sig_figs))


def _members(record: TrajectoryRecord) -> Iterator[tuple[str, Any]]:
    yield "iter", record.iteration
    yield "unconstrained_parameters", record.position
    yield "grads", record.gradient
    if record.iteration == 0:
        return
    approximation = record.approximation
    yield "history_size", record.history_size
    yield "lbfgs_success", record.line_search_succeeded
    yield "pathfinder_success", approximation is not None
    if approximation is not None:
        yield "x_center", approximation.mean
        yield "logDetCholHk", approximation.log_det_cholesky
        yield "L_approx", approximation.cholesky_factor
        yield "Qk", approximation.basis
        yield "alpha", approximation.diagonal
        yield "full", approximation.full
    yield "lbfgs_note", record.note
    if approximation is None and record.line_search_succeeded:
        yield "pathfinder_error", record.error
    yield "ELBO", record.elbo
