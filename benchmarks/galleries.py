"""Published models of the galleries of other libraries, unmodified, fitted by Pathfinder and by the library's own NUTS.

Run it with `python -m benchmarks.galleries`; `benchmarks/README.md` says where the models come from.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from scipy.stats import wasserstein_distance

import pathfinder
from benchmarks.latency_cases import DENSITIES_AT_ONCE, GRADIENTS_AT_ONCE, ROOT
from benchmarks.tables import Table
from pathfinder._arrays.vectorized import over_lanes


Draws = Mapping[str, np.ndarray]
WARM_UP, SAMPLES = 1000, 1000
REFERENCE_CHAINS, REFERENCE_SAMPLES = 4, 4000
LATER_FITS = 5
RUNS = ("limit", "fit", "paths", "nuts", "reference")
GALLERIES = {"NumPyro": "numpyro_gallery", "PyMC": "pymc_gallery"}  # modules, which import the libraries


class Cost(NamedTuple):
    """CPU seconds in a process of its own, without any cache.

    Args:
        first: Of the first call, the adapter included.
        later: Of later calls with other seeds, in the median.
        about: What is said of the result.
    """

    first: float
    later: float
    about: str


def gallery_of(library: str) -> Any:
    """The module with the models of a library's gallery."""
    return import_module(f"benchmarks.{GALLERIES[library]}")


def run(gallery: str, name: str, what: str, file: Path) -> Cost:
    """What one process does: "limit", "fit", "paths", "nuts" or "reference"; writes draws by name to a file."""
    case = gallery_of(gallery).case(name)
    if what == "limit":
        return Cost(limit(case.model()), 0.0, "")
    if what in ("fit", "paths"):
        cost, draws = fitted(case.model, chains="auto" if what == "fit" else False)
    else:
        chains, samples = (1, SAMPLES) if what == "nuts" else (REFERENCE_CHAINS, REFERENCE_SAMPLES)
        begin = time.process_time()
        draws = case.nuts(1 if what == "nuts" else 0, chains, WARM_UP, samples)
        cost = Cost(time.process_time() - begin, 0.0, "")
    np.savez(file, **{key: np.asarray(values) for key, values in draws.items()})
    return cost


def limit(model: pathfinder.Model) -> float:
    """CPU seconds to compile the two programs that no fit can do without."""
    begin = time.process_time()
    for function, size in ((jax.value_and_grad(model.density), GRADIENTS_AT_ONCE), (model.density, DENSITIES_AT_ONCE)):

        def batched(points, data, function=function):
            return over_lanes(lambda point: function(point, data))(points)

        jax.jit(batched).lower(jax.ShapeDtypeStruct((size, model.dim), model.dtype), model.data).compile()
    return time.process_time() - begin


def fitted(make: Callable[[], pathfinder.Model], chains: str | bool) -> tuple[Cost, Draws]:
    """First and later fits with default options but for chains; the draws are those of the first."""
    seconds, results = [], []
    for seed in range(1 + LATER_FITS):
        begin = time.process_time()
        results.append(pathfinder.fit(make(), seed=seed, progress=False, cache=False, chains=chains))
        _ = results[-1].unconstrained_draws
        seconds.append(time.process_time() - begin)
    first = results[0]
    about = f"{first.draws_from}, k-hat {first.pareto_k:.2f}" + ("" if first.is_reliable else ", unreliable")
    return Cost(seconds[0], float(np.median(seconds[1:])), about), first.draws


def scaled_distance(draws: Draws, reference: Draws) -> tuple[float, float]:
    """Mean and largest 1-Wasserstein distance of the scalars of sites, in standard deviations of the reference."""
    found = []
    for name, expected in reference.items():
        columns = np.asarray(draws[name], float).reshape(len(draws[name]), -1).T
        for own, its in zip(columns, np.asarray(expected, float).reshape(len(expected), -1).T, strict=True):
            if np.std(its) > 1e-10:  # not where a factor of a correlation matrix is 0 or 1
                found.append(wasserstein_distance(own, its) / np.std(its))
    return float(np.mean(found)), float(np.max(found))


def in_fresh_process(gallery: str, name: str, what: str, file: Path) -> Cost:
    """`run` in a process that has compiled nothing."""
    arguments = [sys.executable, "-m", "benchmarks.galleries", "--run", gallery, name, what, str(file)]
    environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": ""}
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} of {name}: {done.stderr[-2000:]}")
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def measure(gallery: str, repeat: int) -> Table:
    """All models of a gallery."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in gallery_of(gallery).CASES:
            files = {what: Path(folder) / f"{name}.{what}.npz" for what in RUNS}
            costs = {what: [in_fresh_process(gallery, name, what, file)] for what, file in files.items()}
            for what in ("limit", "fit", "paths"):
                costs[what] += [in_fresh_process(gallery, name, what, files[what]) for _ in range(repeat - 1)]
            draws = {what: dict(np.load(files[what])) for what in ("fit", "nuts", "reference")}
            rows.append([name, *cells(costs, draws)])
    header = [
        "", "limit", "fit without chains", "fit / limit", "fit", "later fit", "W1/sd, mean", "largest", "NUTS",
        "W1/sd, mean", "largest", "our draws",
    ]  # fmt: skip
    notes = [
        "CPU seconds in processes of their own, without any cache; first fits with the making of the model from the "
        f"library's, the least of {repeat}; chains run where weights will not do.",
        "Limit: to compile the batched log density, and that with its gradient.",
        f"NUTS of the library: one chain of {WARM_UP} warm-up iterations and {SAMPLES} draws, with compilation.",
        f"W1/sd: distance of 1000 draws to {REFERENCE_CHAINS} chains of {REFERENCE_SAMPLES}, over all scalars.",
    ]
    return Table(f"Gallery of {gallery}", header, rows, notes)


def cells(costs: Mapping[str, Sequence[Cost]], draws: Mapping[str, Draws]) -> list[str]:
    """A row of the table."""
    first = {what: min(cost.first for cost in each) for what, each in costs.items()}
    later = min(cost.later for cost in costs["fit"])
    ours, theirs = (scaled_distance(draws[what], draws["reference"]) for what in ("fit", "nuts"))
    seconds = (first["limit"], first["paths"], first["paths"] / first["limit"], first["fit"])
    return [
        *(f"{value:.2f}" for value in seconds), f"{later:.3f}", *(f"{value:.3f}" for value in ours),
        f"{first['nuts']:.2f}", *(f"{value:.3f}" for value in theirs), costs["fit"][0].about,
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gallery", choices=GALLERIES, action="append", help="by default all")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    if arguments.run:
        gallery, name, what, file = arguments.run
        print(json.dumps(run(gallery, name, what, Path(file))))
        return
    for gallery in arguments.gallery or GALLERIES:
        print(measure(gallery, arguments.repeat).render(arguments.markdown))


if __name__ == "__main__":
    main()
