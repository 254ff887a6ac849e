"""The lanes that are advanced together on one device, driven from the host."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pathfinder._arrays.devices import Devices, on_host
from pathfinder._density.batch_sizes import MAX_ROWS, covariance_history, num_kept, num_slots, scoring_batch_size
from pathfinder._density.compiled import CompiledDensity
from pathfinder._density.interrupt import Interrupt
from pathfinder._normals.diagonals import BANKS
from pathfinder._normals.elbo import ElboEstimate, estimate_elbo
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._normals.scoring import ScoredDraws, score_lanes
from pathfinder._paths.compiled_steps import advance, build_lanes, elbo_draw_keys, rewind_lanes, start_lanes, take
from pathfinder._paths.jaxopt_steps import JaxoptAdvance
from pathfinder._paths.outcomes import Iterations, PathReport, Trajectory, concatenated
from pathfinder._paths.ranking import Finalists
from pathfinder._paths.start import MAX_INIT_TRIES, Start, Tries
from pathfinder._paths.state import DONE, STARTING, Path, Records, Tolerances
from pathfinder._settings import Settings
from pathfinder._status import Status


FIRST_STEPS = 4
SECONDS_PER_CALL = 0.2
MOST_STEPS = 2**20


@dataclass
class Block:
    """The lanes that are advanced together, with what the host knows about them."""

    density: CompiledDensity
    starts: Start
    elbo_keys: Any
    settings: Settings
    devices: Devices
    number: int  # of this block, which says on which device it is
    lanes: np.ndarray
    size: int
    seconds: dict[str, float] = field(default_factory=lambda: {"paths": 0.0, "elbo": 0.0})

    def __post_init__(self):
        density, settings, devices = self.density, self.settings, self.devices
        itemsize = np.dtype(density.dtype).itemsize
        self.is_race = settings.schedule == "race"
        self.draws_per_lane = settings.num_race_draws if self.is_race else settings.num_elbo_draws
        self.num_candidates = len(BANKS[settings.diagonals])
        self.follows_secant = "secant" in BANKS[settings.diagonals]
        vectors_per_row = 5 + self.follows_secant
        row_bytes = vectors_per_row * density.dim * itemsize * self.size
        # The pairs kept for the covariance alone take the place of rows.
        kept_rows = -(-2 * (num_kept(settings) - settings.history_size) // vectors_per_row)
        self.num_rows = max(8, devices.lanes_per_batch(row_bytes, MAX_ROWS + kept_rows) - kept_rows)
        batch_size = scoring_batch_size(density, settings, devices, self.draws_per_lane)
        # The candidates of an iterate are in one batch.
        self.batch_size = max(1, batch_size // self.num_candidates) * self.num_candidates
        self.fit_of_lane = np.zeros(self.size, np.int64)
        if density.num_fits is not None:
            per_fit = self.starts.center.shape[0] // density.num_fits
            # Unused lanes at the end repeat the last data set.
            fits = np.minimum(np.arange(self.size // per_fit) + self.lanes[0] // per_fit, density.num_fits - 1)
            self.density = density.of_fits(fits)
            self.fit_of_lane = np.arange(self.size) // per_fit
        count = len(self.lanes)
        self.status = np.zeros(count, np.int64)
        self.phase = np.zeros(count, np.int64)
        self.num_gradients = np.zeros(count, np.int64)
        self.num_iterations = np.zeros(count, np.int64)
        nowhere = np.zeros((count, density.dim), density.dtype)
        self.tries = Tries(
            nowhere,
            np.full(count, -np.inf),
            nowhere,
            np.zeros(count, np.int64),
            np.zeros((count, MAX_INIT_TRIES), bool),
        )
        self.num_rejected = np.zeros(count, np.int64)
        self.all_started = False
        self.elbo = np.full(count, -np.inf)
        self.elbo_standard_error = np.full(count, np.nan)
        self.best_iteration = np.full(count, -1)
        self.num_elbo_draws = np.zeros(count, np.int64)
        self.tables: list[list[Iterations]] = [[] for _ in range(count)]
        self.trajectories: list[list] = [[] for _ in range(count)]
        self.finalists = Finalists(self.size, num_slots(settings))
        self.jaxopt: JaxoptAdvance | None = None
        if settings.optimizer == "jaxopt":
            self.jaxopt = JaxoptAdvance(settings.history_size, lambda lane: self.density.of_fit(self.fit_of_lane[lane]))

    def run(self, check, report) -> Generator[None, None, None]:
        """All chunks of these lanes; yields when the device has been given work."""
        settings = self.settings
        tolerances = Tolerances.from_settings(settings, self.density.dtype)
        with self._timed("paths"):
            # The last lane stands in for those that are missing, so that every block has the shape that is compiled.
            padded = np.minimum(np.arange(self.size) + self.lanes[0], self.lanes[-1])
            self.density, (starts, self.keys) = self.devices.put(
                (self.density, take((self.starts, self.elbo_keys), padded)), self.number
            )
            unused = np.arange(self.size) >= len(self.lanes)
            paths = start_lanes(
                starts,
                unused,
                num_kept=num_kept(settings),
                num_rows=self.num_rows,
                follows_secant=self.follows_secant,
            )
        steps = FIRST_STEPS
        done = False
        unscored = False
        try:
            while not done:
                check()
                begin = time.perf_counter()
                with self._timed("paths"):
                    paths = self._advance(paths, tolerances, steps)
                unscored = True
                yield
                with self._timed("paths"):
                    num_recorded = np.asarray(paths.state.num_recorded)
                    done = np.all(np.asarray(paths.state.phase) == DONE)
                # Calls last about SECONDS_PER_CALL, so that the host is never away for long. The first one is mostly
                # compilation and tells little, so the number grows by no more than a factor of four at a time.
                elapsed = time.perf_counter() - begin
                steps = int(np.clip(steps * SECONDS_PER_CALL / max(elapsed, 1e-9), 1, min(4 * steps, MOST_STEPS)))
                # Scoring goes by the number of iterates and never by the clock, which must not change results.
                if done or np.any(num_recorded >= self.num_rows):
                    unscored = False
                    yield from self._take_in(paths, report)
                    if not done:
                        stalled = self._end_stalled()
                        paths = rewind_lanes(paths, stalled, num_kept=num_kept(settings))
                        done = np.all(np.asarray(paths.state.phase) == DONE)
            yield from self._end(report)
        except (Interrupt, KeyboardInterrupt):
            # `advance` takes over the buffers of the paths that it is given. If Ctrl-C came within that call, they are
            # gone and what it returns was never assigned: only what has been scored before is left.
            if unscored and not paths.state.phase.is_deleted():
                for _ in self._take_in(paths, report):
                    pass  # there is nothing else to wait for
            for _ in self._end(report):
                pass
            raise

    @contextmanager
    def _timed(self, stage: str):
        begin = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - begin

    def _take_in(self, paths: Path, report) -> Generator[None, None, None]:
        """Score what the lanes have recorded."""
        self._read(paths)
        num_recorded = np.asarray(paths.state.num_recorded)[: len(self.lanes)]
        lanes = np.repeat(np.arange(len(self.lanes)), num_recorded)
        rows = np.concatenate([np.arange(number) for number in num_recorded]).astype(np.int64)
        elbos = yield from self._score(paths.records, lanes, rows)
        report(self._tabulate(paths.records, lanes, rows, elbos))

    def _end(self, report) -> Generator[None, None, None]:
        """Choose among the finalists, if there is more than one of a lane."""
        if self.is_race:
            yield from self._end_race()
            report([self._report(lane, concatenated([])) for lane in range(len(self.lanes))])

    def _advance(self, paths: Path, tolerances: Tolerances, steps: int) -> Path:
        if self.jaxopt is not None:
            return self.jaxopt(paths, tolerances, steps)
        return advance(paths, self.density, tolerances, jnp.int32(steps), history_size=self.settings.history_size)

    def _end_stalled(self) -> np.ndarray:
        """Choose the lanes that are to end because their ELBO has not improved for long."""
        stalled = np.zeros(self.size, bool)
        patience = self.settings.elbo_patience
        if patience is not None:
            waited = self.num_iterations - np.maximum(self.best_iteration, 0) >= patience
            stalled[: len(self.lanes)] = waited & (self.phase != DONE)
        self.status[stalled[: len(self.lanes)]] = Status.ELBO_STALLED
        return stalled

    def _read(self, paths: Path) -> None:
        """Copy the lanes' scalars to the host."""
        state, count = paths.state, len(self.lanes)
        self.phase = np.asarray(state.phase)[:count]
        self.status = np.asarray(state.status)[:count].astype(np.int64)
        self.num_gradients = np.asarray(state.num_gradients)[:count].astype(np.int64)
        self.num_iterations = np.asarray(state.iteration)[:count].astype(np.int64)
        if not self.all_started:
            self.tries = jax.tree_util.tree_map(lambda leaf: np.array(leaf[:count]), state.tries)
            is_looking = self.phase == STARTING
            in_vain = is_looking | (self.status == Status.INITIALIZATION_FAILED)
            self.num_rejected = np.asarray(self.tries.num_tries, np.int64) - ~in_vain
            self.all_started = not is_looking.any()

    def _score(self, records: Records, lanes, rows) -> Generator[None, None, list[ElboEstimate]]:
        """Estimate the ELBO of the approximations at every recorded iterate and keep the best ones.

        The estimates are those of the best approximation at each iterate.
        """
        candidates = np.tile(np.arange(self.num_candidates), len(lanes))
        lanes, rows = (np.repeat(part, self.num_candidates) for part in (lanes, rows))
        iterations = np.asarray(records.trace.iteration)
        elbos = []
        for first in range(0, len(lanes), self.batch_size):
            with self._timed("elbo"):
                chosen, used = _filled(first, self.batch_size, len(lanes))
                approximations, scored = self._score_batch(records, lanes[chosen], rows[chosen], candidates[chosen])
            yield
            with self._timed("elbo"):
                elbo = estimate_elbo(np.asarray(scored.log_p)[used], np.asarray(scored.log_q)[used])
                chosen = chosen[used]
                self._keep_best(approximations, lanes[chosen], elbo, iterations[lanes[chosen], rows[chosen]])
                by_iterate = np.argmax(elbo.mean.reshape(-1, self.num_candidates), axis=1)
                best = np.arange(len(by_iterate)) * self.num_candidates + by_iterate
                elbos.append(ElboEstimate(*[column[best] for column in elbo]))
                if self.settings.save_trajectory:
                    own = jax.tree_util.tree_map(lambda leaf, best=best: np.asarray(leaf)[best], approximations)
                    self._keep_trajectory(records, own, lanes[chosen[best]], rows[chosen[best]])
        np.add.at(self.num_elbo_draws, lanes, self.draws_per_lane)
        return elbos

    def _score_batch(self, records: Records, lanes, rows, candidates) -> tuple[LowRankNormal, ScoredDraws]:
        approximations, keys = build_lanes(
            records,
            self.keys,
            lanes,
            rows,
            candidates,
            history_size=covariance_history(self.settings),
            diagonals=BANKS[self.settings.diagonals],
            num_draws=self.draws_per_lane,
            is_race=self.is_race,
        )
        return approximations, self._score_lanes(approximations, keys, lanes)

    def _score_lanes(self, approximations: LowRankNormal, keys, lanes) -> ScoredDraws:
        return score_lanes(approximations, keys, self.fit_of_lane[lanes], self.density)

    def _keep_best(self, approximations: LowRankNormal, lanes, elbo: ElboEstimate, iterations) -> None:
        self.finalists.offer(approximations, lanes, elbo.mean, iterations)
        for position, lane in enumerate(lanes):
            if elbo.mean[position] > self.elbo[lane]:
                self.elbo[lane] = elbo.mean[position]
                self.elbo_standard_error[lane] = elbo.standard_error[position]
                self.best_iteration[lane] = iterations[position]

    def _end_race(self) -> Generator[None, None, None]:
        """Estimate the ELBOs of the best of the race with fresh draws, and let these choose."""
        kept = self.finalists.elbo[: len(self.lanes)] > -np.inf
        lanes, slots = np.nonzero(kept)
        size = scoring_batch_size(self.density, self.settings, self.devices)
        means, errors = np.full(kept.shape, -np.inf), np.full(kept.shape, np.nan)
        for first in range(0, len(lanes), size):
            with self._timed("elbo"):
                chosen, used = _filled(first, size, len(lanes))
                lane, slot = lanes[chosen], slots[chosen]
                keys = elbo_draw_keys(
                    self.keys, lane, self.finalists.iteration[lane, slot], num_draws=self.settings.num_elbo_draws
                )
                scored = self._score_lanes(self.finalists.take(lane, slot), keys, lane)
            yield
            with self._timed("elbo"):
                elbo = estimate_elbo(np.asarray(scored.log_p)[used], np.asarray(scored.log_q)[used])
                means[lane[used], slot[used]] = elbo.mean
                errors[lane[used], slot[used]] = elbo.standard_error
                np.add.at(self.num_elbo_draws, lane[used], self.settings.num_elbo_draws)
        every, best = np.arange(len(self.lanes)), np.argmax(means, axis=1)
        self.elbo, self.elbo_standard_error = means[every, best], errors[every, best]
        self.best_iteration = np.where(self.elbo > -np.inf, self.finalists.iteration[every, best], -1)
        self.finalists.elbo[: len(self.lanes)] = means

    def _keep_trajectory(self, records: Records, approximations: LowRankNormal, lanes, rows) -> None:
        positions = np.asarray(records.trace.position[lanes, rows])
        gradients = -np.asarray(records.trace.gradient[lanes, rows])
        fields = on_host(approximations)
        for index, lane in enumerate(lanes):
            own = jax.tree_util.tree_map(lambda leaf, i=index: leaf[i], fields)
            self.trajectories[lane].append(Trajectory(positions[index], gradients[index], own))

    def _tabulate(self, records: Records, lanes, rows, elbos) -> list[PathReport]:
        if not elbos:
            means, errors, finite = np.zeros(0), np.zeros(0), np.zeros(0, np.int64)
        else:
            means, errors, finite = (np.concatenate(parts) for parts in zip(*elbos, strict=True))
        trace = records.trace
        columns = [
            np.asarray(column)[lanes, rows]
            for column in (
                trace.iteration, trace.log_density, trace.step_norm, trace.gradient_norm, trace.alpha,
                trace.first_alpha, trace.num_gradients, trace.was_reset,
            )
        ]  # fmt: skip
        reports = []
        for lane in range(len(self.lanes)):
            own = lanes == lane
            table = Iterations(*[column[own] for column in (*columns, means, errors, finite)])
            if len(table.iteration) or self.phase[lane] == DONE:
                self.tables[lane].append(table)
                reports.append(self._report(lane, table))
        return reports

    def _report(self, lane: int, table: Iterations) -> PathReport:
        return PathReport(
            int(self.lanes[lane]), float(self.tries.log_density[lane]),
            np.asarray(self.tries.is_finite[lane, : self.num_rejected[lane]]), table, Status(self.status[lane]),
            int(self.best_iteration[lane]), float(self.elbo[lane]),
        )  # fmt: skip

    def finish(self) -> None:
        """Settle the status of every lane."""
        has_approximation = self.best_iteration >= 0
        running = self.status == Status.RUNNING
        self.status[running & has_approximation] = Status.INTERRUPTED
        self.status[running & ~has_approximation] = Status.INTERRUPTED_AT_START
        ended_well = np.array([Status(status).succeeded for status in self.status])
        self.status[ended_well & ~has_approximation] = Status.NO_FINITE_ELBO


def _filled(first: int, size: int, total: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of one batch, those past the end replaced by the first, and which of them are in use."""
    chosen = np.arange(first, first + size)
    used = chosen < total
    return np.where(used, chosen, first), used
