"""The lanes that are advanced together on one device, driven from the host."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jaxtyping import Int

from pathfinder._arrays.devices import Devices
from pathfinder._arrays.namespace import rows
from pathfinder._density.batch_sizes import MAX_ROWS, num_kept
from pathfinder._density.either import Density
from pathfinder._density.host import HostDensity
from pathfinder._errors import Interrupt
from pathfinder._normals.diagonals import BANKS
from pathfinder._optimizer.compiled_steps import advance
from pathfinder._optimizer.host_steps import advance_on_host
from pathfinder._optimizer.jaxopt_steps import JaxoptAdvance
from pathfinder._optimizer.start import Start, Tries
from pathfinder._optimizer.state import DONE, STARTING, Path, Tolerances, ended, init, rewind
from pathfinder._paths.elbos import PathElbos
from pathfinder._paths.outcomes import Iterations, PathReport, concatenated
from pathfinder._paths.tables import PathTables
from pathfinder._settings import Settings
from pathfinder._status import Status


FIRST_STEPS = 4
SECONDS_PER_CALL = 0.2
MOST_STEPS = 2**20


class Block:
    """The lanes that are advanced together, with what the host knows about them.

    Args:
        density: What to fit.
        starts: Where each lane of all blocks may start.
        elbo_keys: Key of each of them for the draws that estimate ELBOs.
        settings: Options.
        devices: Where to run.
        number: Of this block, which says on which device it is.
        lanes: The lanes of this block.
        size: Number of lanes that are compiled for, at least those of the block.
    """

    def __init__(
        self,
        density: Density,
        starts: Start,
        elbo_keys: Any,
        settings: Settings,
        devices: Devices,
        number: int,
        lanes: Int[np.ndarray, " lane"],
        size: int,
    ):
        self.settings, self.devices, self.lanes, self.size = settings, devices, lanes, size
        self.follows_secant = "secant" in BANKS[settings.diagonals]
        vectors_per_row = 5 + self.follows_secant
        row_bytes = vectors_per_row * density.dim * np.dtype(density.dtype).itemsize * size
        # The pairs kept for the covariance alone take the place of rows.
        kept_rows = -(-2 * (num_kept(settings) - settings.history_size) // vectors_per_row)
        self.num_rows = max(8, devices.lanes_per_batch(row_bytes, MAX_ROWS + kept_rows) - kept_rows)
        fit_of_lane = np.zeros(size, np.int64)
        if density.num_fits is not None:
            per_fit = starts.center.shape[0] // density.num_fits
            # Unused lanes at the end repeat the last data set.
            fits = np.minimum(np.arange(size // per_fit) + lanes[0] // per_fit, density.num_fits - 1)
            density = density.of_fits(fits)
            fit_of_lane = np.arange(size) // per_fit
        # The last lane stands in for those that are missing, so that every block has the shape that is compiled.
        padded = np.minimum(np.arange(size) + lanes[0], lanes[-1])
        self.density, self.starts, keys = devices.put((density, rows(starts, padded), elbo_keys[padded]), number)
        self.fits = None if density.num_fits is None else fit_of_lane
        self.unused = np.arange(size) >= len(lanes)
        self.tolerances = Tolerances.from_settings(settings, density.dtype)
        self.elbos = PathElbos(self.density, keys, fit_of_lane, settings, devices, len(lanes))
        self.tables = PathTables(len(lanes))
        self.jaxopt: JaxoptAdvance | None = None
        if settings.optimizer == "jaxopt":
            self.jaxopt = JaxoptAdvance(settings.history_size, lambda lane: self.density.of_fit(fit_of_lane[lane]))
        self.seconds = 0.0
        self.all_started = False
        self.num_rejected = np.zeros(len(lanes), np.int64)

    def run(self, check, report) -> Generator[None, None, None]:
        """All chunks of these lanes; yields when the device has been given work."""
        kept = num_kept(self.settings)
        with self._timed():
            paths = init(self.starts, num_kept=kept, num_rows=self.num_rows, follows_secant=self.follows_secant)
            paths = ended(paths, self.unused, status=Status.RUNNING)
            self._read(paths)
        steps = FIRST_STEPS
        done = False
        unscored = False
        try:
            while not done:
                check()
                begin = time.perf_counter()
                with self._timed():
                    paths = self._advance(paths, steps)
                unscored = True
                yield
                with self._timed():
                    num_recorded = np.asarray(paths.state.num_recorded)
                    done = np.all(np.asarray(paths.state.phase) == DONE)
                # Calls last about SECONDS_PER_CALL, so that the host is never away for long. The first one is mostly
                # compilation and tells little, so the number grows by no more than a factor of four at a time.
                elapsed = time.perf_counter() - begin
                steps = int(np.clip(steps * SECONDS_PER_CALL / max(elapsed, 1e-9), 1, min(4 * steps, MOST_STEPS)))
                # When iterates are scored changes no result: what becomes of a lane is decided iterate by iterate.
                if done or np.any(num_recorded >= self.num_rows):
                    unscored = False
                    yield from self._take_in(paths, report)
                    if not done:
                        paths = rewind(paths, num_kept=kept)
                        if np.any(self.elbos.stalled_at >= 0):
                            stalled = np.zeros(self.size, bool)
                            stalled[: len(self.lanes)] = self.elbos.stalled_at >= 0
                            paths = ended(paths, stalled, status=Status.ELBO_STALLED)
                        done = np.all(np.asarray(paths.state.phase) == DONE)
            yield from self._end(report)
        except (Interrupt, KeyboardInterrupt):
            # `advance` takes over the buffers of the paths that it is given. If Ctrl-C came within that call, they are
            # gone and what it returns was never assigned: only what has been scored before is left.
            if unscored and not (isinstance(paths.state.phase, jax.Array) and paths.state.phase.is_deleted()):
                for _ in self._take_in(paths, report):
                    pass  # there is nothing else to wait for
            for _ in self._end(report):
                pass
            raise

    def finish(self) -> None:
        """Settle the status of every lane."""
        has_approximation = self.elbos.best_iteration >= 0
        running = self.status == Status.RUNNING
        self.status[running & has_approximation] = Status.INTERRUPTED
        self.status[running & ~has_approximation] = Status.INTERRUPTED_AT_START
        ended_well = np.array([Status(status).succeeded for status in self.status])
        self.status[ended_well & ~has_approximation] = Status.NO_FINITE_ELBO

    @contextmanager
    def _timed(self):
        begin = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - begin

    def _advance(self, paths: Path, steps: int) -> Path:
        history_size = self.settings.history_size
        if self.jaxopt is not None:
            return self.jaxopt(paths, self.tolerances, steps)
        if isinstance(self.density, HostDensity):
            return advance_on_host(paths, self.density, self.fits, self.tolerances, steps, history_size=history_size)
        return advance(paths, self.density, self.tolerances, np.int32(steps), history_size=history_size)

    def _take_in(self, paths: Path, report) -> Generator[None, None, None]:
        """Score what the lanes have recorded."""
        records, count = paths.records, len(self.lanes)
        num_recorded = np.asarray(paths.state.num_recorded)[:count]
        lanes = np.repeat(np.arange(count), num_recorded)
        places = np.concatenate([np.arange(number) for number in num_recorded]).astype(np.int64)

        def keep(normals, lanes, places):
            self.tables.add_trajectory(records, normals, lanes, places)

        elbo = yield from self.elbos.score(records, lanes, places, keep if self.settings.save_trajectory else None)
        added = self.tables.add(records, lanes, places, elbo, self.elbos.stalled_at)
        self._read(paths)
        report(
            [
                self._report(lane, table)
                for lane, table in enumerate(added)
                if len(table.iteration) or self.phase[lane] == DONE
            ]
        )

    def _end(self, report) -> Generator[None, None, None]:
        """Choose among the finalists, if there is more than one of a lane."""
        if self.elbos.is_race:
            yield from self.elbos.end_race()
            report([self._report(lane, concatenated([])) for lane in range(len(self.lanes))])

    def _read(self, paths: Path) -> None:
        """Copy the lanes' scalars to the host."""
        state, count = paths.state, len(self.lanes)
        self.phase, self.status, self.num_gradients, self.num_iterations = (
            np.array(part[:count], np.int64)
            for part in (state.phase, state.status, state.num_gradients, state.iteration)
        )
        # A lane that has stalled ended at that iteration, however far it had gone when that was found.
        stalled = (self.elbos.stalled_at >= 0) & ((self.elbos.stalled_at < self.num_iterations) | (self.phase != DONE))
        for lane in np.flatnonzero(stalled):
            self.phase[lane], self.status[lane] = DONE, Status.ELBO_STALLED
            self.num_iterations[lane] = self.elbos.stalled_at[lane]
            last = next(table for table in reversed(self.tables.iterations[lane]) if len(table.iteration))
            self.num_gradients[lane] = last.num_gradients[-1]
        if not self.all_started:
            self.tries = Tries(*[np.array(leaf[:count]) for leaf in state.tries])
            is_looking = self.phase == STARTING
            in_vain = is_looking | (self.status == Status.INITIALIZATION_FAILED)
            self.num_rejected = np.asarray(self.tries.num_tries, np.int64) - ~in_vain
            self.all_started = not is_looking.any()

    def _report(self, lane: int, table: Iterations) -> PathReport:
        return PathReport(
            int(self.lanes[lane]), float(self.tries.log_density[lane]),
            np.asarray(self.tries.is_finite[lane, : self.num_rejected[lane]]), table, Status(self.status[lane]),
            int(self.elbos.best_iteration[lane]), float(self.elbos.best[lane]),
        )  # fmt: skip
