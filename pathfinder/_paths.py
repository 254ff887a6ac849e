"""Many paths at once: chunks of L-BFGS steps driven from the host, and the best approximation along each path.

Paths are lanes of a batch. A compiled `advance` moves all lanes of a block by some steps; the accepted iterates are
then made into approximations, packed into batches, and scored. Between calls the host reports progress and honours
interrupts and time limits.
"""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt32

from pathfinder import _lbfgs
from pathfinder._devices import CPU_PATHS, Devices
from pathfinder._diagonals import BANKS, scalar_diagonal
from pathfinder._finalists import Finalists
from pathfinder._jaxopt import JaxoptAdvance
from pathfinder._lbfgs import Path, Records, Start, Tolerances, Tries
from pathfinder._linalg import LowRankNormal, inverse_hessian_normal
from pathfinder._scoring import ElboEstimate, ScoredDraws, estimate_elbo, score_lanes
from pathfinder._settings import Settings
from pathfinder._status import Status


MAX_ROWS = 32  # iterates that a lane makes before they are scored
FIRST_STEPS = 4
SECONDS_PER_CALL = 0.2
MOST_STEPS = 2**20
NUM_FINALISTS = 3  # approximations of a path that leave the race
RACE = -1  # where the keys of other draws have the iteration
# Densities evaluated at a time: on a CPU more only fill up partial batches; accelerators take what memory allows.
CPU_DRAWS_PER_BATCH = 800
CPU_LANES_PER_BATCH = 32
CPU_DRAWS_PER_BATCH_OF_FITS = 8000
ACCELERATOR_DRAWS_PER_BATCH = 65536


@dataclass(frozen=True)
class Problem:
    """A density to fit, or many of the same form.

    Args:
        density: `density(position, data)`.
        dim: Number of unconstrained parameters.
        dtype: Their floating-point type.
        data: Data of the density, with a leading axis of length `num_fits` if that is not None.
        num_fits: How many data sets there are to fit, or None for one without a leading axis.
    """

    density: Callable[[Array, Any], Array]
    dim: int
    dtype: Any
    data: Any = None
    num_fits: int | None = None

    @property
    def batched(self) -> bool:
        """Whether there is a leading axis of fits."""
        return self.num_fits is not None


class Iterations(NamedTuple):
    """What happened along one path: one row per accepted iterate."""

    iteration: Int[np.ndarray, " row"]
    log_density: Float[np.ndarray, " row"]
    step_norm: Float[np.ndarray, " row"]
    gradient_norm: Float[np.ndarray, " row"]
    alpha: Float[np.ndarray, " row"]
    first_alpha: Float[np.ndarray, " row"]
    num_gradients: Int[np.ndarray, " row"]
    was_reset: Bool[np.ndarray, " row"]
    elbo: Float[np.ndarray, " row"]
    elbo_standard_error: Float[np.ndarray, " row"]
    num_finite: Int[np.ndarray, " row"]


class Trajectory(NamedTuple):
    """Positions along one path with the approximations made there: one row per accepted iterate."""

    position: Float[np.ndarray, "row dim"]
    gradient: Float[np.ndarray, "row dim"]  # of the log density
    approximations: LowRankNormal  # with a leading axis of rows


