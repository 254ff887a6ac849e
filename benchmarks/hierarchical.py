"""Distance to draws of NUTS on hierarchical posteriors: Stan's way, refined, and with chains, beside NUTS itself.

The programs and their data are read as they are, by `Model.from_stan`. Part of `python -m benchmarks.accuracy`.
"""

import contextlib
import io
import math
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import pathfinder
from benchmarks.posteriors import directory
from benchmarks.tables import Table, geometric_mean
from pathfinder._variables import flatten_draws


FLOOR = 0.047  # what 1000 exact draws score
WAYS: dict[str, dict[str, Any]] = {
    "Stan's way": {"refine": False, "schedule": "cmdstan", "chains": False, "proposal": "auto"},
    "refined": {"chains": False},
    "with chains": {},
}
NUTS = {"chains": 4, "warmup": 1000, "samples": 1000}
LEAPFROG_STEPS = "n_leapfrog__"


class Posterior(NamedTuple):
    """One posterior.

    Args:
        name: Program and data.
        program: File of the program.
        data: File of the data.
        names: Of the scalars that there are draws of, with indices in brackets.
        draws: Of NUTS.
    """

    name: str
    program: Path
    data: Path
    names: list[str]
    draws: np.ndarray

    @classmethod
    def load(cls, reference: Path) -> "Posterior":
        """A posterior by the file of its draws, whose name is that of the data and that of the program."""
        folder = reference.parent
        program = max(
            (path for path in folder.glob("*.stan") if reference.stem.endswith(f"-{path.stem}")),
            key=lambda path: len(path.stem),
        )
        data = folder / f"{reference.stem[: -len(program.stem) - 1]}.json"
        with np.load(reference) as arrays:
            return cls(reference.stem, program, data, [str(name) for name in arrays["names"]], arrays["draws"])

    def score(self, model: pathfinder.Model, draws: Mapping[str, np.ndarray]) -> float:
        """Scaled W1: distance to the draws of NUTS in their standard deviations, mean over parameters that vary."""
        from scipy.stats import wasserstein_distance

        columns = dict(
            zip(model.columns("bracket"), flatten_draws(model.variables, draws).T.astype(float), strict=True)
        )
        deviations = self.draws.std(axis=0, dtype=float)
        return float(
            np.mean(
                [
                    wasserstein_distance(columns[name], own) / deviation
                    for name, own, deviation in zip(self.names, self.draws.T.astype(float), deviations, strict=True)
                    if deviation > 0
                ]
            )
        )


class Outcome(NamedTuple):
    """What a fit came to; `nested_rhat` is NaN where no chains ran."""

    w1: float
    gradients: float
    densities: float
    seconds: float
    nested_rhat: float
    reliable: float


class Nuts(NamedTuple):
    """What NUTS took: gradients with those of its warm-up, and CPU seconds; NaN where it is not installed."""

    gradients: float = math.nan
    seconds: float = math.nan


def all_posteriors() -> list[Posterior]:
    """The hierarchical posteriors, sorted by name; none where their folder is missing."""
    folder = directory()
    return [] if folder is None else [Posterior.load(path) for path in sorted((folder / "hierarchical").glob("*.npz"))]


def fitted(posterior: Posterior, model: pathfinder.Model, seed: int, options: Mapping[str, Any]) -> Outcome:
    """Fit with one seed, and score the draws."""
    began = time.process_time()
    result = pathfinder.fit(model, seed=seed, progress=False, **options)
    seconds = time.process_time() - began
    return Outcome(
        posterior.score(model, result.draws), result.num_gradients, result.num_densities, seconds,
        math.nan if result.chains is None else result.chains.nested_rhat, float(result.is_reliable),
    )  # fmt: skip


def nuts(posterior: Posterior) -> Nuts:
    """Run stanli's NUTS, if it is installed."""
    if not find_spec("stanli"):
        return Nuts()
    import stanli

    began = time.process_time()
    model = stanli.Model(stan_file=str(posterior.program), data=str(posterior.data))
    with contextlib.redirect_stdout(io.StringIO()):
        found = model.sample(seed=1, save_warmup=True, **NUTS)
    seconds = time.process_time() - began
    steps = np.asarray(found.sampler_stats)[..., stanli.SAMPLER_COLUMNS.index(LEAPFROG_STEPS)]
    return Nuts(float(steps.sum()), seconds)


def compare(posterior: Posterior, num_seeds: int) -> tuple[dict[str, Outcome], list[Outcome], Nuts]:
    """Medians over seeds 1, 2, ... of every way; the single outcomes with chains; and NUTS."""
    model = pathfinder.Model.from_stan(str(posterior.program), str(posterior.data))
    outcomes = {
        way: [fitted(posterior, model, seed, options) for seed in range(1, num_seeds + 1)]
        for way, options in WAYS.items()
    }
    medians = {way: Outcome(*np.median(own, axis=0).tolist()) for way, own in outcomes.items()}
    return medians, outcomes["with chains"], nuts(posterior)


def table(num_seeds: int) -> Table:
    """Posteriors of 65 to 388 dimensions beside draws of NUTS; no rows where their folder is missing."""
    header = [
        "posterior", "D", *[f"W1, {way}" for way in WAYS], "worst seed", "gradients", "densities", "CPU s",
        "nested R-hat", "called reliable", "NUTS gradients", "NUTS CPU s", "gradients / NUTS",
    ]  # fmt: skip
    rows, scores, shares = [], [], []
    for posterior in all_posteriors():
        print(f"{posterior.name} ...", file=sys.stderr)
        medians, single, of_nuts = compare(posterior, num_seeds)
        ours = medians["with chains"]
        scores.append([own.w1 for own in medians.values()])
        shares.append(ours.gradients / of_nuts.gradients)
        rows.append(
            [
                posterior.name, f"{len(posterior.names)}", *[f"{own.w1:.3f}" for own in medians.values()],
                f"{max(own.w1 for own in single):.3f}", f"{ours.gradients:.0f}", f"{ours.densities:.0f}",
                f"{ours.seconds:.1f}", f"{ours.nested_rhat:.3f}",
                f"{sum(own.reliable for own in single):.0f}/{len(single)}",
                f"{of_nuts.gradients:.0f}", f"{of_nuts.seconds:.1f}", f"{shares[-1]:.3f}",
            ]
        )  # fmt: skip
    if rows:
        means = [f"{geometric_mean(column):.3f}" for column in zip(*scores, strict=True)]
        rows.append(["geometric mean", "", *means, *[""] * 8, f"{geometric_mean(shares):.3f}"])
    notes = [
        f"Scaled W1 to draws of Stan's NUTS, median over {num_seeds} seeds; 1000 exact draws score {FLOOR}.",
        "Gradients, densities, seconds and nested R-hat are those with chains; seconds are CPU time with compilation "
        "where programs are not kept.",
        "NUTS: stanli's, four chains of 1000 iterations after 1000 of warm-up, leapfrog steps of all.",
    ]
    return Table("Hierarchical posteriors", header, rows, notes)
