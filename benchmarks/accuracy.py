"""Distance to reference draws, evaluations and k-hat on posteriors with known answers, beside Stan's Pathfinder.

Run it with `python -m benchmarks.accuracy`; `benchmarks/README.md` says how to read the tables.
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

import pathfinder
from benchmarks import hierarchical, posteriors, verdicts
from benchmarks.tables import Table, geometric_mean


# Each entry has columns of its own: its name and what it gives to `pathfinder.fit`.
PLAIN = {"refine": False, "schedule": "cmdstan"}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": PLAIN,
    "refined": {"chains": False},
    "with chains": {},
    "history 10": {**PLAIN, "covariance_history": 10},
    "history 30": {**PLAIN, "covariance_history": 30},
    "secant": {**PLAIN, "diagonals": "secant"},
    "bank": {**PLAIN, "diagonals": "bank"},
    "race": {"refine": False},
    "race, bank": {"refine": False, "diagonals": "bank"},
    "race, bank, history 30": {"refine": False, "diagonals": "bank", "covariance_history": 30},
}
USUAL = ("plain", "refined", "with chains")

# Ratios to Stan's median above these are marked, by measure.
LIMITS = {"w1": 1.15, "densities_per_path": 1.05, "gradients_per_path": 1.2}
MARK = "(!)"
STAN_PATHS = 4


class Measures(NamedTuple):
    """What one seed gave, or the medians of several.

    `densities` and `gradients` are of all paths, in Stan's runs of those that succeeded. Both `_per_path` are those of
    the paths that succeeded, divided by their number.
    """

    w1: float
    pareto_k: float
    densities: float
    gradients: float
    densities_per_path: float
    gradients_per_path: float
    seconds: float

    @property
    def evaluations(self) -> float:
        """Densities, with a gradient counted as two."""
        return self.densities + 2 * self.gradients


class Run(NamedTuple):
    """One seed; without measures if no path succeeded."""

    measures: Measures | None
    paths: int
    paths_succeeded: int


class Summary(NamedTuple):
    """All seeds: medians over those that gave draws, and counts."""

    median: Measures
    paths: int
    paths_succeeded: int
    seeds: int
    seeds_succeeded: int

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Summary":
        """Summary of the runs of one posterior."""
        measured = [run.measures for run in runs if run.measures is not None]
        none = Measures(*[math.nan] * len(Measures._fields))
        return cls(
            median=Measures(*np.median(measured or [none], axis=0).tolist()),
            paths=sum(run.paths for run in runs),
            paths_succeeded=sum(run.paths_succeeded for run in runs),
            seeds=len(runs),
            seeds_succeeded=len(measured),
        )


class Comparison(NamedTuple):
    """One posterior: Stan, every variant, and what as many exact draws score."""

    name: str
    floor: float
    stan: Summary
    variants: dict[str, Summary]

    def ratio(self, variant: str, measure: str) -> float:
        """Median of a measure of a variant over that of Stan."""
        return getattr(self.variants[variant].median, measure) / getattr(self.stan.median, measure)


def run(name: str, model: pathfinder.Model, seed: int, options: Mapping[str, Any]) -> Run:
    """Fit with one seed and score the draws."""
    try:
        result = pathfinder.fit(model, seed=seed, progress=False, **options)
    except pathfinder.PathfinderError as error:
        return Run(None, len(error.statuses), 0)
    succeeded = [path for path in result.paths if path.status.succeeded]
    measures = Measures(
        w1=posteriors.score(name, result.draws).w1_mean,
        pareto_k=result.pareto_k,
        densities=result.num_densities,
        gradients=result.num_gradients,
        densities_per_path=sum(path.num_densities for path in succeeded) / len(succeeded),
        gradients_per_path=sum(path.num_gradients for path in succeeded) / len(succeeded),
        seconds=result.seconds["total"],
    )
    return Run(measures, len(result.paths), len(succeeded))


def stan_runs(name: str) -> list[Run]:
    """The runs of CmdStan's Pathfinder with the same settings."""
    runs = []
    for row in posteriors.stan_baseline()[name, "multi"]:
        paths = int(row["paths_ok"])
        measures = None
        if row["ok"]:
            densities = row["evals"] - paths  # Stan counts one more per path, its initial point
            measures = Measures(
                w1=row["w1_mean"],
                pareto_k=row["khat"],
                densities=densities,
                gradients=row["grads"],
                densities_per_path=densities / paths,
                gradients_per_path=row["grads"] / paths,
                seconds=row["cpu_s"],
            )
        runs.append(Run(measures, STAN_PATHS, paths))
    return runs