@dataclass
class PathOutcomes:
    """How all lanes ended; lane f * num_paths + p is path p of fit f.

    Args:
        approximations: The best one of each lane, on the leading axis.
        status: `Status` of each lane.
        best_iteration: Iteration of the best approximation; -1 where there is none.
        elbo: Its ELBO, -inf where there is none.
        elbo_standard_error: Monte Carlo standard error of it.
        num_iterations: Accepted L-BFGS steps.
        num_gradients: Evaluations of the log density with its gradient.
        num_elbo_draws: Evaluations of the log density alone, for ELBOs.
        tries: Where each lane started, or the last point that it tried.
        num_rejected: How many points it tried in vain.
        iterations: A table for each lane.
        trajectories: If they were asked for.
        seconds: Time of the stages "paths" and "elbo".
        interrupted: Whether the paths, or their refinement, were ended early.
    """

    approximations: LowRankNormal
    status: Int[np.ndarray, " lane"]
    best_iteration: Int[np.ndarray, " lane"]
    elbo: Float[np.ndarray, " lane"]
    elbo_standard_error: Float[np.ndarray, " lane"]
    num_iterations: Int[np.ndarray, " lane"]
    num_gradients: Int[np.ndarray, " lane"]
    num_elbo_draws: Int[np.ndarray, " lane"]
    tries: Tries  # with a leading axis of lanes
    num_rejected: Int[np.ndarray, " lane"]
    iterations: list[Iterations]
    trajectories: list[Trajectory | None] | None
    seconds: dict[str, float]
    interrupted: bool

    def of_lanes(self, lanes: slice) -> "PathOutcomes":
        """The outcomes of some of the lanes."""
        per_lane = {
            name: getattr(self, name)[lanes]
            for name in (
                "status", "best_iteration", "elbo", "elbo_standard_error", "num_iterations", "num_gradients",
                "num_elbo_draws", "num_rejected", "iterations",
            )
        }  # fmt: skip
        return PathOutcomes(
            approximations=jax.tree_util.tree_map(lambda leaf: leaf[lanes], self.approximations),
            tries=jax.tree_util.tree_map(lambda leaf: leaf[lanes], self.tries),
            trajectories=None if self.trajectories is None else self.trajectories[lanes],
            seconds=self.seconds,
            interrupted=self.interrupted,
            **per_lane,
        )


class PathReport(NamedTuple):
    """Progress of one lane, given to `report` after its iterates were scored."""

    lane: int
    initial_log_density: float  # at the last point tried, if none could be used
    rejected: Bool[np.ndarray, " point"]  # of points: whether only the gradient was not finite
    iterations: Iterations  # the new ones only
    status: Status
    best_iteration: int
    best_elbo: float


class Interrupt(Exception):  # noqa: N818 (a request, not an error)
    """Raised by the `check` callable between chunks to end all paths early."""


@partial(jax.jit, static_argnames=("density", "history_size", "batched"), donate_argnames=("paths",))
def advance(
    paths: Path,
    data: Any,
    tolerances: Tolerances,
    max_steps: Int[Array, ""],
    *,
    density: Callable[[Array, Any], Array],
    history_size: int,
    batched: bool,
) -> Path:
    """Move every lane by up to `max_steps` evaluations, until none can step."""
    value_and_grad = jax.value_and_grad(density)
    each_lane = jax.vmap(value_and_grad, in_axes=(0, None))

    def evaluate(trials):
        if not batched:
            return each_lane(trials, data)
        num_fits = jax.tree_util.tree_leaves(data)[0].shape[0]
        values, gradients = jax.vmap(each_lane)(trials.reshape(num_fits, -1, trials.shape[1]), data)
        return values.reshape(-1), gradients.reshape(trials.shape)

    def go_on(carry):
        num_steps, paths = carry
        return (num_steps < max_steps) & jnp.any(jax.vmap(_lbfgs.can_step)(paths))

    def step(carry):
        num_steps, paths = carry
        # Only while a lane looks for its start are random numbers made.
        position = jax.lax.cond(
            jnp.any(paths.state.phase == _lbfgs.STARTING),
            jax.vmap(_lbfgs.propose_start),
            lambda state: state.position,
            paths.state,
        )
        paths = paths._replace(state=paths.state._replace(position=position))
        trials = jax.vmap(_lbfgs.trial_point)(paths)
        log_densities, scores = evaluate(trials)
        move = jax.vmap(_lbfgs.step, in_axes=(0, 0, 0, 0, None, None))
        moved = move(paths, trials, log_densities.astype(trials.dtype), scores, tolerances, history_size)
        return num_steps + 1, moved

    return jax.lax.while_loop(go_on, step, (jnp.zeros((), jnp.int32), paths))[1]


@partial(jax.jit, static_argnames=("num_kept", "num_rows", "follows_secant"))
def _start_lanes(
    starts: Start, unused: Bool[Array, " lane"], *, num_kept: int, num_rows: int, follows_secant: bool
) -> Path:
    paths = jax.vmap(lambda start: _lbfgs.init(start, num_kept, num_rows, follows_secant))(starts)
    phase = jnp.where(unused, _lbfgs.DONE, paths.state.phase)
    return paths._replace(state=paths.state._replace(phase=phase))


