"""The approximations of every path with the highest ELBO estimates so far."""

from __future__ import annotations

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from pathfinder._arrays.namespace import Array, jit_unless_numpy, namespace, nan_rows, put, rows, select
from pathfinder._normals.low_rank import LowRankNormal


class Finalists:
    """The best approximations of each lane, on the device, with what the host knows about them.

    They depend on the order in which approximations of the same lane are offered, and on nothing else.

    Args:
        num_lanes: Lanes.
        num_slots: Approximations kept for each.
    """

    def __init__(self, num_lanes: int, num_slots: int):
        self.elbo: Float[np.ndarray, "lane slot"] = np.full((num_lanes, num_slots), -np.inf)
        self.iteration: Int[np.ndarray, "lane slot"] = np.full((num_lanes, num_slots), -1)
        self._normals: LowRankNormal | None = None  # lane l, slot s is row l * num_slots + s

    def offer(self, normals: LowRankNormal, lanes, elbos, iterations) -> None:
        """Take in those of a batch that beat the lowest kept of their lane.

        Args:
            normals: The batch, on the leading axis.
            lanes: Lane of each of the first ones; the rest is padding.
            elbos: Their ELBO estimates.
            iterations: Their iterations.
        """
        num_slots = self.elbo.shape[1]
        source = np.zeros(self.elbo.size, np.int64)
        replace = np.zeros(self.elbo.size, bool)
        for position, (lane, elbo) in enumerate(zip(lanes, elbos, strict=True)):
            own = self.elbo[lane].tolist()
            slot = own.index(min(own))
            # Ties stay with the earlier one, so that how iterates are cut into batches cannot change the choice.
            if elbo > self.elbo[lane, slot]:
                self.elbo[lane, slot] = elbo
                self.iteration[lane, slot] = iterations[position]
                source[lane * num_slots + slot], replace[lane * num_slots + slot] = position, True
        if self._normals is None:
            # Made here and not when the path begins: the shapes of factors follow from the first batch.
            self._normals = nan_rows(normals, count=self.elbo.size)
        if replace.any():
            self._normals = _replaced(self._normals, normals, source, replace)

    def take(self, lanes: Int[np.ndarray, " n"], slots: Int[np.ndarray, " n"]) -> LowRankNormal:
        """Some of them, on the leading axis; there must have been an offer."""
        assert self._normals is not None
        return rows(self._normals, lanes * self.elbo.shape[1] + slots)

    @property
    def best(self) -> LowRankNormal | None:
        """That with the highest estimate of each lane, NaN where there is none; None before the first offer."""
        if self._normals is None or self.elbo.shape[1] == 1:
            return self._normals
        return self.take(np.arange(len(self.elbo)), np.argmax(self.elbo, axis=1))


@jit_unless_numpy()
def _replaced(
    kept: LowRankNormal, batch: LowRankNormal, source: Int[Array, " row"], replace: Bool[Array, " row"]
) -> LowRankNormal:
    if namespace(kept, batch) is np:
        # Few of many rows: those of all lanes would be copied for every batch.
        places = np.flatnonzero(replace)
        return jax.tree_util.tree_map(lambda leaf, new: put(leaf, places, new[source[places]]), kept, batch)
    return select(replace, rows(batch, source), kept)