def compare(name: str, num_seeds: int, variants: Mapping[str, Mapping[str, Any]]) -> Comparison:
    """Run every variant on a posterior with seeds 1, 2, ... and summarize."""
    model = posteriors.load(name)
    seeds = range(1, num_seeds + 1)
    return Comparison(
        name,
        posteriors.floor(name).w1_mean,
        Summary.of(stan_runs(name)),
        {
            variant: Summary.of([run(name, model, seed, options) for seed in seeds])
            for variant, options in variants.items()
        },
    )


def distance_table(comparisons: Sequence[Comparison], variants: Sequence[str]) -> Table:
    """Scaled W1 and k-hat of every variant beside Stan's, with geometric means and worst ratios."""
    header = ["posterior", "floor", "Stan", "Stan k-hat"]
    for variant in variants:
        header += [variant, f"{variant} / Stan", f"{variant} k-hat"]
    rows = []
    for each in comparisons:
        row = [each.name, f"{each.floor:.3f}", f"{each.stan.median.w1:.3f}", f"{each.stan.median.pareto_k:.2f}"]
        for variant in variants:
            ours = each.variants[variant].median
            row += [f"{ours.w1:.3f}", marked(each, variant, "w1"), f"{ours.pareto_k:.2f}"]
        rows.append(row)
    floor = geometric_mean([each.floor for each in comparisons])
    stan = geometric_mean([each.stan.median.w1 for each in comparisons])
    mean = ["geometric mean", f"{floor:.3f}", f"{stan:.3f}", ""]
    worst = ["worst", "", "", ""]
    for variant in variants:
        ours = geometric_mean([each.variants[variant].median.w1 for each in comparisons])
        ratios = [each.ratio(variant, "w1") for each in comparisons]
        mean += [f"{ours:.3f}", f"{geometric_mean(ratios):.3f}", ""]
        worst += ["", f"{np.max(ratios):.3f}", ""]
    notes = [
        "Scaled W1: 1-Wasserstein distance to the reference draws in their standard deviations, mean over parameters; "
        "median over seeds that gave draws. Floor: what 1000 exact draws score.",
        f"{MARK} marks ratios above {LIMITS['w1']}.",
    ]
    return Table("Distance to the reference draws", header, [*rows, mean, worst], notes)