@jax.jit
def _take(tree: Any, indices: Int[Array, " n"]) -> Any:
    return jax.tree_util.tree_map(lambda leaf: leaf[indices], tree)


@partial(jax.jit, static_argnames=("num_kept",), donate_argnames=("paths",))
def _rewind_lanes(paths: Path, stalled: Bool[Array, " lane"], *, num_kept: int) -> Path:
    """Make room for the next iterates, and end the lanes whose ELBO has stalled."""
    paths = jax.vmap(lambda path: _lbfgs.rewind(path, num_kept))(paths)
    phase = jnp.where(stalled, _lbfgs.DONE, paths.state.phase)
    status = jnp.where(stalled, Status.ELBO_STALLED, paths.state.status).astype(paths.state.status.dtype)
    return paths._replace(state=paths.state._replace(phase=phase, status=status))


@partial(jax.jit, static_argnames=("history_size", "diagonals", "num_draws", "is_race"))
def build_lanes(
    records: Records,
    elbo_keys: UInt32[Array, "lane 2"],
    lanes: Int[Array, " batch"],
    rows: Int[Array, " batch"],
    candidates: Int[Array, " batch"],
    *,
    history_size: int,
    diagonals: tuple[str, ...],
    num_draws: int,
    is_race: bool,
) -> tuple[LowRankNormal, UInt32[Array, "batch draw 2"]]:
    """The approximations at recorded iterates, and the keys of the draws that estimate their ELBO.

    Args:
        records: Of all lanes.
        elbo_keys: Key of each lane.
        lanes: Lane of each iterate.
        rows: Its row in the records.
        candidates: Which of `diagonals` its approximation is built on.
        history_size: Number of pairs of an approximation.
        diagonals: Names of diagonals, see `BANKS`.
        num_draws: Draws for each ELBO.
        is_race: Whether all iterates of a lane share their random numbers.
    """

    def one(lane, row, candidate):
        trace = jax.tree_util.tree_map(lambda leaf: leaf[lane, row], records.trace)
        window = trace.pairs_end - history_size + jnp.arange(history_size, dtype=jnp.int32)
        pairs = jax.tree_util.tree_map(lambda leaf: leaf[lane, window], records.pairs)
        bank = {"gilbert": trace.diagonal, "secant": trace.secant, "scalar": scalar_diagonal(pairs)}
        chosen = [bank[name] for name in diagonals]
        diagonal = chosen[0] if len(chosen) == 1 else jnp.stack(chosen)[candidate]
        return inverse_hessian_normal(trace.position, trace.gradient, pairs, diagonal)

    counters = jnp.full_like(lanes, RACE) if is_race else records.trace.iteration[lanes, rows]
    return jax.vmap(one)(lanes, rows, candidates), elbo_draw_keys(elbo_keys, lanes, counters, num_draws=num_draws)


@partial(jax.jit, static_argnames=("num_draws",))
def elbo_draw_keys(
    elbo_keys: UInt32[Array, "lane 2"], lanes: Int[Array, " batch"], counters: Int[Array, " batch"], *, num_draws: int
) -> UInt32[Array, "batch draw 2"]:
    """The keys of the draws that estimate the ELBO of one iteration of each lane, or of the race if that is `RACE`."""

    def one(lane, counter):
        key = jax.random.fold_in(elbo_keys[lane], counter)
        return jax.vmap(lambda draw: jax.random.fold_in(key, draw))(jnp.arange(num_draws))

    return jax.vmap(one)(lanes, counters)


def covariance_history(settings: Settings) -> int:
    """Number of pairs of an approximation."""
    return settings.covariance_history or settings.history_size


def _num_kept(settings: Settings) -> int:
    return max(settings.history_size, covariance_history(settings))


def _num_slots(settings: Settings) -> int:
    return NUM_FINALISTS if settings.schedule == "race" else 1


