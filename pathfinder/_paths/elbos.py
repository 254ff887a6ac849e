"""The ELBO at every iterate of many paths, and the approximations that come out best."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt32

from pathfinder._arrays.devices import Devices, on_host
from pathfinder._arrays.namespace import Array, rows
from pathfinder._density.batch_sizes import covariance_history, num_slots, scoring_batch_size
from pathfinder._density.either import Density
from pathfinder._normals.diagonals import BANKS
from pathfinder._normals.elbo import ElboEstimate, estimate_elbo
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.scoring import ScoredDraws, draw_lanes, draws_of_noise, lane_noise, score_lanes
from pathfinder._optimizer.state import Records
from pathfinder._paths.approximations import RACE, build_lanes, elbo_draw_keys
from pathfinder._paths.ranking import Finalists
from pathfinder._settings import Settings


class PathElbos:
    """Estimates the ELBOs of lanes and keeps the best approximations; yields when the device has been given work.

    What becomes of a lane depends on the order of its own iterates and on nothing else: not on how they are cut into
    batches, nor on the lanes beside it.

    Args:
        density: What to fit.
        elbo_keys: Key of each lane, those included that only fill up the shape.
        fit_of_lane: The fit that each lane is about.
        settings: Options.
        devices: Where to run.
        num_lanes: Number of lanes in use, which come first.
    """

    def __init__(
        self,
        density: Density,
        elbo_keys: UInt32[Array, "lane 2"],
        fit_of_lane: Int[np.ndarray, " lane"],
        settings: Settings,
        devices: Devices,
        num_lanes: int,
    ):
        self.density, self.elbo_keys, self.fit_of_lane = density, elbo_keys, fit_of_lane
        self.settings, self.devices = settings, devices
        self.is_race = settings.schedule == "race"
        self.draws_per_iterate = settings.num_race_draws if self.is_race else settings.num_elbo_draws
        self.diagonals = BANKS[settings.diagonals]
        size = scoring_batch_size(density, settings, devices, self.draws_per_iterate)
        # The candidates of an iterate are in one batch.
        self.batch_size = max(1, size // len(self.diagonals)) * len(self.diagonals)
        self.finalists = Finalists(len(fit_of_lane), num_slots(settings))
        self.best = np.full(num_lanes, -np.inf)
        self.standard_error = np.full(num_lanes, np.nan)
        self.best_iteration = np.full(num_lanes, -1)
        self.stalled_at = np.full(num_lanes, -1)  # the iteration; -1 for lanes that have not stalled
        self.num_draws = np.zeros(num_lanes, np.int64)
        self.seconds = 0.0

    def score(
        self,
        records: Records,
        lanes: Int[np.ndarray, " iterate"],
        places: Int[np.ndarray, " iterate"],
        keep: Callable[[LowRankNormal, np.ndarray, np.ndarray], None] | None = None,
    ) -> Generator[None, None, ElboEstimate]:
        """Estimate the ELBO of the approximations at recorded iterates and keep the best ones.

        Args:
            records: What the lanes have recorded.
            lanes: Lane of each iterate.
            places: Its row in the records.
            keep: Called with the best approximations of some iterates, their lanes and rows.

        Returns:
            The estimates of the best approximation at each iterate.
        """
        num_candidates = len(self.diagonals)
        candidates = np.tile(np.arange(num_candidates), len(lanes))
        lanes, places = (np.repeat(part, num_candidates) for part in (lanes, places))
        iterations = np.asarray(records.trace.iteration)
        estimates = [ElboEstimate(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))]
        for chosen, used in self._batches(len(lanes), self.batch_size):
            with self._timed():
                lane, place = lanes[chosen], places[chosen]
                normals = build_lanes(
                    records, lane, place, candidates[chosen],
                    history_size=covariance_history(self.settings), diagonals=self.diagonals,
                )  # fmt: skip
                if self.is_race:
                    noise = rows(self._race_noise, lane)
                    scored = score_lanes(draws_of_noise(normals, noise), self.fit_of_lane[lane], self.density)
                else:
                    scored = self._scored(normals, lane, iterations[lane, place])
            yield
            with self._timed():
                elbo = estimate_elbo(np.asarray(scored.log_p)[used], np.asarray(scored.log_q)[used])
                lane, place = lane[used], place[used]
                self._keep_best(normals, lane, elbo, iterations[lane, place])
                by_iterate = np.argmax(elbo.mean.reshape(-1, num_candidates), axis=1)
                best = np.arange(len(by_iterate)) * num_candidates + by_iterate
                estimates.append(ElboEstimate(*[column[best] for column in elbo]))
                if keep is not None:
                    keep(rows(on_host(normals), best), lane[best], place[best])
        return ElboEstimate(*[np.concatenate(columns) for columns in zip(*estimates, strict=True)])

    def end_race(self) -> Generator[None, None, None]:
        """Estimate the ELBOs of the best of the race with fresh draws, and let these choose."""
        num_lanes = len(self.best)
        kept = self.finalists.elbo[:num_lanes] > -np.inf
        lanes, slots = np.nonzero(kept)
        means, errors = np.full(kept.shape, -np.inf), np.full(kept.shape, np.nan)
        for chosen, used in self._batches(len(lanes), scoring_batch_size(self.density, self.settings, self.devices)):
            with self._timed():
                lane, slot = lanes[chosen], slots[chosen]
                iterations = self.finalists.iteration[lane, slot]
                scored = self._scored(self.finalists.take(lane, slot), lane, iterations)
            yield
            with self._timed():
                elbo = estimate_elbo(np.asarray(scored.log_p)[used], np.asarray(scored.log_q)[used])
                means[lane[used], slot[used]] = elbo.mean
                errors[lane[used], slot[used]] = elbo.standard_error
                np.add.at(self.num_draws, lane[used], self.settings.num_elbo_draws)
        every, best = np.arange(num_lanes), np.argmax(means, axis=1)
        self.best, self.standard_error = means[every, best], errors[every, best]
        self.best_iteration = np.where(self.best > -np.inf, self.finalists.iteration[every, best], -1)
        self.finalists.elbo[:num_lanes] = means

    def _scored(self, normals: LowRankNormal, lanes: np.ndarray, iterations: np.ndarray) -> ScoredDraws:
        """With fresh draws for each iteration."""
        keys = self._keys(rows(self.elbo_keys, lanes), iterations, self.settings.num_elbo_draws)
        return score_lanes(draw_lanes(normals, keys), self.fit_of_lane[lanes], self.density)

    @cached_property
    def _race_noise(self) -> Float[Array, "lane draw dim"]:
        """What the draws of all iterates of a lane are made of: in a race only differences between ELBOs count."""
        keys = self._keys(self.elbo_keys, np.full(len(self.elbo_keys), RACE), self.draws_per_iterate)
        return lane_noise(keys, dim=self.density.dim, dtype=self.density.dtype)

    def _keys(self, keys: Any, counters: np.ndarray, num_draws: int) -> UInt32[Array, "lane draw 2"]:
        return elbo_draw_keys(keys, self.density.arrays(counters), num_draws=num_draws)

    def _keep_best(self, normals: LowRankNormal, lanes: np.ndarray, elbo: ElboEstimate, iterations: np.ndarray) -> None:
        """Take in the approximations of a batch, in order, until their lane has stalled."""
        means = elbo.mean.copy()
        last_of_iterate = np.arange(1, len(lanes) + 1) % len(self.diagonals) == 0
        for position, (lane, iteration) in enumerate(zip(lanes.tolist(), iterations.tolist(), strict=True)):
            if self.stalled_at[lane] >= 0:
                means[position] = -np.inf
                continue
            self.num_draws[lane] += self.draws_per_iterate
            if means[position] > self.best[lane]:
                self.best[lane] = means[position]
                self.standard_error[lane] = elbo.standard_error[position]
                self.best_iteration[lane] = iteration
            elif last_of_iterate[position] and self._has_stalled(lane, iteration):
                self.stalled_at[lane] = iteration
        self.finalists.offer(normals, lanes, means, iterations)

    def _has_stalled(self, lane: int, iteration: int) -> bool:
        patience = self.settings.elbo_patience
        return patience is not None and iteration - max(int(self.best_iteration[lane]), 0) >= patience

    def _batches(self, total: int, size: int) -> Any:
        """The numbers of each batch, and which of them are in use; a compiled program wants batches of one size."""
        for first in range(0, total, size):
            chosen = np.arange(first, min(first + size, total) if self.devices.is_host else first + size)
            used = chosen < total
            yield np.where(used, chosen, first), used

    @contextmanager
    def _timed(self):
        begin = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - begin
