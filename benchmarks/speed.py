"""First and later calls beside BlackJAX, paths per second, overhead, many data sets, and large dimensions.

Run it with `python -m benchmarks.speed`; `benchmarks/README.md` says how to read the tables.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import distributions, version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

import pathfinder
import psis
from benchmarks.accuracy import PLAIN
from benchmarks.models import eight_schools_noncentered
from benchmarks.tables import Table
from pathfinder._arrays.devices import CPU_PATHS, Devices
from pathfinder._density.batch_sizes import scoring_batch_size
from pathfinder._density.compiled import CompiledDensity


ROOT = Path(__file__).resolve().parent.parent
MIB = 2**20


class Scale(NamedTuple):
    """How much is run."""

    first_calls: int = 3
    later_calls: int = 50
    retraced_calls: int = 5  # of a peer that compiles again in each
    num_draws: int = 1000
    num_paths: tuple[int, ...] = (1, 4, 16, 64, 256, 1024)
    dims: tuple[int, ...] = (10, 100, 1000)
    num_fits: int = 1000
    single_fits: int = 50
    large_dims: tuple[int, ...] = (1_000, 10_000, 100_000)
    large_iterations: int = 100


FULL = Scale()
QUICK = Scale(
    first_calls=1, later_calls=10, retraced_calls=2, num_paths=(1, 4, 16, 64), dims=(10, 100), num_fits=100,
    single_fits=10, large_dims=(1_000, 10_000),
)  # fmt: skip


SAME_WORK = {"num_paths": 4, "max_lbfgs_iters": 30, "history_size": 5}
BLACKJAX_DRAWS = 200  # its default


def eight_schools() -> pathfinder.Model:
    data = json.loads((ROOT / "examples" / "eight_schools.data.json").read_text())
    return eight_schools_noncentered.model(data)


def pathfinder_call(num_draws: int) -> Callable[[int], Any]:
    model = eight_schools()
    settings = pathfinder.Settings(num_draws=num_draws, num_psis_draws=num_draws, **SAME_WORK, **PLAIN)

    def call(seed):
        result = pathfinder.fit(model, seed=seed, progress=False, settings=settings)
        _ = result.unconstrained_draws
        return result

    return call


def blackjax_call(num_draws: int, *, jitted: bool) -> Callable[[int], Any]:
    from blackjax.vi.multipathfinder import multi_approximate

    model = eight_schools()

    def approximate(key, starts):
        return multi_approximate(
            key,
            lambda position: model.density(position, model.data),
            starts,
            num_draws,
            maxiter=SAME_WORK["max_lbfgs_iters"],
            maxcor=SAME_WORK["history_size"],
        )[0]

    function = jax.jit(approximate) if jitted else approximate

    def call(seed):
        starts = np.random.default_rng(seed).uniform(-2, 2, (SAME_WORK["num_paths"], model.dim))
        return jax.block_until_ready(function(jax.random.key(seed), jnp.asarray(starts, model.dtype)))

    return call


OURS = "pathfinder-vi"
RETRACED = "BlackJAX"
ENGINES: dict[str, Callable[[int], Callable[[int], Any]]] = {
    OURS: pathfinder_call,
    RETRACED: partial(blackjax_call, jitted=False),
    "BlackJAX in jax.jit": partial(blackjax_call, jitted=True),
}


def pareto_k(output: Any) -> float:
    """k-hat of the draws of any engine, with the importance weights that it uses."""
    if isinstance(output, pathfinder.PathfinderResult):
        return output.pareto_k
    return float(psis.smooth_log_weights(np.ravel(output.logp - output.logq)).pareto_k)


def first_call(engine: str, num_draws: int) -> tuple[float, float]:
    """Seconds and k-hat of the first call in this process."""
    call = ENGINES[engine](num_draws)
    elapsed, output = timed(lambda: call(1))
    return elapsed, pareto_k(output)


def later_call(engine: str, num_draws: int, num_calls: int) -> tuple[float, float]:
    """Median seconds and k-hat of calls after the first, each with another seed."""
    call = ENGINES[engine](num_draws)
    call(0)
    calls = [timed(lambda seed=seed: call(seed)) for seed in range(1, num_calls + 1)]
    return median(elapsed for elapsed, _ in calls), median(pareto_k(output) for _, output in calls)


def first_calls(scale: Scale) -> Table:
    """First calls, each in a process of its own."""
    # Round by round, so that a machine that becomes busy does so for every engine.
    rounds = [[in_fresh_process("first_call", *case) for case in call_cases(scale)] for _ in range(scale.first_calls)]
    return calls_table("First call on eight schools", scale, np.median(rounds, axis=0))


def later_calls(scale: Scale) -> Table:
    """Calls after the first."""
    measured = [
        later_call(engine, num_draws, scale.retraced_calls if engine == RETRACED else scale.later_calls)
        for engine, num_draws in call_cases(scale)
    ]
    return calls_table("Later calls on eight schools", scale, measured)


def call_cases(scale: Scale) -> list[tuple[str, int]]:
    """Engines and draws per path, ours first."""
    peers = [engine for engine in ENGINES if engine != OURS]
    return [(OURS, scale.num_draws), *[(peer, draws) for peer in peers for draws in (scale.num_draws, BLACKJAX_DRAWS)]]


def calls_table(title: str, scale: Scale, measured: ArrayLike) -> Table:
    """The table of seconds and k-hat of each of `call_cases`."""
    rows = []
    ours = np.asarray(measured)[0, 0]
    for (engine, num_draws), (elapsed, k) in zip(call_cases(scale), np.asarray(measured), strict=True):
        per_elbo = pathfinder.Settings().num_elbo_draws if engine == OURS else num_draws
        ratio = "" if engine == OURS else f"{ours / elapsed:.3f}"
        rows.append([engine, str(num_draws), str(per_elbo), f"{elapsed:.4f}", ratio, f"{k:.2f}"])
    header = ["engine", "draws per path", "draws per ELBO", "seconds", "ours / this", "k-hat"]
    notes = [
        "4 paths, at most 30 iterations, history 5. BlackJAX has one number for the draws of each ELBO and those it "
        f"returns from each path; {BLACKJAX_DRAWS} is its default.",
        "The model is imported and made before the clock starts. Our time includes random initial points, importance "
        "weights, smoothing and resampling; BlackJAX's does not.",
    ]
    return Table(title, header, rows, notes)


ROWS = 100
MANY_ROWS = 1000  # of a density that costs more than a draw
PATHS_WITH_MANY_ROWS = 16


def logistic_regression(params, data):
    logits = data["x"] @ params
    return jnp.sum(data["y"] * logits - jnp.logaddexp(logits, jnp.zeros_like(logits))) - 0.5 * jnp.sum(params**2)


def logistic_data(num_fits: int, num_rows: int, dim: int, dtype: Any) -> dict[str, np.ndarray]:
    """Data sets drawn from the model, on the leading axis; columns are correlated."""
    rng = np.random.default_rng(dim)
    x = rng.standard_normal((num_fits, num_rows, dim)) + rng.standard_normal((num_fits, num_rows, 1))
    x /= np.sqrt(dim)
    logits = np.einsum("fnd,fd->fn", x, rng.standard_normal((num_fits, dim)))
    y = rng.uniform(size=logits.shape) < 1 / (1 + np.exp(-logits))
    return {"x": x.astype(dtype), "y": y.astype(dtype)}


def logistic_model(data: dict[str, np.ndarray]) -> pathfinder.Model:
    """The model of the first data set."""
    first = jax.tree_util.tree_map(lambda leaf: leaf[0], data)
    x = first["x"]
    return pathfinder.Model.from_log_density(logistic_regression, np.zeros(x.shape[1], x.dtype), data=first)


class Throughput(NamedTuple):
    """A warm fit, and the density alone."""

    seconds: float
    bare_seconds: float
    num_gradients: int
    num_densities: int


@cache
def throughput(num_paths: int, dim: int, dtype: str, num_rows: int) -> Throughput:
    """Time a fit of many paths, and as many evaluations of the density in the same batches.

    The density is a logistic regression; there are 25 draws per path, so that the paths dominate.
    """
    model = logistic_model(logistic_data(1, num_rows, dim, dtype))
    settings = pathfinder.Settings(num_paths=num_paths, num_draws=25, num_psis_draws=25, **PLAIN)

    def fit():
        result = pathfinder.fit(model, seed=1, progress=False, settings=settings)
        _ = result.unconstrained_draws
        return result

    result = fit()
    elapsed = median(timed(fit)[0] for _ in range(3 if num_paths <= 64 else 1))
    devices = Devices.choose()
    density = CompiledDensity(model.density, model.dim, model.dtype, model.data)
    lanes = CPU_PATHS if devices.is_cpu else num_paths
    draws = scoring_batch_size(density, settings, devices) * settings.num_elbo_draws
    bare = bare_seconds(model, result.num_gradients, lanes, gradient=True)
    bare += bare_seconds(model, result.num_densities, draws, gradient=False)
    return Throughput(elapsed, bare, result.num_gradients, result.num_densities)


def bare_seconds(model: pathfinder.Model, count: int, batch: int, *, gradient: bool) -> float:
    """Seconds of `count` evaluations in batches, in one compiled loop that does nothing else."""

    @jax.jit
    def loop(positions, data, num_batches):
        def body(_, positions):
            if gradient:
                _, scores = jax.vmap(jax.value_and_grad(model.density), in_axes=(0, None))(positions, data)
                return positions + 1e-6 * scores
            values = jax.vmap(model.density, in_axes=(0, None))(positions, data)
            return positions + 1e-9 * values[:, None]  # so that no evaluation can be left out

        return jax.lax.fori_loop(0, num_batches, body, positions)

    positions = jnp.asarray(np.random.default_rng(0).standard_normal((batch, model.dim)), model.dtype)
    arguments = positions, model.data, jnp.int32(-(-count // batch))
    jax.block_until_ready(loop(*arguments))
    return median(timed(lambda: jax.block_until_ready(loop(*arguments)))[0] for _ in range(3))


def dtypes() -> tuple[str, ...]:
    return ("float64",) if Devices.choose().is_cpu else ("float32", "float64")


def paths_per_second(scale: Scale) -> Table:
    """Throughput for all numbers of paths and dimensions."""
    rows = []
    for dtype in dtypes():
        for dim in scale.dims:
            rates = [num_paths / throughput(num_paths, dim, dtype, ROWS).seconds for num_paths in scale.num_paths]
            rows.append([f"D = {dim}, {dtype}", *[f"{rate:.3g}" for rate in rates]])
    notes = [
        f"Logistic regression with {ROWS} rows, passed as data; 25 draws per path; warm; draws on the host included."
    ]
    return Table("Paths per second", ["", *[f"P = {number}" for number in scale.num_paths]], rows, notes)


def overhead(scale: Scale) -> Table:
    """The time of the same fits over that of the density alone."""
    rows = []
    for dtype in dtypes():
        for dim in scale.dims:
            cases = [(num_paths, ROWS) for num_paths in scale.num_paths]
            for num_paths, num_rows in [*cases, (min(PATHS_WITH_MANY_ROWS, max(scale.num_paths)), MANY_ROWS)]:
                fit = throughput(num_paths, dim, dtype, num_rows)
                rows.append(
                    [
                        f"D = {dim}, {num_rows} rows, P = {num_paths}, {dtype}", str(fit.num_gradients),
                        str(fit.num_densities), f"{fit.seconds:.4f}", f"{fit.bare_seconds:.4f}",
                        f"{fit.seconds / fit.bare_seconds:.2f}",
                    ]
                )  # fmt: skip
    notes = [
        "Fits as for the paths per second, and one with a density that costs more. Bare: the same numbers of gradients "
        "and of densities, in batches as large as the fit's, in one compiled loop."
    ]
    header = ["", "gradients", "densities", "fit, seconds", "bare, seconds", "ratio"]
    return Table("Overhead over the density", header, rows, notes)


def eight_schools_data(num_fits: int) -> dict[str, np.ndarray]:
    """Data sets like that of the eight schools."""
    rng = np.random.default_rng(8)
    sigma = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    effects = rng.normal(5, 1, (num_fits, 1)) + np.abs(rng.normal(0, 8, (num_fits, 1))) * rng.normal(size=(num_fits, 8))
    return {"y": rng.normal(effects, sigma), "sigma": np.tile(sigma, (num_fits, 1))}


def many_data_sets(scale: Scale) -> Table:
    """`fit_batch` beside a loop of `fit`."""
    logistic = logistic_data(scale.num_fits, 100, 5, np.float64)
    rows = [
        batch_row("eight schools", eight_schools(), eight_schools_data(scale.num_fits), scale),
        batch_row("logistic regression, N = 100, D = 5", logistic_model(logistic), logistic, scale),
    ]
    header = ["", "first call, seconds", "fits per second", "loop of fit", "ratio", "succeeded", "k-hat good"]
    notes = [
        f"{scale.num_fits} data sets in one call of `fit_batch`, 4 paths and {scale.num_draws} draws each; the loop is "
        f"measured over {min(scale.single_fits, scale.num_fits)} of them. Warm but for the first call; draws of all "
        "variables on the host included.",
        "k-hat good: at most the threshold for the number of draws.",
    ]
    return Table("Many data sets", header, rows, notes)


def batch_row(name: str, model: pathfinder.Model, data: Any, scale: Scale) -> list[str]:
    first, _ = timed(lambda: fit_all(model, data, scale.num_draws, seed=0))
    later, result = timed(lambda: fit_all(model, data, scale.num_draws, seed=1))
    together, one_by_one = scale.num_fits / later, singles_per_second(model, data, scale)
    threshold = psis.pareto_k_threshold(result.settings.num_paths * scale.num_draws)
    return [
        name, f"{first:.2f}", f"{together:.1f}", f"{one_by_one:.1f}", f"{together / one_by_one:.2f}",
        str(result.succeeded.sum()), str(np.sum(result.pareto_k <= threshold)),
    ]  # fmt: skip


def fit_all(model: pathfinder.Model, data: Any, num_draws: int, seed: int) -> pathfinder.BatchResult:
    options = {"num_draws": num_draws, "num_psis_draws": num_draws, **PLAIN}
    result = pathfinder.fit_batch(model, data, seed=seed, progress=False, **options)
    _ = result.draws
    return result


def singles_per_second(model: pathfinder.Model, data: Any, scale: Scale) -> float:
    """Data sets fitted one by one; the first compiles and does not count."""
    count = min(scale.single_fits, scale.num_fits)
    models = [
        replace(model, data=jax.tree_util.tree_map(lambda leaf, i=i: jnp.asarray(leaf[i]), data)) for i in range(count)
    ]

    def fit(own):
        options = {"num_draws": scale.num_draws, "num_psis_draws": scale.num_draws, **PLAIN}
        return pathfinder.fit(own, seed=1, progress=False, **options).draws

    fit(models[0])
    return count / timed(lambda: [fit(own) for own in models])[0]


def diagonal_plus_rank_one(params, data):
    return -0.5 * (jnp.sum(data["diagonal"] * params**2) + (data["direction"] @ params) ** 2)


def large_fit(dim: int, num_draws: int, num_iterations: int) -> dict[str, float]:
    """Time and memory of a first and a later fit in this process."""
    imported = peak_memory()
    rng = np.random.default_rng(0)
    diagonal = 10 ** rng.uniform(0, 4, dim)
    direction = rng.standard_normal(dim) * 10 / np.sqrt(dim) * np.sqrt(diagonal)
    # No tolerance ends a path before its last iteration.
    never = dict.fromkeys(("tol_obj", "tol_rel_obj", "tol_grad", "tol_rel_grad", "tol_param"), 1e-300)
    settings = pathfinder.Settings(
        num_draws=num_draws,
        num_psis_draws=num_draws,
        max_lbfgs_iters=num_iterations,
        elbo_patience=None,
        **PLAIN,
        **never,
    )
    model = pathfinder.Model.from_log_density(
        diagonal_plus_rank_one, np.zeros(dim), data={"diagonal": diagonal, "direction": direction}
    )

    def fit(seed):
        result = pathfinder.fit(model, seed=seed, progress=False, settings=settings)
        assert np.isfinite(result.unconstrained_draws).all()
        return result

    first = timed(lambda: fit(0))[0]  # its draws are let go before the second
    later, result = timed(lambda: fit(1))
    best = max((path for path in result.paths if path.approximation is not None), key=lambda path: path.elbo)
    solved = direction / diagonal
    variance = 1 / diagonal - solved**2 / (1 + direction @ solved)
    return {
        "first": first,
        "later": later,
        "peak": peak_memory(),
        "beyond_imports": peak_memory() - imported,
        "iterations": sum(path.num_iterations for path in result.paths),
        "gradients": result.num_gradients,
        "densities": result.num_densities,
        "sd_error": float(np.median(np.abs(np.sqrt(best.approximation.variance / variance) - 1))),
    }


def peak_memory() -> int:
    """Bytes that this process has had resident at most."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux's getrusage counts the process that started this one in
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def large(scale: Scale) -> Table:
    """Time and memory as the dimension grows, each in a process of its own."""
    rows = []
    for dim in scale.large_dims:
        fit = in_fresh_process("large_fit", dim, scale.num_draws, scale.large_iterations)
        rows.append(
            [
                f"D = {dim}", f"{fit['first']:.2f}", f"{fit['later']:.2f}", f"{1e6 * fit['later'] / dim:.0f}",
                str(fit["iterations"]), str(fit["gradients"]), str(fit["densities"]), f"{fit['peak'] / MIB:.0f}",
                f"{fit['beyond_imports'] / MIB:.0f}", f"{fit['sd_error']:.3f}",
            ]
        )  # fmt: skip
    header = [
        "", "first call, seconds", "later call", "microseconds / D", "iterations", "gradients", "densities", "peak MiB",
        "beyond imports", "error of sd",
    ]  # fmt: skip
    notes = [
        "Normal whose precision is a diagonal from 1 to 10^4 plus a rank-one term; 4 paths, history 5, tolerances off; "
        f"{scale.num_draws} draws per path and as many returned, on the host. Two fits in a process of their own; the "
        "first compiles.",
        "Peak: resident memory of the process; beyond imports: more than before the fit. An accelerator's own memory "
        "is not in it.",
        "Error of sd: median over coordinates, relative, of the best path's approximation.",
    ]
    return Table("Large dimensions", header, rows, notes)


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a call takes, and what it returns."""
    began = time.perf_counter()
    output = function()
    return time.perf_counter() - began, output


def in_fresh_process(function: str, *arguments: Any) -> Any:
    """What a function of this file returns in a process of its own, without a compilation cache."""
    code = f"import json; from benchmarks import speed; print(json.dumps(speed.{function}(*{arguments!r})))"
    environment = {
        "JAX_ENABLE_X64": str(jax.config.jax_enable_x64),
        "JAX_ENABLE_COMPILATION_CACHE": "false",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # this process may hold most of the accelerator's memory
    }
    command = [sys.executable, "-c", code]
    finished = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(finished.stdout.splitlines()[-1])


def machine() -> str:
    """Devices and versions."""
    device = Devices.choose().row[0]
    installed = {distribution.name for distribution in distributions()}
    packages = [name for name in ("pathfinder-vi", "jax", "jaxlib", "numpy", "blackjax") if name in installed]
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return (
        f"{jax.local_device_count()} {device.platform} device(s) ({device.device_kind}), {os.cpu_count()} CPU cores "
        f"({platform.machine()}), Python {platform.python_version()}, {versions}."
    )


SECTIONS: dict[str, Callable[[Scale], Table]] = {
    "first": first_calls,
    "warm": later_calls,
    "paths": paths_per_second,
    "overhead": overhead,
    "batch": many_data_sets,
    "large": large,
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__.splitlines()[0])
    parser.add_argument("--section", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, paths, data sets and dimensions")
    parser.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    options = parser.parse_args(arguments)
    with jax.enable_x64(True):
        print(machine(), end="\n\n", flush=True)
        for section in options.section:
            table = SECTIONS[section](QUICK if options.quick else FULL)
            print(table.render(options.markdown), flush=True)


if __name__ == "__main__":
    main()
