"""Whether what a fit says of its own draws is true: verdicts beside the distance to reference draws, good fits and bad.

Part of `python -m benchmarks.accuracy`, as `--section verdicts`.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

import pathfinder
from benchmarks import hierarchical, posteriors
from benchmarks.tables import Table
from pathfinder._importance.pool import with_sizes


# Bad fits are there on purpose: a verdict has to tell them from good ones.
_PLAIN = {"refine": False, "chains": False}
WAYS: dict[str, dict[str, Any]] = {
    "default": {},
    "300 draws": {"num_draws": 200, "num_psis_draws": 300},
    "no refinement": _PLAIN,
    "two paths of ten iterations": {**_PLAIN, "num_paths": 2, "max_lbfgs_iters": 10},
}
GOOD, BAD = 1.5, 3.0  # distance over that of as many exact draws: up to which draws are good, beyond which they are bad
MOST_WRONG = 1 / 20  # of the good ones that may be called unreliable

Score = Callable[[Mapping[str, np.ndarray]], float]


class Case(NamedTuple):
    """A posterior.

    Args:
        name: Its name.
        model: Its model, with data.
        score: Scaled W1 of draws to its reference draws.
        floor: What a number of exact draws score.
    """

    name: str
    model: pathfinder.Model
    score: Score
    floor: Callable[[int], float]


class Judged(NamedTuple):
    """One fit: how good its draws are, and what it says of them.

    Args:
        name: Of the posterior.
        way: How it was fitted.
        seed: Its seed.
        ratio: Scaled W1 over that of as many exact draws.
        draws_from: What the draws are.
        pareto_k: k-hat of the weights.
        size: The least effective sample size: of a mean or a tail by weights, or of a parameter of the chains.
        nested_rhat: The largest; NaN of draws by weights.
        is_reliable: The verdict.
    """

    name: str
    way: str
    seed: int
    ratio: float
    draws_from: str
    pareto_k: float
    size: float
    nested_rhat: float
    is_reliable: bool

    @property
    def is_offender(self) -> bool:
        """Whether the verdict is wrong: bad draws called reliable, or good ones unreliable."""
        return self.ratio > BAD if self.is_reliable else self.ratio <= GOOD

    def cells(self) -> list[str]:
        """As a row of a table."""
        rhat = "" if math.isnan(self.nested_rhat) else f"{self.nested_rhat:.2f}"
        return [
            self.name, self.way, f"{self.seed}", f"{self.ratio:.2f}", self.draws_from, f"{self.pareto_k:.2f}",
            f"{self.size:.0f}", rhat, "reliable" if self.is_reliable else "unreliable",
        ]  # fmt: skip


def cases(names: Sequence[str] | None = None) -> Iterator[Case]:
    """The small posteriors and the hierarchical ones, or some of them by name."""
    for name in posteriors.names():
        if names is None or name in names:
            yield Case(
                name,
                posteriors.load(name),
                lambda draws, name=name: posteriors.score(name, draws).w1_mean,
                lambda count, name=name: posteriors.floor(name, num_draws=count).w1_mean,
            )
    for posterior in hierarchical.all_posteriors():
        if names is None or posterior.name in names:
            model = pathfinder.Model.from_stan(str(posterior.program), str(posterior.data))
            yield Case(
                posterior.name,
                model,
                lambda draws, posterior=posterior, model=model: posterior.score(model, draws),
                lambda count: hierarchical.FLOOR * math.sqrt(1000 / count),
            )


def judged(case: Case, way: str, seed: int) -> Judged | None:
    """Fit one way with one seed; None if no path succeeds."""
    try:
        result = pathfinder.fit(case.model, seed=seed, progress=False, **WAYS[way])
    except pathfinder.PathfinderError:
        return None
    chains = result.chains if result.uses_chains else None
    pool = with_sizes(result.pool, result.source)
    return Judged(
        name=case.name,
        way=way,
        seed=seed,
        ratio=case.score(result.draws) / case.floor(result.num_draws),
        draws_from=result.draws_from,
        pareto_k=result.pareto_k,
        size=min(pool.least_effective_sample_size, pool.least_tail_size)
        if chains is None
        else chains.effective_sample_size,
        nested_rhat=math.nan if chains is None else chains.nested_rhat,
        is_reliable=result.is_reliable,
    )


def counts_table(fits: Sequence[Judged], num_seeds: int) -> Table:
    """How many draw sets of each quality are called reliable and unreliable."""
    header = ["fits", "number"]
    bands = {
        f"at most {GOOD}": lambda ratio: ratio <= GOOD,
        f"{GOOD} to {BAD:.0f}": lambda ratio: GOOD < ratio <= BAD,
        f"above {BAD:.0f}": lambda ratio: ratio > BAD,
    }
    for band in bands:
        header += [f"{band}: reliable", "unreliable"]
    rows = []
    for way in WAYS:
        own = [fit for fit in fits if fit.way == way]
        row = [way, f"{len(own)}"]
        for within in bands.values():
            verdicts = [fit.is_reliable for fit in own if within(fit.ratio)]
            row += [f"{sum(verdicts)}", f"{len(verdicts) - sum(verdicts)}"]
        rows.append(row)
    notes = [
        f"Draw sets of {len({fit.name for fit in fits})} posteriors and {num_seeds} seeds by their scaled W1 to "
        "reference draws over that of as many exact draws, and whether the fit called them reliable.",
        f"Asked of verdicts: none above {BAD:.0f} is called reliable, and of default fits at most one in "
        f"{1 / MOST_WRONG:.0f} up to {GOOD} is called unreliable.",
    ]
    return Table("Verdicts", header, rows, notes)


def posteriors_table(fits: Sequence[Judged]) -> Table:
    """Default fits by posterior."""
    rows = []
    own = [fit for fit in fits if fit.way == "default"]
    for name in dict.fromkeys(fit.name for fit in own):
        these = [fit for fit in own if fit.name == name]
        rhats = [fit.nested_rhat for fit in these if not math.isnan(fit.nested_rhat)]
        rows.append(
            [
                name, f"{np.median([fit.ratio for fit in these]):.2f}", f"{max(fit.ratio for fit in these):.2f}",
                f"{sum(fit.draws_from == 'chains' for fit in these)}", f"{max(fit.pareto_k for fit in these):.2f}",
                f"{min(fit.size for fit in these):.0f}", f"{max(rhats):.2f}" if rhats else "",
                f"{sum(fit.is_reliable for fit in these)}/{len(these)}",
            ]
        )  # fmt: skip
    header = [
        "posterior", "W1 / floor", "worst", "by chains", "largest k-hat", "least size", "largest nested R-hat",
        "reliable",
    ]  # fmt: skip
    notes = [
        "Default fits. Least size: effective draws of the mean or tail with the fewest, or of a parameter of the "
        "chains, in the worst seed."
    ]
    return Table("Verdicts on default fits", header, rows, notes)


def offenders_table(fits: Sequence[Judged]) -> Table:
    """The fits whose verdicts are wrong, and of bad fits alone those that are called reliable."""
    wrong = [fit for fit in fits if fit.is_offender and (fit.is_reliable or fit.way == "default")]
    header = ["posterior", "fit", "seed", "W1 / floor", "draws from", "k-hat", "size", "nested R-hat", "called"]
    notes = ["Bad draws that are called reliable, whatever the fit; good ones of default fits that are not."]
    return Table("Wrong verdicts", header, [fit.cells() for fit in wrong], notes)


def tables(num_seeds: int, names: Sequence[str] | None = None) -> list[Table]:
    """All tables, of seeds 1, 2, ... and of all posteriors or some."""
    fits = []
    for case in cases(names):
        print(f"{case.name} ...", file=sys.stderr)
        fits += [judged(case, way, seed) for way in WAYS for seed in range(1, num_seeds + 1)]
    found = [fit for fit in fits if fit is not None]
    return [counts_table(found, num_seeds), posteriors_table(found), offenders_table(found)]
