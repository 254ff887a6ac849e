"""What the iterations of the lanes were, as tables."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Int

from pathfinder._arrays.namespace import rows, stacked_rows
from pathfinder._normals.elbo import ElboEstimate
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._optimizer.state import Records
from pathfinder._paths.outcomes import Iterations, Trajectory


class PathTables:
    """The tables of iterations of lanes, and their trajectories, made chunk by chunk."""

    def __init__(self, num_lanes: int):
        self.iterations: list[list[Iterations]] = [[] for _ in range(num_lanes)]
        self.trajectories: list[list[Trajectory]] = [[] for _ in range(num_lanes)]

    def add(
        self,
        records: Records,
        lanes: Int[np.ndarray, " iterate"],
        places: Int[np.ndarray, " iterate"],
        elbo: ElboEstimate,
        stalled_at: Int[np.ndarray, " lane"],
    ) -> list[Iterations]:
        """Take in recorded iterates with their ELBOs, up to the one at which a lane stalled.

        Returns:
            The rows of each lane that are new.
        """
        trace = records.trace
        columns = [
            np.asarray(column)[lanes, places]
            for column in (
                trace.iteration, trace.log_density, trace.step_norm, trace.gradient_norm, trace.alpha,
                trace.first_alpha, trace.num_gradients, trace.was_reset,
            )
        ]  # fmt: skip
        table = Iterations(*[*columns, *elbo])
        counts = (stalled_at[lanes] < 0) | (table.iteration <= stalled_at[lanes])
        ends = np.searchsorted(lanes[counts], np.arange(len(self.iterations) + 1))
        table = rows(table, counts)
        added = [rows(table, slice(begin, end)) for begin, end in pairwise(ends)]
        for lane, own in enumerate(added):
            self.iterations[lane].append(own)
        return added

    def add_trajectory(self, records: Records, normals: LowRankNormal, lanes: np.ndarray, places: np.ndarray) -> None:
        """Take in the best approximations of some iterates."""
        positions = np.asarray(records.trace.position[lanes, places])
        gradients = -np.asarray(records.trace.gradient[lanes, places])
        for number, lane in enumerate(lanes):
            self.trajectories[lane].append(Trajectory(positions[number], gradients[number], rows(normals, number)))

    def trajectory(self, lane: int) -> Trajectory | None:
        """The positions and approximations of the iterations in the table of a lane; None if there are none."""
        kept = self.trajectories[lane][: sum(len(part.iteration) for part in self.iterations[lane])]
        if not kept:
            return None
        return stacked_rows(kept)
