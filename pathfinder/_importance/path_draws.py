"""Draws of the approximations of paths, made again from their random keys whenever they are asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.devices import Devices, on_host
from pathfinder._arrays.namespace import Array, jit_unless_numpy, namespace, rows
from pathfinder._arrays.streams import counted_keys, fold_in
from pathfinder._density.batch_sizes import scoring_batch_size
from pathfinder._density.either import Density
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.normal import Normal
from pathfinder._normals.scoring import draw_lanes
from pathfinder._normals.student_t import Distribution, NormalOrT
from pathfinder._settings import Settings


# On the host, draws of a lane, which are made by one product of matrices, and numbers of a batch, few enough to stay in
# the cache from the noise to the density of the mixture.
HOST_DRAWS = 128
HOST_NUMBERS = 2**18


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

    approximations: Distribution
    draw_keys: UInt32[Array, "path 2"]
    elbo_keys: UInt32[Array, "path 2"]
    num_reused: int
    batch_size: int
    draws_per_lane: int

    @property
    def num_lanes(self) -> int:
        """Number of approximations."""
        return self.approximations.mean.shape[0]

    @property
    def dim(self) -> int:
        """Numbers of a draw."""
        return self.approximations.dim

    def approximation_of(self, lane: Any) -> Normal:
        """The normal of one lane, in arrays of NumPy; of a Student's t that which has its location and scale."""
        own = self.distribution_of(lane)
        return own.normal if isinstance(own, NormalOrT) else own

    def distribution_of(self, lane: Any) -> Distribution:
        """What the draws of one lane come from, in arrays of NumPy."""
        return on_host(rows(self.approximations, int(lane)))

    def lanes(
        self, paths: Int[np.ndarray, " lane"], indices: Int[np.ndarray, "lane draw"]
    ) -> tuple[Distribution, UInt32[Array, "lane draw 2"]]:
        """The approximations of given paths, and the keys of given draws of each."""
        return _lanes(self.approximations, self.draw_keys, self.elbo_keys, paths, indices, num_reused=self.num_reused)

    def of_lanes(self, lanes: slice) -> PathDraws:
        """The same for some of the lanes."""
        approximations, draw_keys, elbo_keys = rows((self.approximations, self.draw_keys, self.elbo_keys), lanes)
        return dataclasses.replace(self, approximations=approximations, draw_keys=draw_keys, elbo_keys=elbo_keys)

    def with_keys(self, keys: UInt32[Array, "path 2"]) -> PathDraws:
        """The same approximations with other keys of each lane's draws."""
        return dataclasses.replace(self, draw_keys=keys, num_reused=0)

    def positions(self, paths: Int[np.ndarray, " n"], indices: Int[np.ndarray, " n"]):
        """Make draws from their keys, in batches.

        Args:
            paths: The path (lane) of each draw.
            indices: The number of each draw within its path.

        Yields:
            Pairs of rows (which of the n draws) and their unconstrained vectors.
        """
        for numbers, used, own, keys in self.batches(paths, indices):
            yield numbers[used], np.asarray(draw_lanes(own, keys)[0])[used]

    def batches(self, paths: Int[np.ndarray, " n"], indices: Int[np.ndarray, " n"]):
        """Pack draws into lanes of one size and batches of one size.

        Args:
            paths: The path (lane) of each draw.
            indices: The number of each draw within its path.

        Yields:
            For each lane of a batch its rows (which of the n draws) and which of these are in use, the others being
            there for the shape; and the approximations and keys, as `draw_lanes` takes them.
        """
        table, used = _packed(paths, self.draws_per_lane)
        is_compiled = namespace(self.approximations) is not np
        for first in range(0, len(table), self.batch_size):
            chosen = np.arange(first, first + self.batch_size)
            within = chosen < len(table)
            # Only programs that are compiled need batches of one size.
            chosen, within = (
                (np.where(within, chosen, first), within) if is_compiled else (chosen[within], within[within])
            )
            numbers = table[chosen]
            yield numbers, used[chosen] & within[:, None], *self.lanes(paths[numbers[:, 0]], indices[numbers])


