"""Many paths at once: blocks of L-BFGS lanes driven from the host, and the best approximation along each path.

Paths are lanes of a batch. A compiled `advance` moves all lanes of a block by some steps; the accepted iterates are
then made into approximations, packed into batches, and scored. Between calls the host reports progress and honours
interrupts and time limits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from itertools import islice

import numpy as np
from jaxtyping import UInt32

from pathfinder._arrays.devices import Devices
from pathfinder._arrays.namespace import Array, joined_rows, nan_rows, rows
from pathfinder._density.batch_sizes import block_size
from pathfinder._density.either import Density
from pathfinder._errors import Interrupt
from pathfinder._normals.low_rank import LowRankNormal
from pathfinder._optimizer.start import Start
from pathfinder._paths.driver import Block
from pathfinder._paths.outcomes import PathOutcomes, PathReport, concatenated
from pathfinder._settings import Settings


def run_paths(
    density: Density,
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
        density: What to fit.
        starts: Where each lane may start.
        elbo_keys: Key of each lane for the draws that estimate ELBOs.
        settings: Options.
        devices: Where to run.
        check: Called between chunks; ends all paths early by raising `Interrupt`.
        report: Called with the progress of the lanes that moved, in order, after each scoring.
    """
    num_lanes = starts.center.shape[0]
    size = block_size(density, num_lanes, settings, devices)
    blocks = []
    for first in range(0, num_lanes, size):
        lanes = np.arange(first, min(first + size, num_lanes))
        blocks.append(Block(density, starts, elbo_keys, settings, devices, len(blocks), lanes, size))
    interrupted = _run_blocks(blocks, len(devices), check, report)
    for block in blocks:
        block.finish()
    return _join(blocks, devices, interrupted)


def _run_blocks(blocks: list[Block], at_a_time: int, check, report) -> bool:
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
        # The others wait at a `yield`; raised there, the interrupt makes them score what they have recorded.
        for block in running:
            with suppress(Interrupt, StopIteration):
                block.throw(Interrupt)
        # Those that had no turn yet end where they would have started.
        for block in waiting:
            with suppress(Interrupt):
                for _ in block.run(_interrupt, report):
                    pass
        return True


def _interrupt() -> None:
    raise Interrupt


def _goes_on(block: Generator[None, None, None]) -> bool:
    for _ in block:
        return True
    return False


def _join(blocks: list[Block], devices: Devices, interrupted: bool) -> PathOutcomes:
    def joined(name, of=lambda block: block):
        return np.concatenate([getattr(of(block), name) for block in blocks])

    def estimated(name):
        return joined(name, lambda block: block.elbos)

    chosen = [block.elbos.finalists.best for block in blocks]
    template = next((best for best in chosen if best is not None), None) or _nowhere(blocks[0])
    parts = []
    for block, best in zip(blocks, chosen, strict=True):
        if best is None:
            best = nan_rows(template, count=block.size)
        parts.append(devices.put(rows(best, np.arange(len(block.lanes))), 0))
    tables = [table for block in blocks for table in block.tables.iterations]
    trajectories = None
    if blocks[0].settings.save_trajectory:
        trajectories = [block.tables.trajectory(lane) for block in blocks for lane in range(len(block.lanes))]
    return PathOutcomes(
        approximations=parts[0] if len(parts) == 1 else joined_rows(parts),
        status=joined("status"),
        best_iteration=estimated("best_iteration"),
        elbo=estimated("best"),
        elbo_standard_error=estimated("standard_error"),
        num_iterations=joined("num_iterations"),
        num_gradients=joined("num_gradients"),
        num_elbo_draws=estimated("num_draws"),
        tries=joined_rows([block.tries for block in blocks]),
        num_rejected=joined("num_rejected"),
        iterations=[concatenated(parts) for parts in tables],
        trajectories=trajectories,
        seconds={
            "paths": sum(block.seconds for block in blocks), "elbo": sum(block.elbos.seconds for block in blocks)
        },
        interrupted=interrupted,
    )  # fmt: skip


def _nowhere(block: Block) -> LowRankNormal:
    """Approximations of lanes none of which has any: NaN, like those of lanes that failed beside others."""
    density, size = block.density, block.size
    shapes = (size, density.dim), (size, density.dim), (size, density.dim, 1), (size, 1, 1)
    return block.density.arrays(LowRankNormal(*(np.full(shape, np.nan, density.dtype) for shape in shapes)))
