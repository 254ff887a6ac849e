"""Plain and refined Pathfinder in many dimensions, against exact moments or long runs of NUTS.

Run it with `python -m benchmarks.large`; `benchmarks/README.md` says how to read the tables.
"""

import argparse
import time
from collections.abc import Sequence

import jax
import numpy as np

import pathfinder
from benchmarks.accuracy import PLAIN
from benchmarks.large_models import (
    hierarchical_logistic,
    latent_process,
    long_run_of_nuts,
    low_rank_normal,
    second_order_walk,
    stochastic_volatility,
)
from benchmarks.tables import Table


VARIANTS = {
    "plain": PLAIN,
    "low rank": {"refine_form": "low_rank", "chains": False},
    "refined": {"chains": False},
    "default": {},
}


def moments_by_nuts(model: pathfinder.Model, quick: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviations from two chains that start where Pathfinder ends."""
    start = pathfinder.fit(model, seed=0, progress=False).unconstrained_draws.mean(axis=0)
    length = 100 if quick else 1000
    draws = long_run_of_nuts(model, start, length, length, 2)
    pooled = draws.reshape(-1, draws.shape[-1])
    return pooled.mean(axis=0), pooled.std(axis=0)


def row(name: str, variant: str, model: pathfinder.Model, mean: np.ndarray, sd: np.ndarray) -> list[str]:
    """One fit of a model: the errors of its draws and of its normal, and its cost."""
    pathfinder.fit(model, seed=1, progress=False, **VARIANTS[variant])  # compiles
    begin = time.perf_counter()
    result = pathfinder.fit(model, seed=2, progress=False, **VARIANTS[variant])
    draws = result.unconstrained_draws
    seconds = time.perf_counter() - begin
    errors = np.abs(draws.mean(axis=0) - mean) / sd, np.abs(np.log(draws.std(axis=0) / sd))
    best = max(result.paths, key=lambda path: path.elbo)
    elbo = result.refinement.modes[0].elbos[-1] if result.refinement else best.elbo
    return [
        name, variant, str(model.dim), f"{errors[0].mean():.3f}", f"{errors[0].max():.2f}", f"{errors[1].mean():.3f}",
        f"{errors[1].max():.2f}", f"{elbo:.1f}", str(result.num_gradients), str(result.num_densities),
        f"{result.pareto_k:.2f}", f"{seconds:.1f}",
    ]  # fmt: skip


def accuracy(quick: bool) -> Table:
    """Errors of all variants on five posteriors."""
    scale = 10 if quick else 1
    normal = low_rank_normal(5000 // scale)
    rows = [row("low-rank normal", variant, *normal) for variant in VARIANTS]
    for name, model in (
        ("hierarchical logistic", hierarchical_logistic(1995 // scale)),
        ("latent process", latent_process(998 // scale)),
        ("stochastic volatility", stochastic_volatility(1000 // scale)),
        ("second-order walk", second_order_walk(500 // scale)),
    ):
        moments = moments_by_nuts(model, quick)
        rows += [row(name, variant, model, *moments) for variant in VARIANTS]
    header = [
        "posterior", "variant", "D", "mean error", "largest", "sd error", "largest", "ELBO", "gradients", "densities",
        "k-hat", "seconds",
    ]  # fmt: skip
    notes = [
        "Mean error: |difference of means| / sd, over the parameters; sd error: |log ratio of standard deviations|. "
        "1000 exact draws have a mean error of 0.025 and an sd error of 0.018.",
        "Against exact moments for the normal, else against two chains of NumPyro's NUTS, 1000 draws each after as "
        "many of warm-up.",
        "Seconds: a second fit, whose programs are compiled.",
    ]
    return Table("Many dimensions", header, rows, notes)


def cost(quick: bool) -> Table:
    """Seconds of refinement as the dimension grows."""
    rows = []
    for dim in (300, 600) if quick else (1000, 4000, 16000):
        model, mean, sd = low_rank_normal(dim)
        result = None
        for seed in (1, 2):
            result = pathfinder.fit(
                model, seed=seed, progress=False, num_paths=1, num_draws=100, num_psis_draws=100, **VARIANTS["refined"]
            )
        assert result is not None
        assert result.refinement is not None
        mode = result.refinement.modes[0]
        seconds = result.seconds["refine"]
        error = np.abs(np.log(np.sqrt(np.asarray(mode.approximation.variance)) / sd)).mean()
        rows.append(
            [
                f"D = {dim}", str(mode.num_rounds), f"{seconds:.2f}", f"{1e6 * seconds / mode.num_rounds / dim:.1f}",
                f"{error:.4f}",
            ]
        )  # fmt: skip
    header = ["", "rounds", "seconds of refinement", "microseconds / round / D", "sd error of the normal"]
    return Table("Cost of refinement", header, rows, ["Low-rank normal, one path; compiled."])


def cost_of_paths(quick: bool) -> Table:
    """Milliseconds of CPU for each dimension, of four paths of at most a hundred iterations."""
    rows = []
    for dim in (1000, 10_000) if quick else (10_000, 100_000):
        model = low_rank_normal(dim)[0]
        for schedule in ("cmdstan", "race"):
            options = {"refine": False, "schedule": schedule, "num_draws": 100, "num_psis_draws": 100}
            begin, result = 0.0, None
            for seed in (1, 2):
                begin = time.process_time()
                result = pathfinder.fit(model, seed=seed, progress=False, max_lbfgs_iters=100, **options)
            assert result is not None
            milliseconds = 1e3 * (time.process_time() - begin)
            rows.append([f"D = {dim}", schedule, str(result.num_gradients), str(result.num_densities),
                         f"{milliseconds / dim:.2f}"])  # fmt: skip
    header = ["", "schedule", "gradients", "densities", "milliseconds / D"]
    return Table("Cost of paths", header, rows, ["Low-rank normal; CPU time of the process; a second fit."])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the dimensions and short chains")
    parser.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    options = parser.parse_args(arguments)
    with jax.enable_x64(True):
        for table in (cost_of_paths, cost, accuracy):
            print(table(options.quick).render(options.markdown), flush=True)


if __name__ == "__main__":
    main()
