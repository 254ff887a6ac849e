"""Stan programs: from the text to a compiled gradient, and gradients beside those of stanli.

Run it with `python -m benchmarks.stan`; `benchmarks/README.md` says how to read the table.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import gmean

from benchmarks.stan_data import SIMULATORS
from benchmarks.tables import Table
from pathfinder import Model
from pathfinder._arrays.vectorized import over_lanes
from pathfinder.stan import check, parse
from pathfinder.stan._program.data import read_data, take_from
from pathfinder.stan._program.model_fields import model_fields


PROGRAMS = Path(__file__).resolve().parent / "programs"
BATCH = 64
TOLERANCE = 1e-7  # relative, of gradients and of differences of log densities
SECONDS = 0.3  # for which each gradient is repeated


Gradient = Callable[[np.ndarray], tuple[float, np.ndarray]]


class Times(NamedTuple):
    """Seconds of each stage, and of one gradient."""

    check: float
    bind: float
    compile: float
    single: float
    batched: float
    stanli: float


def peer_gradient(text: str, data: dict[str, Any]) -> Gradient:
    """The gradient of stanli, which compiles Stan's own library of densities."""
    import stanli

    return stanli.Model(stan_code=text, data=data).log_prob_grad


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    output = function()
    return time.perf_counter() - began, output


def repeated(function: Callable[[], Any]) -> float:
    """Seconds of a warm call: the least of many, which other work on the machine disturbs least."""
    function()
    calls, began = [], time.perf_counter()
    while len(calls) < 5 or time.perf_counter() - began < SECONDS:
        calls.append(timed(function)[0])
    return min(calls)


def measured(name: str) -> Times:
    """The times of one program.

    Raises:
        AssertionError: If log densities or gradients differ from those of stanli.
    """
    rng = np.random.default_rng(1)
    text = (PROGRAMS / f"{name}.stan").read_text()
    data = json.loads(json.dumps(SIMULATORS[name](rng), default=lambda value: value.tolist()))
    checking, checked = timed(lambda: check(parse(text)))
    binding, model = timed(lambda: Model(**model_fields(checked, read_data(checked, take_from(data)))))
    positions = jnp.asarray(rng.uniform(-0.5, 0.5, (BATCH, model.dim)))
    position = positions[0]
    gradient = jax.value_and_grad(model.density)
    single = jax.jit(gradient)
    batched = jax.jit(lambda positions, data: over_lanes(lambda position: gradient(position, data))(positions))
    compiling, _ = timed(lambda: jax.block_until_ready(single(position, model.data)))
    peer = peer_gradient(text, data)
    points = [np.asarray(position) for position in positions]
    agree(name, single, model.data, peer, points[:4])
    return Times(
        check=checking,
        bind=binding,
        compile=compiling,
        single=repeated(lambda: jax.block_until_ready(single(position, model.data))),
        batched=repeated(lambda: jax.block_until_ready(batched(positions, model.data))) / BATCH,
        stanli=repeated(lambda: peer(points[0])),
    )


def agree(name: str, gradient: Callable[..., Any], data: Any, peer: Gradient, points: Sequence[np.ndarray]) -> None:
    """Compare gradients, and log densities up to the constants that stanli drops."""
    ours = [gradient(jnp.asarray(point), data) for point in points]
    theirs = [peer(point) for point in points]
    constant = float(ours[0][0]) - theirs[0][0]
    for (value, score), (peer_value, peer_score) in zip(ours, theirs, strict=True):
        assert abs(float(value) - constant - peer_value) <= TOLERANCE * max(1.0, abs(peer_value)), f"{name}: density"
        scale = max(1.0, float(np.max(np.abs(peer_score))))
        np.testing.assert_allclose(score, peer_score, rtol=0, atol=TOLERANCE * scale, err_msg=name)


def table(times: dict[str, Times]) -> Table:
    """One row per program, and geometric means of the ratios."""
    rows = [
        [
            name, *(f"{1e3 * seconds:.0f}" for seconds in row[:3]), *(f"{1e6 * seconds:.1f}" for seconds in row[3:]),
            f"{row.stanli / row.single:.2f}", f"{row.stanli / row.batched:.2f}",
        ]
        for name, row in times.items()
    ]  # fmt: skip
    single = gmean([row.stanli / row.single for row in times.values()])
    batched = gmean([row.stanli / row.batched for row in times.values()])
    rows.append(["geometric mean", *[""] * 6, f"{single:.2f}", f"{batched:.2f}"])
    header = [
        "program", "check, ms", "bind", "compile", "gradient, us", f"in batches of {BATCH}", "stanli",
        "stanli / gradient", "stanli / batched",
    ]  # fmt: skip
    notes = [
        "Check: parsing and types. Bind: reading the data, transformed data, and tracing the log density and what "
        "gives constrained values. Compile: the gradient, traced and compiled by XLA.",
        f"Batched: {BATCH} points at once, as the engine takes them, per point. stanli: one at a time, in one thread.",
        f"Gradients: the fastest of the calls within {SECONDS} seconds.",
        f"Gradients agree to {TOLERANCE:.0e}, relative to the largest component.",
    ]
    return Table("Stan programs", header, rows, notes)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stan", description=__doc__.splitlines()[0])
    parser.add_argument("--program", nargs="+", choices=list(SIMULATORS), default=list(SIMULATORS))
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    options = parser.parse_args(arguments)
    with jax.enable_x64(True):
        print(table({name: measured(name) for name in options.program}).render(options.markdown))


if __name__ == "__main__":
    main()