def _filled(first: int, size: int, total: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of one batch, those past the end replaced by the first, and which of them are in use."""
    chosen = np.arange(first, first + size)
    used = chosen < total
    return np.where(used, chosen, first), used


def scoring_batch_size(problem: Problem, settings: Settings, devices: Devices, num_draws: int | None = None) -> int:
    """Lanes per device in one scoring batch, from the dimension and the number of draws of a lane alone.

    That is `num_elbo_draws` unless another one is given.
    """
    num_draws = num_draws or settings.num_elbo_draws
    itemsize = np.dtype(problem.dtype).itemsize
    data_bytes = 0
    if problem.batched:
        leaves = jax.tree_util.tree_leaves(problem.data)
        data_bytes = sum(leaf.nbytes // leaf.shape[0] for leaf in leaves)
    per_lane = problem.dim * itemsize * 4 * (num_draws + covariance_history(settings)) + data_bytes
    if not devices.is_cpu:
        most = ACCELERATOR_DRAWS_PER_BATCH // num_draws
    elif problem.batched:
        most = CPU_DRAWS_PER_BATCH_OF_FITS // num_draws
    else:
        most = min(CPU_DRAWS_PER_BATCH // num_draws, CPU_LANES_PER_BATCH)
    return devices.lanes_per_batch(per_lane, max(1, most))


def run_paths(
    problem: Problem,
    starts: Start,
    elbo_keys: UInt32[Array, "lane 2"],
    settings: Settings,
    devices: Devices,
    *,
    check: Callable[[], None] = lambda: None,
    report: Callable[[list[PathReport]], None] = lambda reports: None,
) -> PathOutcomes:
    """Run all paths and choose the best approximation along each.

    Args:
        problem: What to fit.
        starts: Where each lane may start.
        elbo_keys: Key of each lane for the draws that estimate ELBOs.
        settings: Options.
        devices: Where to run.
        check: Called between chunks; ends all paths early by raising `Interrupt`.
        report: Called with the progress of the lanes that moved, in order, after each scoring.
    """
    num_lanes = starts.center.shape[0]
    block_size = _block_size(problem, num_lanes, settings, devices)
    blocks = []
    for first in range(0, num_lanes, block_size):
        lanes = np.arange(first, min(first + block_size, num_lanes))
        blocks.append(_Block(problem, starts, elbo_keys, settings, devices, len(blocks), lanes, block_size))
    interrupted = _run_blocks(blocks, len(devices), check, report)
    for block in blocks:
        block.finish()
    return _join(blocks, devices, num_lanes, interrupted)


def _run_blocks(blocks: list["_Block"], at_a_time: int, check, report) -> bool:
    """Run the blocks, one on each device at a time; returns whether they were interrupted.

    A block gives way while its device computes, so that the host can feed the others.
    """
    waiting = iter(blocks)
    running: list[Generator[None, None, None]] = []
    try:
        while True:
            running += [block.run(check, report) for block in islice(waiting, at_a_time - len(running))]
            if not running:
                return False
            running = [block for block in running if _goes_on(block)]
    except (Interrupt, KeyboardInterrupt):
        for block in running:
            with suppress(Interrupt, StopIteration):
                block.throw(Interrupt)
        return True


def _goes_on(block: Generator[None, None, None]) -> bool:
    for _ in block:
        return True
    return False


def _block_size(problem: Problem, num_lanes: int, settings: Settings, devices: Devices) -> int:
    """Lanes that are advanced together, on one device."""
    itemsize = np.dtype(problem.dtype).itemsize
    # Beyond one approximation from the pairs of the direction, for which there is room among the rows.
    more_pairs = 2 * (_num_kept(settings) - settings.history_size)
    more_factors = 2 * (_num_slots(settings) * covariance_history(settings) - settings.history_size)
    per_lane = (8 * MAX_ROWS + more_pairs + max(0, more_factors)) * problem.dim * itemsize
    if problem.batched:
        assert problem.num_fits is not None
        per_fit = num_lanes // problem.num_fits
        return per_fit * devices.lanes_per_batch(per_lane * per_fit, -(-problem.num_fits // len(devices)))
    if devices.is_cpu:
        return CPU_PATHS
    return devices.lanes_per_batch(per_lane, -(-num_lanes // len(devices)))


@dataclass
class _Block:
    """The lanes that are advanced together, with what the host knows about them."""

    problem: Problem
    starts: Start
    elbo_keys: Any
    settings: Settings
    devices: Devices
    number: int  # of this block, which says on which device it is
    lanes: np.ndarray
    size: int
    seconds: dict[str, float] = field(default_factory=lambda: {"paths": 0.0, "elbo": 0.0})

    def __post_init__(self):
        problem, settings, devices = self.problem, self.settings, self.devices
        itemsize = np.dtype(problem.dtype).itemsize
        self.is_race = settings.schedule == "race"
        self.draws_per_lane = settings.num_race_draws if self.is_race else settings.num_elbo_draws
        self.num_candidates = len(BANKS[settings.diagonals])
        self.follows_secant = "secant" in BANKS[settings.diagonals]
        vectors_per_row = 5 + self.follows_secant
        row_bytes = vectors_per_row * problem.dim * itemsize * self.size
        # The pairs kept for the covariance alone take the place of rows.
        kept_rows = -(-2 * (_num_kept(settings) - settings.history_size) // vectors_per_row)
        self.num_rows = max(8, devices.lanes_per_batch(row_bytes, MAX_ROWS + kept_rows) - kept_rows)
        batch_size = scoring_batch_size(problem, settings, devices, self.draws_per_lane)
        # The candidates of an iterate are in one batch.
        self.batch_size = max(1, batch_size // self.num_candidates) * self.num_candidates
        self.data = problem.data
        if problem.batched:
            assert problem.num_fits is not None
            per_fit = self.starts.center.shape[0] // problem.num_fits
            # Unused lanes at the end repeat the last data set.
            fits = np.minimum(np.arange(self.size // per_fit) + self.lanes[0] // per_fit, problem.num_fits - 1)
            self.data = _take(problem.data, fits)
            self.fit_of_lane = np.arange(self.size) // per_fit
        else:
            self.fit_of_lane = np.zeros(self.size, np.int64)
        count = len(self.lanes)
        self.status = np.zeros(count, np.int64)
        self.phase = np.zeros(count, np.int64)
        self.num_gradients = np.zeros(count, np.int64)
        self.num_iterations = np.zeros(count, np.int64)
        nowhere = np.zeros((count, problem.dim), problem.dtype)
        self.tries = Tries(
            nowhere,
            np.full(count, -np.inf),
            nowhere,
            np.zeros(count, np.int64),
            np.zeros((count, _lbfgs.MAX_INIT_TRIES), bool),
        )
        self.num_rejected = np.zeros(count, np.int64)
        self.all_started = False
        self.elbo = np.full(count, -np.inf)
        self.elbo_standard_error = np.full(count, np.nan)
        self.best_iteration = np.full(count, -1)
        self.num_elbo_draws = np.zeros(count, np.int64)
        self.tables: list[list[Iterations]] = [[] for _ in range(count)]
        self.trajectories: list[list] = [[] for _ in range(count)]
        self.finalists = Finalists(self.size, _num_slots(settings))
        self.jaxopt: JaxoptAdvance | None = None
        if settings.optimizer == "jaxopt":
            self.jaxopt = JaxoptAdvance(problem.density, settings.history_size, self._data_of_lane)

    def _data_of_lane(self, lane: int) -> Any:
        if not self.problem.batched:
            return self.data
        return jax.tree_util.tree_map(lambda leaf: leaf[self.fit_of_lane[lane]], self.data)

    def run(self, check, report) -> Generator[None, None, None]:
        """All chunks of these lanes; yields when the device has been given work."""
        settings = self.settings
        tolerances = Tolerances.from_settings(settings, self.problem.dtype)
        with self._timed("paths"):
            padded = np.minimum(np.arange(self.size) + self.lanes[0], self.lanes[-1])
            self.data, (starts, self.keys) = self.devices.put(
                (self.data, _take((self.starts, self.elbo_keys), padded)), self.number
            )
            unused = np.arange(self.size) >= len(self.lanes)
            paths = _start_lanes(
                starts,
                unused,
                num_kept=_num_kept(settings),
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
                    paths = self._advance(paths, self.data, tolerances, steps)
                unscored = True
                yield
                with self._timed("paths"):
                    num_recorded = np.asarray(paths.state.num_recorded)
                    done = np.all(np.asarray(paths.state.phase) == _lbfgs.DONE)
                # Calls last about SECONDS_PER_CALL, so that the host is never away for long.
                elapsed = time.perf_counter() - begin
                steps = int(np.clip(steps * SECONDS_PER_CALL / max(elapsed, 1e-9), 1, min(4 * steps, MOST_STEPS)))
                # Scoring goes by the number of iterates and never by the clock, which must not change results.
                if done or np.any(num_recorded >= self.num_rows):
                    unscored = False
                    yield from self._take_in(paths, report)
                    if not done:
                        stalled = self._end_stalled()
                        paths = _rewind_lanes(paths, stalled, num_kept=_num_kept(settings))
                        done = np.all(np.asarray(paths.state.phase) == _lbfgs.DONE)
            yield from self._end(report)
        except (Interrupt, KeyboardInterrupt):
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
            report([self._report(lane, _concatenated([])) for lane in range(len(self.lanes))])

    def _advance(self, paths: Path, data: Any, tolerances: Tolerances, steps: int) -> Path:
        if self.jaxopt is not None:
            return self.jaxopt(paths, tolerances, steps)
        return advance(
            paths,
            data,
            tolerances,
            jnp.int32(steps),
            density=self.problem.density,
            history_size=self.settings.history_size,
            batched=self.problem.batched,
        )

    def _end_stalled(self) -> np.ndarray:
        """Choose the lanes that are to end because their ELBO has not improved for long."""
        stalled = np.zeros(self.size, bool)
        patience = self.settings.elbo_patience
        if patience is not None:
            waited = self.num_iterations - np.maximum(self.best_iteration, 0) >= patience
            stalled[: len(self.lanes)] = waited & (self.phase != _lbfgs.DONE)
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
            is_looking = self.phase == _lbfgs.STARTING
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
        return score_lanes(
            approximations, keys, self.fit_of_lane[lanes], self.data, density=self.problem.density,
            batched=self.problem.batched,
        )  # fmt: skip

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
        size = scoring_batch_size(self.problem, self.settings, self.devices)
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
        fields = jax.tree_util.tree_map(np.asarray, approximations)
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
            if len(table.iteration) or self.phase[lane] == _lbfgs.DONE:
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


def _join(blocks: list[_Block], devices: Devices, num_lanes: int, interrupted: bool) -> PathOutcomes:
    def joined(name):
        return np.concatenate([getattr(block, name) for block in blocks])

    chosen = [block.finalists.best for block in blocks]
    template = next((best for best in chosen if best is not None), None)
    parts = []
    for block, best in zip(blocks, chosen, strict=True):
        if best is None and template is not None:
            best = jax.tree_util.tree_map(lambda leaf: jnp.full_like(leaf, jnp.nan), template)
        count = len(block.lanes)
        parts.append(devices.put(best if count == block.size else _take(best, np.arange(count)), 0))
    approximations = (
        parts[0] if len(parts) == 1 else jax.tree_util.tree_map(lambda *rows: jnp.concatenate(rows), *parts)
    )
    tables = [table for block in blocks for table in block.tables]
    trajectories = None
    if blocks[0].settings.save_trajectory:
        trajectories = [_trajectory(rows) for block in blocks for rows in block.trajectories]
    return PathOutcomes(
        approximations=approximations,
        status=joined("status"),
        best_iteration=joined("best_iteration"),
        elbo=joined("elbo"),
        elbo_standard_error=joined("elbo_standard_error"),
        num_iterations=joined("num_iterations"),
        num_gradients=joined("num_gradients"),
        num_elbo_draws=joined("num_elbo_draws"),
        tries=jax.tree_util.tree_map(lambda *leaves: np.concatenate(leaves), *[block.tries for block in blocks]),
        num_rejected=joined("num_rejected"),
        iterations=[_concatenated(parts) for parts in tables],
        trajectories=trajectories,
        seconds={stage: sum(block.seconds[stage] for block in blocks) for stage in ("paths", "elbo")},
        interrupted=interrupted,
    )


def _trajectory(rows: list[Trajectory]) -> Trajectory | None:
    if not rows:
        return None
    return jax.tree_util.tree_map(lambda *leaves: np.stack(leaves), *rows)


def _concatenated(parts: list[Iterations]) -> Iterations:
    if not parts:
        empty = np.zeros(0)
        return Iterations(*[empty] * len(Iterations._fields))
    return Iterations(*[np.concatenate(columns) for columns in zip(*parts, strict=True)])
