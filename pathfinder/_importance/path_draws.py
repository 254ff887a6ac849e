"""Draws of the approximations of paths, made again from their random keys whenever they are asked for."""

import dataclasses
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, UInt32

from pathfinder._arrays.devices import Devices
from pathfinder._arrays.streams import counted_keys, fold_in
from pathfinder._density.batch_sizes import scoring_batch_size
from pathfinder._density.compiled import CompiledDensity
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.scoring import draw_lanes
from pathfinder._settings import Settings


@dataclass(frozen=True)
class PathDraws:
    """Where the draws of one path come from: its approximation and its random keys.

    The first `num_elbo_draws` may come from the stream that chose the approximation.

    Args:
        approximations: One per lane, on the leading axis.
        draw_keys: Key of each lane's draws.
        elbo_keys: Key of the draws that chose each lane's approximation.
        num_reused: How many of the first draws come from `elbo_keys`; 0 unless they are reused.
        batch_size: Lanes per batch.
        draws_per_lane: Draws that one lane of a batch makes.
    """

    approximations: LowRankNormal
    draw_keys: UInt32[Array | np.ndarray, "path 2"]
    elbo_keys: UInt32[Array | np.ndarray, "path 2"]
    num_reused: int
    batch_size: int
    draws_per_lane: int

    @property
    def num_lanes(self) -> int:
        """Number of approximations."""
        return self.approximations.mean.shape[0]

    def lanes(
        self, paths: Int[np.ndarray, " lane"], indices: Int[np.ndarray, "lane draw"]
    ) -> tuple[LowRankNormal, UInt32[Array, "lane draw 2"]]:
        """The approximations of given paths, and the keys of given draws of each."""
        return _lanes(self.approximations, self.draw_keys, self.elbo_keys, paths, indices, num_reused=self.num_reused)

    def of_lanes(self, lanes: slice) -> "PathDraws":
        """The same for some of the lanes."""
        approximations, draw_keys, elbo_keys = jax.tree_util.tree_map(
            lambda leaf: leaf[lanes], (self.approximations, self.draw_keys, self.elbo_keys)
        )
        return dataclasses.replace(self, approximations=approximations, draw_keys=draw_keys, elbo_keys=elbo_keys)

    def positions(self, paths: Int[np.ndarray, " n"], indices: Int[np.ndarray, " n"]):
        """Make draws from their keys, in batches.

        Args:
            paths: The path (lane) of each draw.
            indices: The number of each draw within its path.

        Yields:
            Pairs of rows (which of the n draws) and their unconstrained vectors.
        """
        for rows, used, own, keys in self.batches(paths, indices):
            yield rows[used], np.asarray(draw_lanes(own, keys)[0])[used]

    def batches(self, paths: Int[np.ndarray, " n"], indices: Int[np.ndarray, " n"]):
        """Pack draws into lanes of one size and batches of one size.

        Args:
            paths: The path (lane) of each draw.
            indices: The number of each draw within its path.

        Yields:
            For each lane of a batch its rows (which of the n draws) and which of these are in use, the others being
            there for the shape; and the approximations and keys, as `draw_lanes` and `score_lanes` take them.
        """
        table, used = _packed(paths, self.draws_per_lane)
        for first in range(0, len(table), self.batch_size):
            chosen = np.arange(first, first + self.batch_size)
            within = chosen < len(table)
            chosen = np.where(within, chosen, first)
            rows = table[chosen]
            yield rows, used[chosen] & within[:, None], *self.lanes(paths[rows[:, 0]], indices[rows])


@partial(jax.jit, static_argnames="num_reused")
def _lanes(approximations, draw_keys, elbo_keys, paths, indices, *, num_reused):
    def key(path, index):
        own = fold_in(draw_keys[path], index)
        if num_reused == 0:
            return own
        return jnp.where(index < num_reused, fold_in(elbo_keys[path], index), own)

    keys = jax.vmap(lambda path, row: jax.vmap(lambda index: key(path, index))(row))(paths, indices)
    return jax.tree_util.tree_map(lambda leaf: leaf[paths], approximations), keys


def _packed(paths: Int[np.ndarray, " n"], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows packed into lanes of one path each, and which entries are in use; the others repeat the first."""
    order = np.argsort(paths, kind="stable")
    _, first, counts = np.unique(paths[order], return_index=True, return_counts=True)
    lanes = -(-counts // width)
    within_path = np.arange(len(order)) - np.repeat(first, counts)
    lane = np.repeat(np.cumsum(lanes) - lanes, counts) + within_path // width
    table = np.full((lanes.sum(), width), -1)
    table[lane, within_path % width] = order
    used = table >= 0
    return np.where(used, table, table[:, :1]), used


def path_draws(
    density: CompiledDensity,
    approximations: LowRankNormal,
    draw_keys: UInt32[Array | np.ndarray, "path 2"],
    elbo_keys: UInt32[Array | np.ndarray, "path 2"],
    best_iteration: Int[np.ndarray, " path"],
    settings: Settings,
    devices: Devices,
) -> PathDraws:
    """The source of the draws of all lanes of a fit; `elbo_keys` are the keys that `run_paths` was given."""
    return PathDraws(
        approximations=approximations,
        draw_keys=draw_keys,
        elbo_keys=counted_keys(elbo_keys, np.maximum(best_iteration, 0)),
        num_reused=min(settings.num_elbo_draws, settings.num_draws) if settings.reuse_elbo_draws else 0,
        batch_size=scoring_batch_size(density, settings, devices),
        draws_per_lane=settings.num_elbo_draws,
    )
