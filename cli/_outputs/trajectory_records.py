"""The iterations of a path, from the engine's terms to those of CmdStan's trajectory files."""

from collections.abc import Iterator

import numpy as np

from pathfinder import LowRankNormal, PathResult
from pathfinder._normals.inverse_hessian import has_curvature
from pathfinder_cli._outputs.trajectory import ApproximationRecord, TrajectoryRecord


def trajectory_records(path: PathResult, history_size: int) -> Iterator[TrajectoryRecord]:
    """One record per iteration, beginning with the starting point.

    Args:
        path: A path whose trajectory was kept.
        history_size: Number of update pairs that an approximation may use.
    """
    position, gradient = path.initial_position, path.initial_gradient
    if not (np.isfinite(path.initial_log_density) and np.all(np.isfinite(gradient))):
        return
    yield TrajectoryRecord(0, position, gradient)
    trajectory = path.trajectory
    if trajectory is None:
        return
    num_pairs = _num_pairs(np.vstack([position, trajectory.position]), np.vstack([gradient, trajectory.gradient]))
    for row, iteration in enumerate(path.iterations.iteration):
        if iteration == 0:  # an approximation at the starting point, where the gradient is zero
            continue
        approximation = _record(trajectory.approximations, row)
        yield TrajectoryRecord(
            iteration=int(iteration),
            position=trajectory.position[row],
            gradient=trajectory.gradient[row],
            history_size=min(int(num_pairs[row]), history_size),
            approximation=approximation,
            elbo=float(path.iterations.elbo[row]),
            error="" if approximation else "The inverse Hessian could not be factored.",
        )


def _num_pairs(positions: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """How many of the differences up to each point have curvature; the others enter no approximation."""
    with np.errstate(all="ignore"):
        return np.cumsum(has_curvature(np.diff(positions, axis=0), np.diff(-gradients, axis=0)))


def _record(normals: LowRankNormal, row: int) -> ApproximationRecord | None:
    scale, core = np.asarray(normals.scale[row]), np.asarray(normals.core[row])
    if not np.all(np.isfinite(core)):
        return None
    full = normals.basis is None
    return ApproximationRecord(
        mean=np.asarray(normals.mean[row]),
        log_det_cholesky=float(np.sum(np.log(scale)) + np.sum(np.log(np.diagonal(core)))),
        cholesky_factor=(scale[:, None] * core if full else core).T,
        basis=np.zeros((0, 0)) if normals.basis is None else np.asarray(normals.basis[row]),
        diagonal=scale**2,
        full=full,
    )