@dataclass(frozen=True)
class MixedDraws:
    """Where draws come from if the approximations have several forms.

    Args:
        parts: The lanes of each form.
        part_of: By the number of a lane, which part it is in.
        place_in: By the number of a lane, its number in that part.
    """

    parts: tuple[PathDraws, ...]
    part_of: Int[np.ndarray, " lane"]
    place_in: Int[np.ndarray, " lane"]

    @classmethod
    def of(cls, sources: Sequence[PathDraws], part_of: Int[np.ndarray, " lane"]) -> MixedDraws:
        """From the sources of the parts, in which lanes have the order that they have here."""
        place_in = np.empty(len(part_of), np.int64)
        for part in range(len(sources)):
            place_in[part_of == part] = np.arange(np.sum(part_of == part))
        return cls(tuple(sources), part_of, place_in)

    @property
    def num_lanes(self) -> int:
        """Number of approximations."""
        return len(self.part_of)

    @property
    def dim(self) -> int:
        """Numbers of a draw."""
        return self.parts[0].dim

    def approximation_of(self, lane: Any) -> Normal:
        """The normal of one lane, in arrays of NumPy."""
        return self.parts[self.part_of[lane]].approximation_of(self.place_in[lane])

    def distribution_of(self, lane: Any) -> Distribution:
        """What the draws of one lane come from, in arrays of NumPy."""
        return self.parts[self.part_of[lane]].distribution_of(self.place_in[lane])

    def with_keys(self, keys: UInt32[Array, "lane 2"]) -> MixedDraws:
        """The same approximations with other keys of each lane's draws."""
        parts = [source.with_keys(keys[self.part_of == part]) for part, source in enumerate(self.parts)]
        return dataclasses.replace(self, parts=tuple(parts))

    def positions(
        self, lanes: Int[np.ndarray, " n"], indices: Int[np.ndarray, " n"]
    ) -> Iterator[tuple[Int[np.ndarray, " some"], Float[np.ndarray, "some dim"]]]:
        """As `PathDraws.positions`."""
        for part, source in enumerate(self.parts):
            rows = np.flatnonzero(self.part_of[lanes] == part)
            if len(rows):
                for numbers, points in source.positions(self.place_in[lanes[rows]], indices[rows]):
                    yield rows[numbers], points


DrawSource = PathDraws | MixedDraws


@jit_unless_numpy("num_reused")
def _lanes(approximations, draw_keys, elbo_keys, paths, indices, *, num_reused):
    keys = fold_in(draw_keys[paths][:, None, :], indices)
    if num_reused > 0:
        reused = fold_in(elbo_keys[paths][:, None, :], indices)
        keys = namespace(keys).where(indices[..., None] < num_reused, reused, keys)
    return rows(approximations, paths), keys


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
    density: Density,
    approximations: LowRankNormal,
    draw_keys: UInt32[Array, "path 2"],
    elbo_keys: UInt32[Array, "path 2"],
    best_iteration: Int[np.ndarray, " path"],
    settings: Settings,
    devices: Devices,
) -> PathDraws:
    """The source of the draws of all lanes of a fit; `elbo_keys` are the keys that `run_paths` was given."""
    if namespace(approximations) is np:
        draws_per_lane = min(HOST_DRAWS, settings.num_draws, max(HOST_NUMBERS // density.dim, settings.num_elbo_draws))
        batch_size = max(1, HOST_NUMBERS // (draws_per_lane * density.dim))
    else:
        draws_per_lane, batch_size = settings.num_elbo_draws, scoring_batch_size(density, settings, devices)
    return PathDraws(
        approximations=approximations,
        draw_keys=draw_keys,
        elbo_keys=counted_keys(elbo_keys, np.maximum(best_iteration, 0)),
        num_reused=min(settings.num_elbo_draws, settings.num_draws) if settings.reuse_elbo_draws else 0,
        batch_size=batch_size,
        draws_per_lane=draws_per_lane,
    )