def cost_table(comparisons: Sequence[Comparison], variant: str) -> Table:
    """Evaluations, paths, seeds and seconds of one variant beside Stan's."""
    header = [
        "posterior", "densities", "Stan", "per path", "Stan", "ratio", "gradients", "Stan", "per path", "Stan", "ratio",
        "evaluations / Stan", "paths", "Stan", "seeds", "Stan", "seconds", "Stan",
    ]  # fmt: skip
    rows = []
    for each in comparisons:
        ours, stan = each.variants[variant], each.stan
        row = [each.name]
        for measure in ("densities", "gradients"):
            for name in (measure, f"{measure}_per_path"):
                row += [f"{getattr(summary.median, name):.0f}" for summary in (ours, stan)]
            row += [marked(each, variant, f"{measure}_per_path")]
        row += [f"{each.ratio(variant, 'evaluations'):.3f}"]
        row += [f"{summary.paths_succeeded}/{summary.paths}" for summary in (ours, stan)]
        row += [f"{summary.seeds_succeeded}/{summary.seeds}" for summary in (ours, stan)]
        row += [f"{summary.median.seconds:.3f}" for summary in (ours, stan)]
        rows.append(row)
    for label, statistic in (("geometric mean", geometric_mean), ("worst", np.max)):
        densities, gradients, evaluations = (
            f"{statistic([each.ratio(variant, measure) for each in comparisons]):.3f}"
            for measure in ("densities_per_path", "gradients_per_path", "evaluations")
        )
        rows.append([label, *[""] * 4, densities, *[""] * 4, gradients, evaluations, *[""] * 6])
    notes = [
        "Densities: for the ELBOs of all iterations and for the draws. Totals are of all our paths, but in Stan's "
        "count only of its paths that succeeded; `per path` and the ratio after it compare the paths that succeeded.",
        f"{MARK} marks ratios per path above {LIMITS['densities_per_path']} for densities and "
        f"{LIMITS['gradients_per_path']} for gradients.",
        "Evaluations: total densities plus twice the total gradients.",
        "Paths and seeds: those that succeeded, of all.",
        "Seconds: wall time of a fit, median over seeds, so without compilation if there are several. Stan's: CPU time "
        "of the process as recorded with its results, not measured beside ours.",
    ]
    return Table(f"Cost of {variant}", header, rows, notes)


def outside_limits(comparisons: Sequence[Comparison], variants: Sequence[str]) -> list[str]:
    """What is outside the limits, one line each."""
    lines = []
    for variant in variants:
        for each in comparisons:
            for measure, limit in LIMITS.items():
                if not each.ratio(variant, measure) <= limit:
                    ratio = each.ratio(variant, measure)
                    lines.append(f"{variant}, {each.name}: {measure} is {ratio:.3f} of Stan's, above {limit}.")
            ours = each.variants[variant]
            if ours.seeds_succeeded < ours.seeds:
                failed = ours.seeds - ours.seeds_succeeded
                lines.append(f"{variant}, {each.name}: {failed} of {ours.seeds} seeds gave no draws.")
    return lines


def marked(comparison: Comparison, variant: str, measure: str) -> str:
    """A ratio as text, marked if it is above its limit."""
    ratio = comparison.ratio(variant, measure)
    return f"{ratio:.3f}" if ratio <= LIMITS[measure] else f"{ratio:.3f} {MARK}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("--posterior", nargs="+", metavar="NAME", help="only these posteriors")
    parser.add_argument("--variant", nargs="+", choices=list(VARIANTS), default=list(USUAL))
    parser.add_argument("--seeds", type=int, default=10, help="how many (default: %(default)s)")
    parser.add_argument(
        "--section", nargs="+", choices=("small", "hierarchical", "verdicts"), default=["small", "hierarchical"],
        help="the fourteen small posteriors, the hierarchical ones, what fits say of their own draws",
    )  # fmt: skip
    parser.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    options = parser.parse_args(arguments)
    variants = {variant: VARIANTS[variant] for variant in options.variant}
    with jax.enable_x64(True):
        if "small" in options.section:
            small(options, variants)
        if "hierarchical" in options.section and not options.posterior:
            print(hierarchical.table(options.seeds).render(options.markdown))
        if "verdicts" in options.section:
            for table in verdicts.tables(options.seeds, options.posterior):
                print(table.render(options.markdown))


def small(options: argparse.Namespace, variants: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the tables of the small posteriors."""
    comparisons = []
    for name in options.posterior or posteriors.names():
        print(f"{name} ...", file=sys.stderr)
        comparisons.append(compare(name, options.seeds, variants))
    print(distance_table(comparisons, list(variants)).render(options.markdown))
    for variant in variants:
        print(cost_table(comparisons, variant).render(options.markdown))
    outside = outside_limits(comparisons, list(variants))
    print("Outside the limits:" if outside else "Nothing is outside the limits.", *outside, sep="\n")


if __name__ == "__main__":
    main()
